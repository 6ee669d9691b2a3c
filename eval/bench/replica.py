"""One replica of duty for the storm: a process of its own, whose triages look at the fault's own world."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette

from assistant.cli.wiring import Wired
from assistant.duty.learning import Learning
from assistant.duty.queue import Queue
from assistant.duty.rows import Incident
from assistant.duty.webhooks import Intake, Senders
from assistant.duty.worker import Worker
from assistant.incident import Evidence, Report
from assistant.settings import load_settings
from assistant.toolbox import Call, Session, Toolbox
from assistant.triage import Desk, triage
from eval.lab.listener import listening

TOKEN = "token-of-the-bench"  # noqa: S105 - it guards nothing
DONE = ".json"
"""What a report's file ends in, beside the queue."""


class Company:
    """The worlds that stand in for one cluster, and a triage in the one whose fault an alert is of."""

    def __init__(self, config: Path, queue: Queue, folder: Path) -> None:
        self._worlds: dict[str, dict[str, Any]] = json.loads(config.read_text(encoding="utf-8"))
        self._queue = queue
        self._folder = folder

    def wired(self, name: str) -> Wired:
        """The systems of a world, at its own time."""
        told = self._worlds[name]
        as_of = datetime.fromisoformat(told["as_of"])
        settings = load_settings({"home": self._folder / name}, {})
        return Wired(
            settings,
            told["environment"],
            lambda: as_of + timedelta(seconds=time.time() - told["up_since"]),
        )

    async def ask(self, calls: Any) -> list[Evidence]:
        """Ask the first world: who calls whom is the same in all."""
        made = self.wired(next(iter(self._worlds)))
        now = made.clock()
        span = {"start": (now - timedelta(hours=1)).isoformat(), "end": now.isoformat()}
        async with Toolbox.open(made.settings, made.environment, made.clock, Session()) as toolbox:
            return await toolbox.collect([Call(one.tool, span, one.reason) for one in calls])

    async def triage(self, alert_id: str) -> str:
        """A real triage of the alert that leads an incident."""
        given = await anyio.to_thread.run_sync(self._queue.by_value, alert_id)
        assert given is not None  # noqa: S101 - only Alertmanager sends here
        name = alert_id.rpartition(":")[2].partition("-")[0]
        made = self.wired(name)
        paged_at = datetime.fromisoformat(self._worlds[name]["paged_at"])
        moved = given.model_copy(update={"created_at": paged_at})
        id = f"t-{name}-{os.getpid()}"
        async with Toolbox.open(made.settings, made.environment, made.clock, Session()) as toolbox:
            desk = Desk(toolbox, made.clock, time.monotonic, timedelta(hours=1), given=moved)
            made.settings.home.mkdir(parents=True, exist_ok=True)
            report = await triage(id, given.id, desk, made.settings.checkpoints)
        self._keep(id, report)
        return id

    def _keep(self, id: str, report: Report) -> None:
        said = {"verdict": report.verdict.value, "summary": report.summary}
        (self._folder / f"{id}{DONE}").write_text(json.dumps(said), encoding="utf-8")


async def main(path: Path, config: Path) -> None:
    """Take alerts and triage until killed; the first line on stdout is the address."""

    def clock() -> datetime:
        return datetime.now(UTC)

    async def announce(incident: Incident, report: str) -> None:
        sys.stderr.write(f"{incident.id} {report or '-'}: {'; '.join(incident.news)}\n")

    with Queue.open(path) as queue:
        company = Company(config, queue, path.parent)
        worker = Worker(queue, company.triage, announce, clock, f"replica-{os.getpid()}")
        intake = Intake(queue, Senders(alertmanager_tokens=(TOKEN,)), clock, worker.wake)
        await Learning(queue, company.ask, clock).once()
        async with listening(Starlette(routes=intake.routes())) as listener:
            sys.stdout.write(f"{listener.url}\n")
            sys.stdout.flush()
            await worker.run()


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), Path(sys.argv[2]))
