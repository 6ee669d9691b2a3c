"""Ids, configurations, logs, objects, metrics and alerts as they should not be: a clear answer each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import NotFound
from assistant.incident import Status, Verdict
from assistant.toolbox import Session
from eval.lab.lab import Lab, serve
from eval.lab.world import LogName, World
from eval.lab.worlds import find_world
from tests.robustness.scene import Outcome, holds, kubeconfig, look, opened, settings_at
from tests.robustness.worlds import changed, logging, of, paged

pytestmark = pytest.mark.anyio

CAUSE = "missing_key Secret dispatch/tariffs-db"
CANARY = "Zk9kubeconfigCanary7Qw"
Json = dict[str, Any]


async def look_into(world: World, cache: Path, home: Path) -> Outcome:
    async with serve(world, cache=cache) as lab:
        outcome = await look(lab, home)
    holds(outcome)
    return outcome


@pytest.mark.parametrize(
    "given",
    ["QNOPE", "99999999999999", "a b", "%00", "'; drop table", "https://x.pagerduty.com/incidents/QNOPE"],
)  # fmt: skip
async def test_an_unknown_alert_is_not_found_and_named(lab: Lab, home: Path, given: str) -> None:
    with pytest.raises(NotFound, match="no alert") as failure:
        await look(lab, home, alert_id=given)
    assert given in str(failure.value)


@pytest.mark.parametrize(
    "given", ["-rf", "--help", "a\nb", "\x1b[31m", "x" * 5000, "../../etc", " ", "\u202eabc"]
)
async def test_what_can_be_no_alert_is_refused_before_anybody_is_asked(
    lab: Lab, home: Path, given: str
) -> None:
    before = lab.requests.total()
    with pytest.raises(NotFound, match="no alert") as failure:
        await look(lab, home, alert_id=given)
    assert str(failure.value).isprintable()
    assert len(str(failure.value)) < 200
    assert lab.requests.total() == before


def test_a_world_that_does_not_exist_is_not_found_and_the_nearest_are_named(cache: Path) -> None:
    with pytest.raises(NotFound, match=r"ceder.*cedar"):
        find_world("ceder", cache)


def _broken_file(folder: Path) -> dict[str, str]:
    path = folder / "broken"
    path.write_text(f"apiVersion: v1\nusers: [{{name: a, user: {{token: {CANARY}}}\n  x: ]\n")
    return {"KUBECONFIG": str(path)}


def _other_token(folder: Path, lab: Lab) -> dict[str, str]:
    config = kubeconfig(lab)
    config["users"][0]["user"] = {"token": CANARY}
    path = folder / "expired"
    path.write_text(json.dumps(config))
    return {"KUBECONFIG": str(path)}


@pytest.mark.parametrize("trouble", ["missing", "broken", "no object", "context", "expired"])
async def test_a_kubeconfig_that_cannot_be_used_is_named(
    lab: Lab, home: Path, tmp_path: Path, trouble: str
) -> None:
    plain = tmp_path / "plain"
    plain.write_text("- just\n- a list\n")
    environment: Mapping[str, str] = {
        "missing": {"KUBECONFIG": str(tmp_path / "nowhere")},
        "broken": _broken_file(tmp_path),
        "no object": {"KUBECONFIG": str(plain)},
        "context": {"KUBERNETES_CONTEXT": "another-cluster"},
        "expired": _other_token(tmp_path, lab),
    }[trouble]
    async with opened(lab, settings_at(home), environment, Session()) as toolbox:
        answer = await toolbox.call("kubernetes.list_deployments")
    expired = trouble == "expired"
    assert answer.status is (Status.DENIED if expired else Status.ERROR)
    assert ("HTTP 401" if expired else next(iter(environment.values()))) in answer.reason
    assert answer.suggestions
    assert CANARY not in answer.model_dump_json()


async def test_without_a_kubeconfig_the_metrics_are_read(
    lab: Lab, home: Path, tmp_path: Path
) -> None:
    nowhere = str(tmp_path / "nowhere")
    outcome = await look(lab, home, environment={"KUBECONFIG": nowhere})
    holds(outcome)
    blind = outcome.blind("kubernetes")
    assert [spot.reason for spot in blind if nowhere not in spot.reason] == []
    assert outcome.cause == "failing_dependency Service tariffs"


@pytest.mark.parametrize("variable", ["PROMETHEUS_TOKEN", "PAGERDUTY_TOKEN"])
async def test_an_expired_token_is_a_denial_that_names_the_variable(
    lab: Lab, home: Path, variable: str
) -> None:
    outcome = await look(lab, home, environment={variable: CANARY})
    holds(outcome)
    blind = outcome.blind(variable.partition("_")[0].lower())
    assert {spot.status for spot in blind} == {Status.DENIED}
    assert any("token" in hint.lower() for spot in blind for hint in spot.suggestions)
    assert outcome.cause == CAUSE


async def test_logs_of_any_bytes_and_a_line_of_fifty_megabytes_are_read_within_bounds(
    cedar: World, cache: Path, home: Path
) -> None:
    stamp = b"2026-05-21T06:10:00Z "
    names = [name for name in cedar.logs if name.namespace == "storefront"]
    odd: dict[LogName, bytes] = dict.fromkeys(
        names, stamp + b"ERROR \xff\xfe\xc3( \x00\x1b[31m caf\xe9\nno stamp at all\n\n\r\n"
    )
    longest = next(name for name in names if "quotes" in name.container and not name.previous)
    odd[longest] = stamp + b"ERROR " + b"x" * 50_000_000 + b"\n"
    outcome = await look_into(logging(cedar, odd), cache, home)
    read = [one for one in outcome.report.evidence if one.tool == "kubernetes.get_pod_logs"]
    assert any(one.arguments["pod"] == longest.pod and one.status is Status.OK for one in read)
    assert max(len(one.text) for one in read) < 300_000
    assert outcome.cause == CAUSE


def _disfigure(objects: list[Json]) -> None:
    """What an API server would refuse, and a proxy, an old client or a custom resource may show."""
    of(objects, "Deployment", "portal").pop("spec")
    of(objects, "Deployment", "bookings").pop("status")
    of(objects, "Deployment", "notices")["status"] = None
    of(objects, "ReplicaSet", "portal").update(spec=None, status=None)
    of(objects, "Pod", "portal")["spec"]["containers"] = None
    of(objects, "Pod", "bookings")["spec"].pop("containers")
    of(objects, "Pod", "notices")["status"] = {"conditions": "x", "containerStatuses": [None]}
    of(objects, "Pod", "payments").pop("status")
    of(objects, "Pod", "quotes")["metadata"]["labels"] = None
    of(objects, "Service", "portal")["spec"].update(ports="x", selector=None)
    of(objects, "ConfigMap")["data"] = None
    of(objects, "Node", "worker-1")["status"] = {"conditions": None, "allocatable": None}
    event = of(objects, "Event")
    event.update(dict.fromkeys(("reason", "message", "count", "firstTimestamp", "lastTimestamp")))
    objects.append({**event, "metadata": {"name": "bare", "namespace": "storefront"}})


async def test_objects_without_status_or_with_fields_of_the_wrong_type_hide_nothing_else(
    cedar: World, cache: Path, home: Path
) -> None:
    outcome = await look_into(changed(cedar, _disfigure), cache, home)
    assert outcome.blind("kubernetes") == []
    assert outcome.cause == CAUSE


async def test_metrics_that_are_no_numbers_are_left_out(
    cedar: World, cache: Path, home: Path
) -> None:
    assert isinstance(cedar.metrics, Path)
    now = cedar.as_of.timestamp()
    rows = [
        f'queue_depth{{namespace="storefront",app="portal",n="{value}"}} {value} {now - 30 * step:.0f}'
        for value in ("NaN", "+Inf", "-Inf", "1e308")
        for step in range(100, 0, -1)
    ]
    family = "\n".join(["# TYPE queue_depth gauge", *rows, "# EOF\n"]).encode()
    metrics = cedar.metrics.read_bytes().replace(b"# EOF\n", family)
    outcome = await look_into(replace(cedar, metrics=metrics), cache, home)
    assert outcome.blind("prometheus") == []
    assert outcome.cause == CAUSE


@pytest.mark.parametrize("created", ["yesterday", "0001-01-01T00:00:00Z", "2026-06-01T00:00:00Z"])
async def test_an_alert_of_no_time_or_of_the_future_is_taken_as_one_of_now(
    cedar: World, cache: Path, home: Path, created: str
) -> None:
    def undate(incident: Json, pager: Json) -> None:
        for one in (incident, *pager["alerts"][incident["id"]]):
            one["created_at"] = created

    outcome = await look_into(paged(cedar, undate), cache, home)
    window = outcome.report.scope.window
    assert abs(outcome.report.scope.began - cedar.as_of) < timedelta(minutes=1)
    assert window.end - window.start < timedelta(hours=1, minutes=1)
    assert outcome.report.verdict is not Verdict.HEALTHY


async def test_labels_of_odd_types_are_ignored(cedar: World, cache: Path, home: Path) -> None:
    odd: Json = {"namespace": ["x"], "service": {"a": 1}, "pod": None, "severity": 3, "app": True}

    def relabel(incident: Json, pager: Json) -> None:
        incident["body"] = {"details": odd}
        incident.update(urgency=None, service=None, priority="x", assignments=None, title=None)
        for alert in pager["alerts"][incident["id"]]:
            alert.update(body={"details": odd, "cef_details": "x"}, severity=None)
        pager["notes"][incident["id"]] = [{"id": "N1", "content": None, "user": None}]

    outcome = await look_into(paged(cedar, relabel), cache, home)
    assert outcome.blind("pagerduty") == []
    assert outcome.report.verdict is not Verdict.HEALTHY
