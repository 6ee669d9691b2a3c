"""A triage that is killed half-way goes on where it was: the same report, and no call made twice."""

import json
import re
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime, timedelta
from math import isclose
from typing import Any

import pytest

from assistant.incident import Report, evidence_id
from assistant.report.schema import from_json
from mcp_servers.guard.audit import read, verify
from tests.assistant.cli.conftest import Shell, environment_at, kill

ENOUGH = 20
SLACK = timedelta(seconds=30)
FIGURE = re.compile(r"\d+(?:\.\d+)?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")


def kept(shell: Shell) -> set[str]:
    """The ids of the evidence that the store holds by now."""
    database = shell.lab_home / "incidents.db"
    if not database.exists():
        return set()
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)) as opened:
            return {row[0] for row in opened.execute("SELECT id FROM evidence")}
    except sqlite3.OperationalError:  # its tables are being made
        return set()


def killed_with(shell: Shell, enough: int) -> None:
    """Start a triage, and kill it as soon as it holds so much evidence."""
    process = shell.start("triage", "--lab", "cedar", "--json")
    try:
        for _ in range(4000):
            if len(kept(shell)) >= enough:
                return
            with pytest.raises(subprocess.TimeoutExpired):  # else it was done before it was killed
                process.wait(timeout=0.02)
        pytest.fail(f"only {len(kept(shell))} pieces of evidence")
    finally:
        kill(process)


def called(shell: Shell) -> list[str]:
    """The evidence id of every call that the audit holds, in order."""
    lines = read(shell.lab_home / "audit.jsonl")
    return [evidence_id(f"{line['server']}.{line['tool']}", line["arguments"]) for line in lines]


def content(report: Report) -> Any:
    """A report without what differs from run to run: its own id, its cost, where the lab listened.

    Evidence is named by its question. Which points a chart keeps depends on the second it ends at.
    """
    dropped = {"id": True, "cost": True, "made_at": True, "evidence": True}
    dropped |= {"scope": {"cluster"}, "series": {"__all__": {"points"}}}
    text = report.model_dump_json(exclude=dropped)
    for item in report.evidence:
        question = f"{item.tool} {json.dumps(item.arguments, sort_keys=True)}"
        text = text.replace(f'"{item.id}"', json.dumps(question))
    told = json.loads(text)
    # What began within the same second may stand in either order when the clock has moved on.
    told["timeline"].sort(key=lambda entry: FIGURE.sub("", TIME.sub("", json.dumps(entry))))
    return told


def differences(one: Any, other: Any, place: str = "report") -> list[str]:
    """Where two reports differ. The lab's clock runs: times, and what was measured, shift a little."""
    if isinstance(one, dict) and isinstance(other, dict) and set(one) == set(other):
        return [text for key in one for text in differences(one[key], other[key], f"{place}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [text for n, (a, b) in pairs for text in differences(a, b, f"{place}[{n}]")]
    return [] if one == other or alike(str(one), str(other)) else [f"{place}: {one!r} != {other!r}"]


def alike(one: str, other: str) -> bool:
    """Whether two texts say the same, with times and figures a little apart."""
    times = list(zip(TIME.findall(one), TIME.findall(other), strict=False))
    near = all(abs(datetime.fromisoformat(a) - datetime.fromisoformat(b)) < SLACK for a, b in times)
    one, other = TIME.sub("", one), TIME.sub("", other)
    figures = zip(FIGURE.findall(one), FIGURE.findall(other), strict=False)
    close = all(isclose(float(a), float(b), rel_tol=0.02) for a, b in figures)
    return near and close and FIGURE.sub("", one) == FIGURE.sub("", other)


@pytest.fixture(scope="module")
def resumed(tmp_path_factory, cache_home, index):
    folder = tmp_path_factory.mktemp("resumed")
    shell = Shell(environment_at(folder / "home", cache_home, index), folder)
    killed_with(shell, ENOUGH)
    before, answered = called(shell), kept(shell)
    done = shell.run("triage", "--lab", "cedar", "--resume", "--json")
    return shell, before, answered, done


def test_it_ends_well(resumed):
    _, _, _, done = resumed
    assert done.returncode == 0, done.stderr


def test_no_call_that_was_answered_before_the_kill_is_made_again(resumed):
    shell, before, answered, _ = resumed
    after = called(shell)[len(before) :]
    assert len(answered) >= ENOUGH
    assert answered <= set(before), "the audit names every question by the same id"
    assert not answered & set(after)
    assert after, "and the rest was asked"


def test_nothing_was_asked_again_but_what_was_under_way(resumed):
    shell, before, answered, _ = resumed
    after = called(shell)[len(before) :]
    again = [id for id in after if id in set(before)]
    assert set(again) <= set(before) - answered
    assert len(after) == len(set(after))


def test_the_audit_is_whole_over_both_runs(resumed):
    shell, _, _, _ = resumed
    assert verify(shell.lab_home / "audit.jsonl") == []


def test_the_report_is_that_of_a_run_that_was_not_killed(resumed, used):
    report = from_json(resumed[3].stdout)
    whole = from_json((used.folder / "stdout.json").read_text(encoding="utf-8"))
    assert differences(content(report), content(whole)) == []


def test_it_is_one_incident_and_done(resumed):
    shell, _, _, done = resumed
    listed = shell.run("incidents", "--lab").stdout
    assert listed.count("cause found") == 1
    assert from_json(done.stdout).id in listed
    again = shell.run("triage", "--lab", "cedar", "--resume")
    assert again.returncode == 1
    assert "leave out --resume" in again.stderr
