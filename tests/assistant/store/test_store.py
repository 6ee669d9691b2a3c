"""The store outlives processes, is shared by them, and never loses what it was given."""

import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import AssistantError, NotFound
from assistant.incident import (
    Alert,
    Cost,
    Evidence,
    Report,
    Scope,
    Status,
    Verdict,
    Window,
    evidence_id,
)
from assistant.store import MIGRATIONS, Filter, Progress, Store

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 3, 2, 10, tzinfo=UTC)
SCOPE = Scope(namespaces=("shop",), window=Window(start=NOW, end=NOW), began=NOW)


def evidence(name="shop", data=None):
    arguments = {"namespace": name}
    return Evidence(
        id=evidence_id("kubernetes.list_pods", arguments),
        tool="kubernetes.list_pods",
        arguments=arguments,
        status=Status.OK,
        data=data or {"pods": [{"name": "ünï", "ready": True, "restarts": 3, "load": 0.25}]},
        taken_at=NOW,
    )


def report(id, service="checkout", verdict=Verdict.CAUSE_FOUND):
    return Report(
        id=id,
        alert=Alert(id="PT4KHLK", title="5xx", created_at=NOW, service=service),
        scope=SCOPE,
        verdict=verdict,
        summary="A bad image.",
        cost=Cost(seconds=1.5, calls=3),
        evidence=(evidence(),),
        made_at=NOW,
    )


async def test_what_was_kept_comes_back_equal(tmp_path):
    async with Store.open(tmp_path / "state" / "incidents.db") as store:
        triage = await store.start("PT4KHLK", NOW)
        await store.keep(triage.id, evidence())
        await store.keep(triage.id, evidence("payments"))
    async with Store.open(tmp_path / "state" / "incidents.db") as store:
        back = {one.id: one for one in await store.evidence(triage.id)}
        assert back == {one.id: one for one in (evidence(), evidence("payments"))}
        found = await store.unfinished("PT4KHLK")
        assert found.id == triage.id


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=30, deadline=None)
@given(data=JSON)
def test_any_json_survives_the_store(tmp_path_factory, data):
    async def there_and_back():
        async with Store.open(tmp_path_factory.mktemp("store") / "incidents.db") as store:
            triage = await store.start("A", NOW)
            kept = evidence().model_copy(update={"data": data})
            await store.keep(triage.id, kept)
            assert (await store.evidence(triage.id)) == (kept,)

    anyio.run(there_and_back)


async def test_keeping_the_same_evidence_again_changes_nothing(tmp_path):
    async with Store.open(tmp_path / "incidents.db") as store:
        triage = await store.start("A", NOW)
        await store.keep(triage.id, evidence())
        await store.keep(triage.id, evidence(data={"other": 1}))
        assert await store.evidence(triage.id) == (evidence(),)


async def test_evidence_belongs_to_its_triage(tmp_path):
    async with Store.open(tmp_path / "incidents.db") as store:
        one, other = await store.start("A", NOW), await store.start("B", NOW)
        await store.keep(one.id, evidence())
        assert await store.evidence(other.id) == ()


async def test_a_finished_triage_has_a_report_and_nothing_left_to_resume(tmp_path):
    async with Store.open(tmp_path / "incidents.db") as store:
        triage = await store.start("PT4KHLK", NOW)
        await store.finish(triage.id, report(triage.id))
        assert (await store.find(triage.id)).scope == SCOPE
        assert await store.unfinished("PT4KHLK") is None
        assert await store.report(triage.id[:5]) == report(triage.id)
        assert (await store.find(triage.id)).verdict == "cause found"


async def test_a_new_triage_overtakes_an_unfinished_one(tmp_path):
    async with Store.open(tmp_path / "incidents.db") as store:
        old = await store.start("A", NOW)
        new = await store.start("A", NOW)
        assert old.id != new.id
        assert (await store.unfinished("A")).id == new.id
        assert (await store.find(old.id)).progress is Progress.OVERTAKEN


async def test_triages_are_listed_newest_first_and_filtered(tmp_path):
    async with Store.open(tmp_path / "incidents.db") as store:
        for hour, service in enumerate(("checkout", "search", "checkout")):
            triage = await store.start(f"A{hour}", NOW + timedelta(hours=hour))
            verdict = Verdict.RECOVERED if hour == 2 else Verdict.CAUSE_FOUND
            await store.finish(triage.id, report(triage.id, service, verdict))
        await store.start("A9", NOW + timedelta(hours=9))

        async def alerts(**wanted):
            return [one.alert_id for one in await store.search(Filter(**wanted))]

        assert await alerts() == ["A9", "A2", "A1", "A0"]
        assert await alerts(service="checkout") == ["A2", "A0"]
        assert await alerts(verdict="recovered") == ["A2"]
        assert await alerts(progress=Progress.RUNNING) == ["A9"]
        assert await alerts(since=NOW + timedelta(minutes=30), limit=2) == ["A9", "A2"]
        assert await alerts(until=NOW) == ["A0"]


@pytest.mark.parametrize("id", ["", "tzzz", "%", "_"])
async def test_an_unknown_id_is_not_found_and_says_where_to_look(tmp_path, id):
    async with Store.open(tmp_path / "incidents.db") as store:
        await store.start("A", NOW)
        with pytest.raises(NotFound, match="assistant incidents"):
            await store.find(id)


async def test_a_prefix_of_several_names_them(tmp_path):
    async with Store.open(tmp_path / "incidents.db") as store:
        ids = [(await store.start(f"A{number}", NOW)).id for number in range(2)]
        with pytest.raises(NotFound, match=min(ids)):
            await store.find("t")


async def test_an_unfinished_triage_has_no_report_and_says_how_to_get_one(tmp_path):
    async with Store.open(tmp_path / "incidents.db") as store:
        triage = await store.start("A", NOW)
        with pytest.raises(NotFound, match="--resume"):
            await store.report(triage.id)


async def test_the_file_is_readable_by_its_owner_alone(tmp_path):
    path = tmp_path / "home" / "incidents.db"
    async with Store.open(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_file_that_is_no_database_is_a_plain_failure(tmp_path):
    (tmp_path / "incidents.db").write_text("hello, this is not a database at all" * 50)
    with pytest.raises(AssistantError, match="not a database"):
        async with Store.open(tmp_path / "incidents.db"):
            pass


async def test_a_database_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "incidents.db"
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()
    with pytest.raises(AssistantError, match="newer version"):
        async with Store.open(path):
            pass


WRITER = """
import sys, anyio
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_store import NOW, evidence
from assistant.store import Store

async def main():
    async with Store.open(Path(sys.argv[1])) as store:
        triage = await store.start("A", NOW)
        for number in range(20):
            await store.keep(triage.id, evidence(f"{sys.argv[2]}-{number}"))
        print(triage.id)

anyio.run(main)
"""


def write_from_processes(path, source, count):
    """Runs `source` in several processes at once; their output and exit codes."""
    here = str(Path(__file__).parent)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", source, path, str(number), here],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    said = [writer.communicate(timeout=60)[0].strip() for writer in writers]
    return said, [writer.returncode for writer in writers]


async def test_several_processes_write_at_once_and_nothing_is_lost(tmp_path):
    path = tmp_path / "incidents.db"
    ids, codes = write_from_processes(path, WRITER, 4)
    assert codes == [0, 0, 0, 0]
    assert len(set(ids)) == 4
    async with Store.open(path) as store:
        assert [len(await store.evidence(id)) for id in ids] == [20, 20, 20, 20]


async def test_what_a_killed_process_had_kept_is_still_there(tmp_path):
    path = tmp_path / "incidents.db"
    dies = WRITER.replace("print(triage.id)", "__import__('os').kill(__import__('os').getpid(), 9)")
    _, codes = write_from_processes(path, dies, 1)
    assert codes == [-9]
    async with Store.open(path) as store:
        triage = await store.unfinished("A")
        assert len(await store.evidence(triage.id)) == 20


async def test_a_triage_of_nothing_is_forgotten(tmp_path):
    async with Store.open(tmp_path / "incidents.db") as store:
        started = await store.start("Q404", NOW)
        await store.keep(started.id, evidence())
        await store.drop(started.id)
        assert await store.search() == []
        assert await store.evidence(started.id) == ()
