"""`python -m eval bench storm`: 500 alerts in a minute from two faults, and a replica killed in the middle.

Two demo worlds of one company stand in for its cluster: same names, same calls, one fault each. Two
Alertmanagers tell two replicas of every alert; the replicas share one queue and triage for real.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated, Any

import anyio
import httpx
import typer
from anyio.abc import Process

from assistant.duty.queue import Queue
from assistant.duty.webhooks import ALERTMANAGER_PATH
from eval.bench.replica import DONE, TOKEN
from eval.lab.lab import Lab, serve
from eval.lab.worlds import default_cache, find_world

FAULTS = {
    "amber": (
        ("PodImagePullFailing", {"namespace": "dispatch", "deployment": "bookings"}),
        ("ErrorRatioHigh", {"namespace": "dispatch", "service": "bookings"}),
        ("ErrorRatioHigh", {"namespace": "storefront", "service": "portal"}),
        ("ErrorBudgetBurnFast", {"namespace": "dispatch", "service": "bookings"}),
        ("LatencyHigh", {"namespace": "storefront", "service": "portal"}),
        ("ErrorRatioHigh", {"namespace": "ingress", "service": "ingress-controller"}),
    ),
    "birch": (
        ("PodRestartsOften", {"namespace": "dispatch", "deployment": "routes"}),
        ("ErrorRatioHigh", {"namespace": "dispatch", "service": "routes"}),
        ("ErrorRatioHigh", {"namespace": "storefront", "service": "tracking"}),
        ("ErrorBudgetBurnSlow", {"namespace": "dispatch", "service": "routes"}),
        ("LatencyHigh", {"namespace": "storefront", "service": "tracking"}),
    ),
}
"""What fires for each world's fault: at the workload itself, and at those who call it."""
BATCH = 5
SENDERS = 2
RETRY_SECONDS = 0.5
LONGEST_WAIT = 180.0


@dataclass(frozen=True)
class Plan:
    """How large a storm, and how long."""

    alerts: int = 500
    seconds: float = 60.0
    kill: bool = True


@dataclass
class Seen:
    """What the storm did, as it went."""

    sent: int = 0
    deliveries: int = 0
    refused: int = 0
    waits: list[float] = field(default_factory=list)


def storm(plan: Plan, began: datetime) -> list[list[dict[str, Any]]]:
    """The alerts of both faults mixed, in batches as Alertmanager sends them."""
    worlds, apart = list(FAULTS), timedelta(seconds=plan.seconds / plan.alerts)
    rows = [
        _alert(worlds[number % len(worlds)], number // len(worlds), began + apart * number)
        for number in range(plan.alerts)
    ]
    return [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]


def _alert(world: str, number: int, began: datetime) -> dict[str, Any]:
    rule, place = FAULTS[world][number % len(FAULTS[world])]
    labels = {"alertname": rule, "severity": "critical", "cluster": "pw-north-1", **place}
    labels["path"] = f"/v1/{number}"
    name = place.get("service") or place["deployment"]
    return {
        "status": "firing",
        "startsAt": began.isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "labels": labels,
        "annotations": {"summary": f"{name} is in trouble"},
        "fingerprint": f"{world}-{number:04d}",
    }


async def measure(plan: Plan) -> dict[str, Any]:
    """Run the storm, and count what became of it."""
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        async with AsyncExitStack() as stack:
            labs = {name: await _lab(stack, name) for name in FAULTS}
            config = Path(folder) / "replica.json"
            config.write_text(json.dumps({name: _told(lab) for name, lab in labs.items()}))
            return await _weather(plan, Path(folder), config)


async def _lab(stack: AsyncExitStack, name: str) -> Lab:
    return await stack.enter_async_context(serve(find_world(name, default_cache())))


def _told(lab: Lab) -> dict[str, Any]:
    """What a replica needs to know of a world to triage in it, and which services are its fault's."""
    (paged,) = [one for one in lab.world.pager["incidents"] if one["id"] == lab.world.alert_id]
    return {
        "environment": lab.environment,
        "as_of": lab.world.as_of.isoformat(),
        "up_since": time.time(),
        "paged_at": paged["created_at"],
    }


async def _weather(plan: Plan, folder: Path, config: Path) -> dict[str, Any]:
    path, seen, began = folder / "duty.db", Seen(), time.monotonic()
    batches = storm(plan, datetime.now(UTC))
    urls: dict[int, str] = {}
    async with anyio.create_task_group() as tasks, AsyncExitStack() as stack:
        for number in range(SENDERS):
            process, urls[number] = await stack.enter_async_context(_replica(path, config))
            if number == 0 and plan.kill:
                tasks.start_soon(_kill, process, plan, urls, (path, config), stack)
        async with anyio.create_task_group() as sending:
            for number in range(SENDERS):
                sending.start_soon(_send, number, batches, urls, plan, seen)
        with anyio.fail_after(LONGEST_WAIT):
            await _until_triaged(path)
        took = time.monotonic() - began
    return _figures(plan, path, seen, took)


@asynccontextmanager
async def _replica(path: Path, config: Path) -> AsyncIterator[tuple[Process, str]]:
    command = [sys.executable, "-m", "eval.bench.replica", str(path), str(config)]
    async with await anyio.open_process(command, stderr=None) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it was asked for
            line = b""
            while not line.endswith(b"\n"):
                line += await process.stdout.receive()
            yield process, line.decode().split()[0]
        finally:
            if process.returncode is None:
                process.kill()


async def _kill(
    process: Process,
    plan: Plan,
    urls: dict[int, str],
    place: tuple[Path, Path],
    stack: AsyncExitStack,
) -> None:
    """Kill -9 to the first replica in the middle of the storm; another comes up in its place."""
    await anyio.sleep(plan.seconds / 2)
    process.kill()
    await process.wait()
    _, urls[0] = await stack.enter_async_context(_replica(*place))


async def _send(
    number: int, batches: list[list[dict[str, Any]]], urls: dict[int, str], plan: Plan, seen: Seen
) -> None:
    """One Alertmanager: every alert over the time of the storm, each until it is acknowledged."""
    began = anyio.current_time()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        for place, batch in enumerate(batches):
            await anyio.sleep_until(began + plan.seconds * place / len(batches))
            while True:
                if await _deliver(client, urls[number], batch, seen):
                    break
                await anyio.sleep(RETRY_SECONDS)
            seen.sent += len(batch)


async def _deliver(
    client: httpx.AsyncClient, url: str, batch: list[dict[str, Any]], seen: Seen
) -> bool:
    started, seen.deliveries = time.perf_counter(), seen.deliveries + 1
    try:
        answer = await client.post(url + ALERTMANAGER_PATH, json={"version": "4", "alerts": batch})
    except httpx.HTTPError:
        seen.refused += 1
        return False
    seen.waits.append(time.perf_counter() - started)
    return answer.is_success


async def _until_triaged(path: Path) -> None:
    """Wait until nothing waits and each incident has its report."""
    with Queue.open(path) as queue:
        while True:
            counted, incidents = queue.counts(), queue.incidents()
            if not counted["waiting"] and incidents and all(one.report for one in incidents):
                return
            await anyio.sleep(0.2)


def _figures(plan: Plan, path: Path, seen: Seen, took: float) -> dict[str, Any]:
    with Queue.open(path) as queue:
        counted = queue.counts()
        incidents = [(one, queue.alerts(one.id)) for one in queue.incidents()]
    names = [row.alert.fingerprint for _, rows in incidents for row in rows]
    return {
        "plan": asdict(plan),
        "told": seen.sent,
        "deliveries": seen.deliveries,
        "refused_while_down": seen.refused,
        "kept": len(names),
        "kept_twice": len(names) - len(set(names)),
        "dropped": plan.alerts - len(set(names)),
        "incidents": [
            {
                "title": one.title,
                "alerts": one.alerts,
                "why": one.why,
                "faults": sorted({row.alert.fingerprint.partition("-")[0] for row in rows}),
                "report": json.loads((path.parent / f"{one.report}.json").read_text()),
            }
            for one, rows in incidents
        ],
        "triages": counted["triages"],
        "reports": sum(1 for one in path.parent.glob(f"t-*{DONE}")),
        "seconds": round(took, 1),
        "intake_ms": {
            "median": round(1000 * median(seen.waits), 1),
            "p95": round(1000 * quantiles(seen.waits, n=20)[-1], 1),
        },
    }


def page(found: dict[str, Any]) -> Iterator[str]:
    """The figures as a person reads them."""
    plan = found["plan"]
    killed = ", a replica killed with -9 in the middle" if plan["kill"] else ""
    yield (
        f"{plan['alerts']} alerts in {plan['seconds']:g} s from {len(FAULTS)} faults, told by "
        f"{SENDERS} Alertmanagers to 2 replicas{killed}"
    )
    yield (
        f"told {found['told']} in {found['deliveries']} deliveries, "
        f"{found['refused_while_down']} of them again after the kill"
    )
    yield f"kept {found['kept']}, twice {found['kept_twice']}, dropped {found['dropped']}"
    yield f"incidents {len(found['incidents'])}, triages begun {found['triages']}, reports {found['reports']}"
    for one in found["incidents"]:
        yield f"  {one['title']}: {one['alerts']} alerts of {', '.join(one['faults'])}"
        yield f"    {one['why']}"
        yield f"    {one['report']['verdict']}: {one['report']['summary']}"
    took = found["intake_ms"]
    yield f"acknowledged in {took['median']} ms (median), {took['p95']} ms (p95)"
    yield f"last report {found['seconds']} s after the first alert"


def main(
    alerts: Annotated[int, typer.Option(min=10, help="Alerts, from two faults.")] = 500,
    seconds: Annotated[float, typer.Option(min=1, help="Over so many seconds.")] = 60.0,
    kill: Annotated[bool, typer.Option(help="Kill a replica in the middle.")] = True,  # noqa: FBT002 - a flag
    json_file: Annotated[Path | None, typer.Option("--json", help="Write them as JSON.")] = None,
) -> None:
    """Measure a storm of alerts: what is kept, grouped, triaged."""
    found = anyio.run(measure, Plan(alerts, seconds, kill))
    if json_file:
        json_file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(page(found)) + "\n")


if __name__ == "__main__":
    typer.run(main)
