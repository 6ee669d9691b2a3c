"""A small world made in memory, and ways to ask the lab that serves it."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from eval.lab.lab import Lab
from eval.lab.world import LogName, World

AS_OF = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


def thing(kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    """An object of the core API, unless `apiVersion` says otherwise."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    metadata |= more.pop("metadata", {})
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def pod(name: str, namespace: str = "shop", *, state: Any = None, **more: Any) -> dict[str, Any]:
    """A pod with one container, `app`, in the given state."""
    status = {"name": "app", "image": "a:1", "imageID": "", "ready": True, "restartCount": 0}
    status["state"] = state or {"running": {}}
    status |= more.pop("container", {})
    return thing(
        "Pod",
        name,
        namespace,
        metadata={"labels": more.pop("labels", {})},
        spec={"nodeName": "node-1", "containers": [{"name": "app", "image": "a:1"}]}
        | more.pop("spec", {}),
        status={"phase": more.pop("phase", "Running"), "containerStatuses": [status]},
    )


LINES = b"".join(b"2026-02-03T04:0%d:00Z line %d\n" % (minute, minute) for minute in range(5))


def small_world() -> World:
    return World(
        id="small",
        as_of=AS_OF,
        cluster="small",
        namespace="shop",
        alert_id="PINC1",
        told="cart: errors",
        objects=[
            pod("cart-1", labels={"app": "cart", "tier": "front"}),
            pod("cart-2", labels={"app": "cart", "tier": "back"}),
            pod("mail-1", labels={"app": "mail"}, phase="Pending"),
            pod("tool-1", "ops"),
            thing("Node", "node-1", status={"nodeInfo": {"kubeletVersion": "v1.29.4"}}),
            thing("Secret", "keys", "shop", type="Opaque", data={"TOKEN": ""}),
            thing(
                "Deployment",
                "cart",
                "shop",
                apiVersion="apps/v1",
                spec={
                    "replicas": 2,
                    "selector": {"matchLabels": {"app": "cart"}},
                    "template": {"spec": {"containers": [{"name": "app", "image": "a:1"}]}},
                },
            ),
            thing("Sprocket", "odd", "shop", apiVersion="acme.example/v1"),
            *(event(number) for number in range(7)),
        ],
        logs={LogName("shop", "cart-1", "app"): LINES},
        metrics=metrics(),
        pager=pager(),
    )


def event(number: int) -> dict[str, Any]:
    return thing(
        "Event",
        f"e{number}",
        "shop",
        type="Warning" if number % 2 else "Normal",
        reason="BackOff" if number % 2 else "Pulled",
        message=f"message {number}",
        involvedObject={"kind": "Pod", "name": "cart-1", "namespace": "shop"},
    )


def metrics() -> bytes:
    now = int(AS_OF.timestamp())
    lines = [f'up{{job="cart",note="a \\"b\\""}} 1 {now - 60 * n}' for n in range(30, -1, -1)]
    lines += [f'jobs_total{{namespace="shop"}} {30 - n} {now - 60 * n}' for n in range(30, -1, -1)]
    return "\n".join(
        ["# TYPE up gauge", *lines[:31], "# TYPE jobs counter", *lines[31:], "# EOF\n"]
    ).encode()


OWNER = {"id": "PINC1", "type": "incident_reference", "summary": "[#1] cart: errors"}
SERVICE = {"id": "PSVC1", "type": "service_reference", "summary": "cart"}
POLICY = {"id": "PPOL1", "type": "escalation_policy_reference", "summary": "Shop"}
USER = {"id": "PUSR1", "type": "user_reference", "summary": "Ada Byron"}
SCHEDULE = {"id": "PSCH1", "type": "schedule_reference", "summary": "Shop nights"}


def incident(number: int, status: str, created_at: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"PINC{number}",
        "type": "incident",
        "summary": f"[#{number}] cart: errors",
        "incident_number": number,
        "title": "cart: errors",
        "created_at": created_at,
        "status": status,
        "urgency": "high" if number % 2 else "low",
        "service": SERVICE,
        "escalation_policy": POLICY,
        "assignments": [{"at": created_at, "assignee": USER}],
        "priority": None,
        **more,
    }


def pager() -> dict[str, Any]:
    return {
        "incidents": [
            incident(1, "triggered", "2026-02-03T04:00:00Z"),
            incident(2, "resolved", "2026-02-02T04:00:00Z", resolved_at="2026-02-02T05:00:00Z"),
            incident(3, "acknowledged", "2025-11-02T04:00:00Z"),
        ],
        "alerts": {"PINC1": [_alert()]},
        "log_entries": {"PINC1": [_log_entry()]},
        "notes": {"PINC1": [_note()]},
        "change_events": [
            change("C1", "2026-02-03T03:50:00Z", [SERVICE]),
            change("C2", "2026-02-03T03:40:00Z", []),
            change("C3", "2026-01-03T03:40:00Z", [SERVICE]),
        ],
        "services": [{**SERVICE, "type": "service", "name": "cart", "escalation_policy": POLICY}],
        "oncalls": _on_calls(),
        "past_incidents": {"PINC1": [_past_incident()]},
    }


def _alert() -> dict[str, Any]:
    return {
        "id": "QALT1",
        "type": "alert",
        "summary": "cart: errors",
        "created_at": "2026-02-03T04:00:00Z",
        "status": "triggered",
        "severity": "critical",
        "service": SERVICE,
        "incident": OWNER,
        "body": {"type": "alert_body", "details": {"namespace": "shop"}},
    }


def _log_entry() -> dict[str, Any]:
    return {
        "id": "RLOG1",
        "type": "trigger_log_entry",
        "summary": "Triggered through the API",
        "created_at": "2026-02-03T04:00:00Z",
        "channel": {"type": "api"},
        "service": SERVICE,
        "incident": OWNER,
    }


def _note() -> dict[str, Any]:
    return {
        "id": "PNOT1",
        "content": "looking",
        "user": USER,
        "created_at": "2026-02-03T04:02:00Z",
    }


def _on_calls() -> list[dict[str, Any]]:
    bo = {"id": "PUSR2", "type": "user_reference", "summary": "Bo Lind"}
    return [
        {
            "escalation_policy": POLICY,
            "user": USER,
            "schedule": SCHEDULE,
            "escalation_level": 1,
            "start": "2026-02-02T20:00:00Z",
            "end": "2026-02-03T08:00:00Z",
        },
        {
            "escalation_policy": POLICY,
            "user": bo,
            "schedule": None,
            "escalation_level": 2,
            "start": None,
            "end": None,
        },
    ]


def _past_incident() -> dict[str, Any]:
    before = {
        "id": "PINC2",
        "created_at": "2026-02-02T04:00:00Z",
        "title": "cart: errors",
        "self": "https://api.pagerduty.com/incidents/PINC2",
    }
    return {"incident": before, "score": 41.5}


def change(id: str, at: str, services: list[Any]) -> dict[str, Any]:
    return {
        "id": id,
        "type": "change_event",
        "summary": "deployed",
        "timestamp": at,
        "source": "ci",
        "services": services,
        "custom_details": {"revision": "9"},
    }


async def ask(lab: Lab, path: str, **query: Any) -> httpx2.Response:
    """GET on the lab's Kubernetes API, as the user of its kubeconfig does."""
    async with httpx2.AsyncClient(base_url=lab.urls["kubernetes"], timeout=5) as client:
        return await client.get(path, params=query)


async def page(lab: Lab, path: str, *query: tuple[str, Any]) -> httpx2.Response:
    """GET on the lab's PagerDuty, with its token."""
    headers = {"Authorization": f"Token token={lab.environment['PAGERDUTY_TOKEN']}"}
    url = lab.environment["PAGERDUTY_API_URL"]
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=5) as client:
        return await client.get(path, params=list(query))


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip, with the reason, where a program is not installed."""
    absent = [program for program in programs if not shutil.which(program)]
    return pytest.mark.skipif(bool(absent), reason=f"not installed: {', '.join(absent)}")


needs_prometheus = needs("prometheus", "promtool")


def extra_worlds() -> list[Path]:
    """Recorded worlds to be served too: folders of worlds named in LAB_WORLDS, separated by `:`."""
    folders = [Path(text) for text in os.environ.get("LAB_WORLDS", "").split(":") if text]
    return sorted(path.parent for folder in folders for path in folder.glob("*/world.json"))
