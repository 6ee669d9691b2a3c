"""A branch of a real repository: what changes, moves, goes and breaks in it."""

import base64
import os
import subprocess
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from eval.lab.listener import listening
from ingest.errors import IngestError
from ingest.sources.endings import MAX_BYTES
from ingest.sources.git import Git, _dates
from ingest.sources.secret import Secret

pytestmark = pytest.mark.anyio
ENVIRONMENT = {"PATH": os.environ["PATH"]}
TOKEN = "s3cr3t-of-the-forge"


class Repository:
    """A repository on disk, and the few things that people do with one."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments, date="2026-01-01T00:00:00Z"):
        who = {
            f"GIT_{role}_{what}": "a@b.c"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        when = {
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**ENVIRONMENT, **who, **when},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def commit(self, files, date="2026-01-01T00:00:00Z"):
        for name, text in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=x", date=date)


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "origin")
    made.commit({"etcd/down.md": "# Down\n", "disk.adoc": "= Disk\n", "main.py": "x"})
    return made


@pytest.fixture
def source(repository, tmp_path):
    return Git("sre", str(repository.folder), tmp_path / "cache", "main", environment=ENVIRONMENT)


async def listed(source):
    return {item.path: item.fingerprint for item in (await source.list()).items}


async def test_documents_are_read_from_the_commit_and_not_from_the_working_copy(source, repository):
    (repository.folder / "disk.adoc").write_text("not committed")
    items = {item.path: item for item in (await source.list()).items}
    assert list(items) == ["disk.adoc", "etcd/down.md"]
    assert await items["disk.adoc"].read() == b"= Disk\n"
    assert items["disk.adoc"].media_type == "text/asciidoc"


async def test_only_what_changed_has_another_fingerprint(source, repository):
    before = await listed(source)
    repository.commit({"disk.adoc": "= Disk, again\n"})
    after = await listed(source)
    assert after["etcd/down.md"] == before["etcd/down.md"]
    assert after["disk.adoc"] != before["disk.adoc"]


async def test_a_rename_keeps_the_fingerprint_and_a_deletion_is_gone(source, repository):
    before = await listed(source)
    repository.git("mv", "etcd/down.md", "etcd/member down.md")
    repository.git("rm", "--quiet", "disk.adoc")
    repository.commit({})
    assert await listed(source) == {"etcd/member down.md": before["etcd/down.md"]}


async def test_a_forced_push_is_followed(source, repository):
    await listed(source)
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.commit({"new.md": "# New\n"})
    repository.git("branch", "--force", "main", "other")
    listing = await source.list()
    assert "new.md" in {item.path for item in listing.items}
    (new,) = [item for item in listing.items if item.path == "new.md"]
    assert await new.read() == b"# New\n"


async def test_a_branch_that_is_gone_is_an_error_that_names_it(source, repository):
    await listed(source)
    repository.git("branch", "--move", "main", "trunk")
    with pytest.raises(
        IngestError, match=r"find remote ref refs/heads/main.*asked for branch 'main'"
    ):
        await source.list()


async def test_without_a_branch_the_repositorys_own_is_taken(repository, tmp_path):
    repository.git("branch", "--move", "main", "trunk")
    source = Git("", str(repository.folder), tmp_path / "cache", environment=ENVIRONMENT)
    assert list(await listed(source)) == ["disk.adoc", "etcd/down.md"]


async def test_a_broken_remote_is_an_error_and_the_next_run_goes_on(source, repository, tmp_path):
    before = await listed(source)
    repository.folder.rename(tmp_path / "moved")
    with pytest.raises(IngestError, match="does not appear to be a git repository"):
        await source.list()
    (tmp_path / "moved").rename(repository.folder)
    assert await listed(source) == before


async def test_a_lock_of_a_killed_run_does_not_stop_the_next(source, tmp_path, repository):
    await listed(source)
    (mirror,) = (tmp_path / "cache").iterdir()
    repository.commit({"new.md": "x"})
    (mirror / "refs" / "ingest" / "head.lock").touch()
    (mirror / "shallow.lock").touch()
    assert "new.md" in await listed(source)


async def test_links_submodules_and_hidden_folders_are_left_out(source, repository):
    (repository.folder / "link.md").symlink_to("/etc/passwd")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module.md")
    repository.commit({".github/ISSUE.md": "x"})
    assert list(await listed(source)) == ["disk.adoc", "etcd/down.md"]


async def test_a_folder_of_the_repository_is_where_paths_begin(repository, tmp_path):
    link = "https://git.example.com/blob/{branch}/{path}"
    source = Git(
        "s", str(repository.folder), tmp_path / "c", "main", "etcd/", link, environment=ENVIRONMENT
    )
    (item,) = (await source.list()).items
    assert (item.path, item.url) == ("down.md", "https://git.example.com/blob/main/etcd/down.md")
    assert item.modified == datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_folder_without_documents_is_an_error(repository, tmp_path):
    source = Git(
        "s", str(repository.folder), tmp_path / "c", "main", "docs", environment=ENVIRONMENT
    )
    with pytest.raises(IngestError, match=r"no document in folder 'docs' of branch 'main'"):
        await source.list()


async def test_each_document_is_as_old_as_the_last_commit_that_changed_it(source, repository):
    repository.commit(
        {"two\nlines.md": "x", "disk.adoc": "y", "\x01.md": "z"}, "2026-06-01T00:00:00Z"
    )
    listing = await source.list()
    assert {item.path: item.modified.month for item in listing.items} == {
        "\x01.md": 6,
        "disk.adoc": 6,
        "etcd/down.md": 1,
        "two\nlines.md": 6,
    }
    recent = await source.list(datetime(2026, 3, 1, tzinfo=UTC))
    assert [item.path for item in recent.items] == ["\x01.md", "disk.adoc", "two\nlines.md"]
    assert not recent.whole


async def test_without_history_one_commit_is_fetched_and_no_date_is_made_up(repository, tmp_path):
    repository.commit({"new.md": "x"})
    url = f"file://{repository.folder}"
    source = Git("s", url, tmp_path / "c", "main", history=False, environment=ENVIRONMENT)
    listing = await source.list(datetime(2030, 1, 1, tzinfo=UTC))
    assert [item.modified for item in listing.items] == [None, None, None]
    assert listing.whole
    (mirror,) = (tmp_path / "c").iterdir()
    assert (mirror / "shallow").exists()


async def test_what_is_too_large_is_listed_and_refused_when_read(source, repository):
    repository.commit({"large.txt": "x" * (MAX_BYTES + 1)})
    (large,) = [item for item in (await source.list()).items if item.path == "large.txt"]
    with pytest.raises(IngestError, match="larger than"):
        await large.read()


@pytest.mark.parametrize("url", ["ext::sh -c touch% {marker}", "--upload-pack=touch {marker}"])
async def test_an_address_runs_no_program(url, tmp_path):
    marker = tmp_path / "marker"
    source = Git("s", url.format(marker=marker), tmp_path / "c", environment=ENVIRONMENT)
    with pytest.raises(IngestError):
        await source.list()
    assert not marker.exists()


async def test_hooks_of_a_mirror_do_not_run(source, tmp_path, repository):
    await listed(source)
    (mirror,) = (tmp_path / "cache").iterdir()
    hook = mirror / "hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/marker\n")
    hook.chmod(0o755)
    repository.commit({"new.md": "x"})
    await listed(source)
    assert not (tmp_path / "marker").exists()


async def test_a_git_that_is_not_installed_is_named(repository, tmp_path):
    source = Git("s", str(repository.folder), tmp_path / "c", environment={"PATH": str(tmp_path)})
    with pytest.raises(IngestError, match="the program git cannot be run"):
        await source.list()


async def test_a_cache_that_cannot_be_written_is_named(repository, tmp_path):
    (tmp_path / "c").touch()
    source = Git("s", str(repository.folder), tmp_path / "c", environment=ENVIRONMENT)
    with pytest.raises(IngestError, match=r"the mirror .* cannot be written: File exists"):
        await source.list()


class Locked:
    """Lets in who has the token."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        given = dict(scope["headers"]).get(b"authorization", b"")
        wanted = b"Basic " + base64.b64encode(f"robot:{TOKEN}".encode())
        refusal = PlainTextResponse("who are you?", 401, {"WWW-Authenticate": "Basic"})
        await (self.app if given == wanted else refusal)(scope, receive, send)


@asynccontextmanager
async def forge(repository):
    """The repository over HTTP, for who has the token."""
    repository.git("update-server-info")
    files = Mount("/sre.git", StaticFiles(directory=repository.folder / ".git"))
    async with listening(Starlette(routes=[files], middleware=[Middleware(Locked)])) as listener:
        yield f"{listener.url}/sre.git"


async def test_a_token_opens_the_repository_and_is_kept_nowhere(repository, tmp_path):
    secret = Secret("FORGE", {"FORGE": TOKEN})
    async with forge(repository) as url:
        source = Git(
            "s", url, tmp_path / "c", "main", user="robot", secret=secret, environment=ENVIRONMENT
        )
        assert list(await listed(source)) == ["disk.adoc", "etcd/down.md"]
    written = [file.read_bytes() for file in (tmp_path / "c").rglob("*") if file.is_file()]
    assert not any(TOKEN.encode() in content for content in written)


async def test_a_refused_token_is_an_error_without_the_token(repository, tmp_path):
    secret = Secret("FORGE", {"FORGE": f"old-{TOKEN}"})
    async with forge(repository) as url:
        named = url.replace("http://", f"http://user:{TOKEN}@")
        source = Git("s", named, tmp_path / "c", "main", secret=secret, environment=ENVIRONMENT)
        with pytest.raises(
            IngestError, match="check the address, the branch and the token"
        ) as raised:
            await source.list()
    assert TOKEN not in str(raised.value)


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1),
        min_size=1,
        unique=True,
    )
)
def test_dates_are_told_for_files_of_any_name(names):
    files = "".join(f"{name}\0" for name in names)
    log = f"\0{86400}\0\n{files}\0{0}\0\nold.md\0\0{10**30}\0\nodd.md\0".encode()
    dates = _dates(log)
    assert {dates[name].day for name in names} == {2}
    assert "old.md" in dates
