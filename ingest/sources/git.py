"""Documents of a branch of a git repository, mirrored beside the index. Reads commits, checks nothing out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from ingest.errors import IngestError
from ingest.sources.base import Item, Listing
from ingest.sources.endings import address, media_type, too_large
from ingest.sources.git_program import GitProgram
from ingest.sources.secret import Secret

HEAD = "refs/ingest/head"
"""Where the mirror keeps the branch: one name, whatever the branch is called and wherever it is forced to."""
FETCH_SECONDS = 900.0
FILES = frozenset((b"100644", b"100755"))
"""Modes of plain files. Links could lead anywhere, and submodules are other repositories."""


@dataclass(frozen=True, slots=True)
class _Blob:
    path: str
    id: str
    size: int


@dataclass(frozen=True, slots=True)
class Git:
    """The documents of one branch. A blob's id is its fingerprint: what did not change is not read."""

    name: str
    url: str
    cache: Path
    """The folder of mirrors; each can be deleted, and is fetched anew."""
    branch: str = ""
    """Empty for the branch that the repository itself calls its first."""
    folder: str = ""
    """Only what is under this folder of the repository; paths begin there."""
    link: str = ""
    """Where a person opens a document: a template with `{path}`, `{branch}`, `{commit}`."""
    history: bool = True
    """Whether to fetch the history, which tells when a document changed. False for huge repositories."""
    user: str = "token"
    secret: Secret = field(default_factory=Secret)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    async def list(self, since: datetime | None = None) -> Listing:
        """The documents of the branch's last commit. Without history, `since` leaves nothing out."""
        git = self._program()
        commit = await self._fetched(git)
        blobs = tuple(_blobs(await git.run("ls-tree", "-rzl", "--full-tree", commit)))
        found = [blob for blob in blobs if blob.path.startswith(self._prefix)]
        if not any(media_type(blob.path.removeprefix(self._prefix)) for blob in found):
            raise IngestError(
                f"{git.shown(self.url)!r} holds no document in folder {self.folder!r} of "
                f"{self._branch}; is the folder right?"
            )
        dates = await self._dates(git, commit) if self.history else {}
        items = tuple(
            self._item(git, blob, commit, dates.get(blob.path))
            for blob in found
            if media_type(blob.path.removeprefix(self._prefix))
        )
        if since is None or not self.history:
            return Listing(items)
        recent = (item for item in items if item.modified is None or item.modified >= since)
        return Listing(tuple(recent), whole=False)

    async def close(self) -> None:
        """Nothing is held open."""

    @property
    def _prefix(self) -> str:
        folder = self.folder.strip("/")
        return f"{folder}/" if folder else ""

    @property
    def _branch(self) -> str:
        return f"branch {self.branch!r}" if self.branch else "its first branch"

    def _program(self) -> GitProgram:
        key = sha256(f"{self.name}\0{self.url}\0{self.history}".encode()).hexdigest()[:16]
        mirror = self.cache / f"{self.name or 'git'}-{key}.git"
        return GitProgram(mirror, self.environment, self.url, self.user, self.secret)

    async def _fetched(self, git: GitProgram) -> str:
        """The branch's last commit, now in the mirror. One run at a time has the mirror."""
        await _prepare(git)
        depth = () if self.history else ("--depth=1",)
        source = f"refs/heads/{self.branch}" if self.branch else "HEAD"
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        refs = ("--", self.url, f"+{source}:{HEAD}")
        try:
            await git.run("fetch", *options, *depth, *refs, seconds=FETCH_SECONDS)
        except IngestError as error:
            raise IngestError(
                f"{error}; it was asked for {self._branch}: check the address, the branch and the "
                "token"
            ) from error
        return (await git.run("rev-parse", "--verify", f"{HEAD}^{{commit}}")).decode().strip()

    async def _dates(self, git: GitProgram, commit: str) -> dict[str, datetime]:
        """When each file of the repository last changed, as far as the history tells."""
        words = ("log", "-z", "--format=%x00%ct", "--name-only", "--no-renames", commit)
        under = ("--", self.folder.strip("/")) if self._prefix else ()
        return _dates(await git.run(*words, *under, seconds=FETCH_SECONDS))

    def _item(self, git: GitProgram, blob: _Blob, commit: str, modified: datetime | None) -> Item:
        path = blob.path.removeprefix(self._prefix)
        return Item(
            path=path,
            fingerprint=blob.id,
            media_type=media_type(path),
            read=partial(_read, git, blob),
            url=address(self.link, blob.path, branch=self.branch or "HEAD", commit=commit),
            modified=modified,
        )


def _blobs(tree: bytes) -> Iterator[_Blob]:
    """The plain files of `git ls-tree -rzl`; those whose name is no text are left out."""
    for entry in tree.split(b"\0"):
        described, _, name = entry.partition(b"\t")
        fields = described.split()
        if fields and fields[0] in FILES:
            with contextlib.suppress(UnicodeDecodeError):
                yield _Blob(name.decode(), fields[2].decode(), int(fields[3]))


async def _read(git: GitProgram, blob: _Blob) -> bytes:
    if reason := too_large(blob.path, blob.size):
        raise IngestError(reason)
    return await git.run("cat-file", "blob", blob.id)


async def _prepare(git: GitProgram) -> None:
    """Makes the mirror, or takes away locks that a killed git left: nobody else writes there now."""
    try:
        git.mirror.parent.mkdir(parents=True, exist_ok=True)
        await git.run("init", "--quiet", "--bare", "--template=")
        for lock in (*git.mirror.glob("*.lock"), *git.mirror.glob("refs/**/*.lock")):
            lock.unlink(missing_ok=True)
    except OSError as error:
        raise IngestError(f"the mirror {git.mirror} cannot be written: {error.strerror}") from error


def _dates(log: bytes) -> dict[str, datetime]:
    """Each file's newest date. All parts end with NUL: an empty one, a date, a newline and the files."""
    dates: dict[str, datetime] = {}
    date: datetime | None = None
    before, *parts = log.decode("utf-8", "replace").split("\0")
    newline = ""
    for part in parts:
        if not before:
            date, newline = _date(part), "\n"
        elif part and date:
            dates.setdefault(part.removeprefix(newline), date)
            newline = ""
        before = part
    return dates


def _date(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
