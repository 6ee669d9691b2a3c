"""The nightly job: incremental, atomic, alone."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from ingest import catalogue, vectors
from ingest.errors import IndexBusy, IngestError, ModelUnavailable
from ingest.generations import Generations
from ingest.job import ingest
from ingest.schema import FILE
from tests.ingest.conftest import DISK, write

pytestmark = pytest.mark.anyio


def generation(settings):
    return Generations(settings.index).current()


def in_chroma(settings):
    folder = generation(settings)
    collection = catalogue.facts(folder)["collection"]
    with closing(vectors.open_folder(folder, collection)) as opened:
        return opened.ids()


async def test_a_first_run_adds_everything_and_chroma_holds_the_sections(settings):
    report = await ingest(settings)
    assert report.added == (
        "playbooks.md",
        "checkout/crash.md",
        "node/NodeFilesystemSpaceFillingUp.md",
    )
    assert (report.mode, report.runbooks, report.sections) == ("lexical", 3, 7)
    assert in_chroma(settings) == catalogue.section_ids(generation(settings))


async def test_a_run_with_nothing_new_makes_no_new_generation(settings):
    await ingest(settings)
    before = generation(settings)
    report = await ingest(settings)
    assert (report.unchanged, report.added, report.changed) == (3, (), ())
    assert generation(settings) == before


async def test_a_changed_document_replaces_its_sections_and_a_vanished_one_goes(settings):
    await ingest(settings)
    write(settings.source, {"playbooks.md": "# Playbooks\n\n## New\n\nwords\n"})
    (settings.source / "checkout" / "crash.md").unlink()
    report = await ingest(settings)
    assert (report.changed, report.removed) == (("playbooks.md",), ("checkout/crash.md",))
    ids = catalogue.section_ids(generation(settings))
    assert {id.split("#")[0] for id in ids} == {"playbooks", "node.NodeFilesystemSpaceFillingUp"}
    assert in_chroma(settings) == ids


async def test_the_old_generation_stays_as_it_was_for_its_readers(settings):
    await ingest(settings)
    before = generation(settings)
    ids = catalogue.section_ids(before)
    write(settings.source, {"new.md": "# New\n\nwords\n"})
    await ingest(settings)
    assert catalogue.section_ids(before) == ids != catalogue.section_ids(generation(settings))


async def test_a_broken_document_is_reported_and_its_last_good_text_kept(settings):
    await ingest(settings)
    (settings.source / "playbooks.md").write_bytes(b"\xff\xff")
    (settings.source / "other.md").write_text("---\n: [\n---\n")
    report = await ingest(settings)
    assert len(report.skipped) == 2
    assert "playbooks.md" in catalogue.ledger(generation(settings))


async def test_an_empty_source_is_refused_instead_of_emptying_the_index(settings, tmp_path):
    await ingest(settings)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(IngestError, match="holds no document"):
        await ingest(replace(settings, source=empty))


async def test_two_runs_at_once_exclude_each_other(settings):
    running = Generations(settings.index).locked()
    with running, pytest.raises(IndexBusy, match="another ingestion is running"):
        await ingest(settings)
    assert (await ingest(settings)).added


async def test_what_a_killed_run_left_behind_is_removed_and_never_read(settings):
    await ingest(settings)
    generations = Generations(settings.index)
    unfinished = generations.begin(generations.current())
    unpointed = settings.index / "generations" / "000009"
    unpointed.mkdir()
    assert generation(settings).name == "000001"
    await ingest(settings)
    assert not unfinished.exists()
    assert not unpointed.exists()


def test_a_killed_process_gives_the_lock_back(settings):
    code = (
        "import sys, os, signal; from pathlib import Path; from ingest.generations import Generations\n"
        "with Generations(Path(sys.argv[1])).locked(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(settings.index)], check=False)
    assert killed.returncode == -9
    assert anyio.run(ingest, settings).added


async def test_two_paths_that_read_alike_get_two_ids(settings):
    write(settings.source, {"a/b.md": "# One\n\nx\n", "a.b.md": "# Two\n\ny\n"})
    await ingest(settings)
    ids = {id for id, _ in catalogue.ledger(generation(settings)).values()}
    assert len(ids) == 5


async def test_a_model_that_is_not_here_is_an_error_where_it_was_asked_for(settings):
    with pytest.raises(ModelUnavailable, match="nothing is downloaded"):
        await ingest(replace(settings, embedding="no-such-model"))
    assert generation(settings) is None


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "ingest", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def test_the_command_prints_one_line_and_codes_that_a_cron_job_can_use(settings, source):
    index = str(settings.index)
    done = run("--source", str(source), "--index", index, "--embedding", "none")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("3 added, 0 changed, 0 removed")
    write(source, {"broken.md": "---\n: [\n---\n"})
    skipped = run("--source", str(source), "--index", index, "--embedding", "none")
    assert skipped.returncode == 3
    assert "skipped broken.md: bad front matter" in skipped.stderr
    failed = run("--source", str(source / "absent"), "--index", index, "--embedding", "none")
    assert failed.returncode == 1
    assert "is not a folder" in failed.stderr


async def test_a_catalogue_holds_every_word_of_a_removed_document_no_more(settings):
    await ingest(settings)
    (settings.source / "node" / "NodeFilesystemSpaceFillingUp.md").unlink()
    await ingest(settings)
    with closing(sqlite3.connect(generation(settings) / FILE)) as connection:
        for table in ("section_words", "topic_words"):
            query = f"SELECT count(*) FROM {table} WHERE {table} MATCH 'filesystem'"  # noqa: S608
            assert connection.execute(query).fetchone() == (0,)
        orphans = "SELECT count(*) FROM headings WHERE section NOT IN (SELECT number FROM sections)"
        assert connection.execute(orphans).fetchone() == (0,)
        kept = "SELECT runbook FROM triples ORDER BY runbook"
        runbooks = connection.execute("SELECT number FROM runbooks ORDER BY number").fetchall()
        assert connection.execute(kept).fetchall() == runbooks
    assert DISK not in catalogue.ledger(generation(settings))
