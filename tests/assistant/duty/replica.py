"""One replica of duty as a process of its own: takes webhooks, triages, and says on stdout what it does.

`python -m tests.assistant.duty.replica DATABASE work|hang`: one that hangs begins each triage and ends none.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio
from starlette.applications import Starlette

from assistant.duty.queue import Queue
from assistant.duty.webhooks import Intake, Senders
from assistant.duty.worker import Worker
from assistant.settings import Terms
from eval.lab.listener import listening

TERMS = Terms(settle_seconds=0.5, longest_settle_seconds=2, lease_seconds=1.5, at_once=2)
TOKEN = "token-of-the-test"


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def clock() -> datetime:
    return datetime.now(UTC)


async def main(path: Path, *, hangs: bool) -> None:
    async def triage(alert_id: str) -> str:
        say("began", alert_id)
        if hangs:
            await anyio.sleep_forever()
        return f"t-{alert_id}"

    async def announce(incident, report) -> None:
        say("told", incident.id, report or "-", incident.alerts)

    with Queue.open(path, TERMS) as queue:
        worker = Worker(queue, triage, announce, clock, f"replica-{os.getpid()}")
        intake = Intake(queue, Senders(alertmanager_tokens=(TOKEN,)), clock, worker.wake)
        async with listening(Starlette(routes=intake.routes())) as listener:
            say("listens", listener.url)
            await worker.run()


if __name__ == "__main__":
    anyio.run(lambda: main(Path(sys.argv[1]), hangs=sys.argv[2] == "hang"))
