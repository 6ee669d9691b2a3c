"""One triage as the command line runs it: real servers in-process, the real graph, a lab's systems."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from assistant.incident import BlindSpot, Report
from assistant.report import mermaid
from assistant.report.html import html
from assistant.report.markdown import markdown
from assistant.report.schema import from_json, to_json
from assistant.report.terminal import plain
from assistant.settings import Settings, load_settings
from assistant.store import Store
from assistant.toolbox import CallEvent, Session, Toolbox
from assistant.triage import Desk, triage
from assistant.triage.compose import unsupported
from eval.lab.lab import Lab
from mcp_servers.guard import audit

LAB_SECONDS = 15.0
BUGS = ("Traceback", 'File "', " object at 0x", "failed unexpectedly", "BrokenResourceError")


@dataclass(frozen=True)
class Outcome:
    """What came of a triage, and the folder in which it kept its state."""

    report: Report
    seconds: float
    home: Path
    tools: tuple[str, ...]

    @cached_property
    def forms(self) -> Mapping[str, str]:
        """The report in every form that it is given in."""
        return {
            "markdown": markdown(self.report),
            "html": html(self.report),
            "json": to_json(self.report),
            "plain": plain(self.report),
            "cause chain": mermaid.cause_chain(self.report),
            "timeline": mermaid.timeline(self.report),
            "topology": mermaid.topology(self.report),
        }

    @property
    def kept(self) -> Mapping[str, bytes]:
        """Every file that the triage left: store, checkpoints, audit, with their logs."""
        files = (path for path in self.home.rglob("*") if path.is_file())
        return {str(path.relative_to(self.home)): path.read_bytes() for path in files}

    def blind(self, server: str) -> list[BlindSpot]:
        """The blind spots of one server."""
        return [spot for spot in self.report.blind_spots if spot.tool.startswith(f"{server}.")]

    @property
    def cause(self) -> str:
        """The first hypothesis in words; empty where there is none."""
        first = next(iter(self.report.hypotheses), None)
        return f"{first.kind} {first.entity}" if first else ""


def kubeconfig(lab: Lab) -> Any:
    """The configuration with which the lab's cluster is reached."""
    return yaml.safe_load(Path(lab.environment["KUBECONFIG"]).read_text())


def settings_at(home: Path, seconds: float = LAB_SECONDS) -> Settings:
    """The settings of a triage whose whole state lies in `home`."""
    return load_settings({"home": home, "budget.seconds": seconds}, {})


@asynccontextmanager
async def opened(
    lab: Lab, settings: Settings, environment: Mapping[str, str], session: Session
) -> AsyncIterator[Toolbox]:
    """A toolbox that looks at the lab."""
    given = {**lab.environment, **environment}
    async with Toolbox.open(settings, given, lab.clock, session) as toolbox:
        yield toolbox


async def look(
    lab: Lab,
    home: Path,
    *,
    seconds: float = LAB_SECONDS,
    alert_id: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Triage the lab's alert (or another) from its start to its report."""
    settings, asked = settings_at(home, seconds), alert_id or lab.world.alert_id
    started = time.monotonic()
    tools: list[str] = []

    def heard(event: CallEvent) -> None:
        if event.evidence is None:
            tools.append(event.call.tool)

    async with Store.open(settings.database) as store:
        begun = await store.start(asked, lab.clock())
        session = Session(
            incident=begun.id,
            caller="robustness",
            keep=lambda evidence: store.keep(begun.id, evidence),
            on_call=heard,
        )
        async with opened(lab, settings, environment or {}, session) as toolbox:
            desk = Desk(toolbox, lab.clock, lambda: time.monotonic() - started, timedelta(hours=1))
            report = await triage(begun.id, asked, desk, settings.checkpoints)
        await store.finish(begun.id, report)
    return Outcome(report, time.monotonic() - started, home, tuple(tools))


def holds(outcome: Outcome) -> None:
    """What is true of any report: no bug in it, every claim cited, every call audited."""
    for form, text in outcome.forms.items():
        assert [bug for bug in BUGS if bug in text] == [], form
    assert unsupported(outcome.report) == []
    assert from_json(outcome.forms["json"]).verdict is outcome.report.verdict
    written = settings_at(outcome.home).audit_file
    lines = audit.read(written) if outcome.report.cost.calls else []
    assert len(lines) == outcome.report.cost.calls
    assert audit.verify(written) == []
