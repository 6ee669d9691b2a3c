"""How the sources differ from what was ingested of them, by fingerprint. Reads; writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import anyio

from ingest.document import Metadata
from ingest.errors import IngestError
from ingest.sources.base import Item, Listing, Source

Progress = Callable[[str, int, int], None]
"""(what is being done, how much is done, of how much)"""

Ledger = Mapping[str, tuple[str, str]]
"""path -> (runbook id, `state` of its item) of what was ingested"""

MASS = 5
MASS_SHARE = 0.2
"""More than this share of a source's documents, and at least `MASS`, do not vanish in one night unasked."""
READERS = 8
"""Documents read at the same time."""


def silent(_doing: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the index holds. `anew`: nothing of it is built on, so that everything is read again."""

    ledger: Ledger
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be had: a document's path or a source's name, and the reason in words."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document whose content is new to the index, as its source gave it."""

    path: str
    item: Item
    raw: bytes
    is_known: bool
    """Whether the index holds an earlier state of it."""


@dataclass(slots=True)
class Changes:
    """How the sources differ from the index."""

    fetched: list[Fetched] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    """Documents that are gone from their source, and stay all the same: too many went at once."""
    unlisted: list[str] = field(default_factory=list)
    """Documents of sources that failed; they stay."""
    unchanged: int = 0
    skipped: list[Problem] = field(default_factory=list)
    failed: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run asks of the sources."""

    since: datetime | None = None
    allow_mass_delete: bool = False


async def compare(
    sources: Sequence[Source], known: Known, wanted: Wanted, progress: Progress
) -> Changes:
    """What was added, changed and removed. Raises `IngestError` where no source could be listed."""
    changes = Changes()
    listings = await _listings(sources, wanted, progress, changes)
    pending: list[Fetched] = []
    for source, listing in zip(sources, listings, strict=True):
        own = {path for path in known.ledger if _belongs(path, source)}
        if listing is None:
            changes.unlisted.extend(sorted(own))
            continue
        items = {_path(source, item): item for item in listing.items}
        changes.skipped.extend(Problem(source.name, words) for words in listing.unreadable)
        pending.extend(_differing(items, known, changes))
        if listing.whole:
            _remove(_Vanished(_words(source), own, set(items)), wanted, changes)
    _remove_strangers(sources, known, wanted, changes)
    await _fetch(pending, changes, progress)
    return changes


async def _listings(
    sources: Sequence[Source], wanted: Wanted, progress: Progress, changes: Changes
) -> list[Listing | None]:
    """What each source holds, None for one that failed. All are asked at the same time."""
    found: list[Listing | None] = [None] * len(sources)
    reasons: dict[int, str] = {}

    async def ask(place: int) -> None:
        try:
            found[place] = await sources[place].list(wanted.since)
        except IngestError as error:
            reasons[place] = str(error)
        progress("listing", sum(one is not None for one in found) + len(reasons), len(sources))

    async with anyio.create_task_group() as tasks:
        for place in range(len(sources)):
            tasks.start_soon(ask, place)
    changes.failed = [Problem(sources[place].name, reasons[place]) for place in sorted(reasons)]
    if len(reasons) == len(sources):
        raise IngestError("; ".join(map(str, changes.failed)) or "there is no source to ingest")
    return found


def _belongs(path: str, source: Source) -> bool:
    return not source.name or path.startswith(f"{source.name}/")


def _words(source: Source) -> str:
    return f"source {source.name!r}" if source.name else "the source"


def _path(source: Source, item: Item) -> str:
    return f"{source.name}/{item.path}" if source.name else item.path


def _differing(items: Mapping[str, Item], known: Known, changes: Changes) -> Iterable[Fetched]:
    """The documents that have to be read, still without their bytes."""
    for path, item in items.items():
        before = None if known.anew else known.ledger.get(path)
        if before is not None and before[1] == state(item):
            changes.unchanged += 1
        else:
            yield Fetched(path, item, b"", before is not None)


@dataclass(frozen=True, slots=True)
class _Vanished:
    """What is gone of one source (or of those that are no longer named)."""

    where: str
    own: set[str]
    listed: set[str]

    @property
    def gone(self) -> list[str]:
        return sorted(self.own - self.listed)

    @property
    def reason(self) -> str:
        """Why these removals look like an accident; "" where they do not."""
        gone, held = len(self.gone), len(self.own)
        if held and not self.listed:
            return f"it lists nothing now, and held {held} documents"
        if gone >= MASS and gone > MASS_SHARE * held:
            return f"{gone} of its {held} documents vanished at once"
        return ""


def _remove(vanished: _Vanished, wanted: Wanted, changes: Changes) -> None:
    """Removes what vanished, unless that looks like an accident that nobody allowed."""
    if not vanished.gone:
        return
    if wanted.allow_mass_delete or not vanished.reason:
        changes.removed.extend(vanished.gone)
        return
    changes.withheld.extend(vanished.gone)
    changes.notes.append(
        f"removals withheld in {vanished.where}: {vanished.reason}; "
        "look there, and run with --allow-mass-delete if it is meant"
    )


def _remove_strangers(
    sources: Sequence[Source], known: Known, wanted: Wanted, changes: Changes
) -> None:
    """Documents of sources that are no longer named: gone, with the same guard."""
    strangers = {
        path for path in known.ledger if not any(_belongs(path, source) for source in sources)
    }
    _remove(_Vanished("sources no longer named", strangers, set()), wanted, changes)


async def _fetch(pending: Sequence[Fetched], changes: Changes, progress: Progress) -> None:
    """Reads these documents, several at a time; what cannot be read is skipped."""
    results: dict[int, Fetched | Problem] = {}
    readers = anyio.CapacityLimiter(READERS)

    async def read(place: int, one: Fetched) -> None:
        async with readers:
            try:
                raw = await one.item.read()
                results[place] = Fetched(one.path, one.item, raw, one.is_known)
            except IngestError as error:
                results[place] = problem(one, error)
        progress("reading", len(results), len(pending))

    async with anyio.create_task_group() as tasks:
        for place, one in enumerate(pending):
            tasks.start_soon(read, place, one)
    in_order = [results[place] for place in range(len(pending))]
    changes.fetched = [one for one in in_order if isinstance(one, Fetched)]
    changes.skipped.extend(one for one in in_order if isinstance(one, Problem))


def state(item: Item) -> str:
    """What an index remembers of an item: its fingerprint, and what the source says of it, if anything."""
    said = (item.url, item.given)
    if said == ("", Metadata()):
        return item.fingerprint
    return f"{item.fingerprint} {sha256(repr(said).encode()).hexdigest()[:16]}"


def problem(one: Fetched, error: IngestError) -> Problem:
    """An error about a document, without naming its path twice."""
    reason = str(error).removeprefix(f"{one.path}: ").removeprefix(f"{one.item.path}: ")
    return Problem(one.path, reason)
