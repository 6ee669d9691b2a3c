"""Each backend down, slow, refusing or talking nonsense, alone and all at once: a report all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from assistant.incident import Status, Verdict
from assistant.settings import Budget
from assistant.toolbox.budget import Patience
from eval.lab.front import Misbehaviour
from eval.lab.lab import BACKENDS, Backend, Lab
from ingest.job import IngestSettings, ingest
from tests.robustness.scene import LAB_SECONDS, Outcome, holds, look

pytestmark = pytest.mark.anyio

CAUSE = "missing_key Secret dispatch/tariffs-db"
SLOW_SECONDS = 9.0
"""The whole budget where a backend is slow: less waiting than the lab's 15 s."""
MARGIN_SECONDS = 3.0
"""What writing a report may take beyond the budget on a machine that does other things too."""

SAID: dict[Misbehaviour, set[Status]] = {
    "down": {Status.ERROR},
    "slow": {Status.TIMEOUT, Status.LIMITED},
    "401": {Status.DENIED},
    "403": {Status.DENIED},
    "429": {Status.LIMITED},
    "500": {Status.ERROR},
    "html": {Status.ERROR},
    "nonsense": {Status.ERROR},
}
"""How the blind spots are to be called."""


@asynccontextmanager
async def misbehaving(
    lab: Lab, backends: Iterable[Backend], how: Misbehaviour
) -> AsyncIterator[None]:
    """These backends are ill while the block runs, and well again afterwards."""
    try:
        for backend in backends:
            await lab.misbehave(backend, how, slow_seconds=SLOW_SECONDS + 1)
        yield
    finally:
        for backend in backends:
            await lab.misbehave(backend, "ok")


async def look_at(
    lab: Lab, home: Path, backends: tuple[Backend, ...], how: Misbehaviour
) -> Outcome:
    """A triage while these backends are ill; what must hold for every one of them is held here."""
    seconds = SLOW_SECONDS if how == "slow" else LAB_SECONDS
    async with misbehaving(lab, backends, how):
        outcome = await look(lab, home, seconds=seconds)
    assert outcome.seconds < seconds + MARGIN_SECONDS
    dark = {spot.tool.partition(".")[0] for spot in outcome.report.blind_spots}
    assert dark >= {*backends, "runbooks"}
    # On a machine under load the well ones may come too late in what a slow one leaves of the time.
    assert dark == {*backends, "runbooks"} or how == "slow"
    for backend in backends:
        statuses = {spot.status for spot in outcome.blind(backend)}
        assert statuses <= SAID[how]
        assert statuses & SAID[how]
    holds(outcome)
    return outcome


@pytest.mark.parametrize("how", SAID)
async def test_without_pagerduty_the_rest_is_diagnosed_all_the_same(
    lab: Lab, home: Path, how: Misbehaviour
) -> None:
    outcome = await look_at(lab, home, ("pagerduty",), how)
    assert outcome.cause == CAUSE
    assert outcome.report.verdict is Verdict.CAUSE_FOUND
    assert "PagerDuty could not be read" in outcome.report.alert.title


@pytest.mark.parametrize("how", SAID)
async def test_without_prometheus_the_cause_in_kubernetes_is_found(
    lab: Lab, home: Path, how: Misbehaviour
) -> None:
    outcome = await look_at(lab, home, ("prometheus",), how)
    assert outcome.cause == CAUSE
    assert outcome.report.verdict is Verdict.CAUSE_FOUND


@pytest.mark.parametrize("how", SAID)
async def test_without_kubernetes_metrics_lead_to_the_service_that_fails(
    lab: Lab, home: Path, how: Misbehaviour
) -> None:
    outcome = await look_at(lab, home, ("kubernetes",), how)
    assert outcome.cause == "failing_dependency Service tariffs"
    assert outcome.report.verdict not in (Verdict.HEALTHY, Verdict.RECOVERED)


@pytest.mark.parametrize("how", SAID)
async def test_when_nothing_answers_the_report_says_so_and_names_no_cause(
    lab: Lab, home: Path, how: Misbehaviour
) -> None:
    outcome = await look_at(lab, home, BACKENDS, how)
    assert outcome.report.verdict is Verdict.INCONCLUSIVE
    assert outcome.report.hypotheses == outcome.report.findings == ()
    assert "could not be seen" in outcome.report.summary


async def test_a_runbook_index_that_is_corrupt_costs_the_runbook_alone(
    lab: Lab, home: Path, tmp_path: Path
) -> None:
    source, index = tmp_path / "runbooks", tmp_path / "index"
    source.mkdir()
    (source / "portal.md").write_text(
        "---\nalerts: [PortalErrorRatioHigh]\n---\n# Portal\n\nLook.\n"
    )
    await ingest(IngestSettings(source, index, embedding="none"))
    for file in [one for one in index.rglob("*") if one.is_file()]:
        file.write_bytes(b"not a database")
    outcome = await look(lab, home, environment={"RUNBOOKS_INDEX": str(index)})
    holds(outcome)
    [blind] = outcome.report.blind_spots
    assert (blind.tool, blind.status) == ("runbooks.search_runbooks", Status.ERROR)
    assert str(index) in blind.reason
    assert any("python -m ingest" in hint for hint in blind.suggestions)
    assert outcome.cause == CAUSE


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_server_may_waste_a_third_of_the_time_and_is_not_asked_after_that() -> None:
    timer = Time()
    patience = Patience(Budget(seconds=15), timer)
    timer.now = 4
    patience.waited(since=0)
    assert patience.seconds_left == 1
    timer.now = 5
    patience.waited(since=4)
    assert patience.seconds_left == 0
    assert patience.lost("prometheus") == (
        "prometheus answered nothing for 5 seconds before this was asked"
    )


def test_calls_that_wait_side_by_side_waste_their_time_once() -> None:
    timer = Time()
    patience = Patience(Budget(seconds=60), timer)
    timer.now = 8
    for since in (0, 0, 1, 8):
        patience.waited(since)
    assert patience.seconds_left == 12


def test_any_answer_restores_the_patience_and_what_was_waited_before_it_is_forgiven() -> None:
    timer = Time()
    patience = Patience(Budget(seconds=30), timer)
    timer.now = 6
    patience.waited(since=0)
    timer.now = 8
    patience.answered()
    assert patience.seconds_left == 10
    timer.now = 9
    patience.waited(since=1)
    assert patience.seconds_left == 9
