"""Troubles that are over, of others, or of the control side: what they leave in the model and in objects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assistant.incident import Verdict
from eval.cases import CASES, control_troubles, traps
from eval.cases.barriers import Cut
from eval.cases.kubernetes_objects import draw
from eval.cases.metrics import open_metrics
from eval.cases.shop import CORE
from eval.cases.telling import Told, flapped, night, tell
from eval.cases.traffic import flow

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
SILENT = (Verdict.HEALTHY, Verdict.RECOVERED, Verdict.INCONCLUSIVE)


@pytest.fixture
def shop():
    return night("test", NOW, noisy=False)


def one(shop, kind, name):
    items = draw(shop)["items"]
    return next(i for i in items if (i["kind"], i["metadata"]["name"]) == (kind, name))


def conditions(item):
    return {row["type"]: row for row in item["status"]["conditions"]}


def test_the_smaller_shop_has_the_services_asked_for_and_no_calls_into_the_void(shop):
    assert shop.workloads.keys() >= CORE
    assert "cache" not in shop.workloads
    called = {callee for usual in shop.traffic.values() for callee in usual.calls}
    assert called <= shop.traffic.keys()
    assert not any("/quote" in route for route in shop.workloads["portal"].routes)


def test_pods_of_a_node_that_came_back_were_unready_and_not_restarted(shop):
    begins, ends = shop.ago(minutes=20), shop.ago(minutes=16)
    traps.node_was_away(shop, "worker-1", begins, ends)
    pod = next(p for p in shop.pods if p.node == "worker-1")
    assert not pod.ready(begins + timedelta(minutes=1))
    assert pod.ready(NOW)
    item = one(shop, "Pod", pod.name)
    assert item["status"]["containerStatuses"][0]["restartCount"] == 0
    assert conditions(item)["Ready"]["lastTransitionTime"] == "2026-02-03T03:49:06Z"
    node = conditions(one(shop, "Node", "worker-1"))["Ready"]
    assert (node["status"], node["lastTransitionTime"]) == ("True", "2026-02-03T03:49:06Z")


def test_a_node_that_is_gone_has_unknown_conditions_an_old_lease_and_no_new_metrics(shop):
    traps.node_is_gone(shop, "worker-1", shop.ago(minutes=30))
    node = conditions(one(shop, "Node", "worker-1"))
    assert {row["status"] for row in node.values()} == {"Unknown"}
    lease = one(shop, "Lease", "worker-1")
    assert lease["spec"]["renewTime"] == "2026-02-03T03:35:06.000000Z"
    text = open_metrics(shop, flow(shop))
    up = [line.split()[1] for line in text.splitlines() if line.startswith("up{")]
    assert up.count("0") >= 1
    assert shop.ready_pods("portal", NOW) < 3


def test_a_service_that_is_cut_off_fails_its_callers_though_its_pods_are_ready(shop):
    shop.workloads["payments"].cut_off = Cut(shop.ago(minutes=10), "timed out", 8.0)
    known = flow(shop)
    step = known.index(NOW)
    assert shop.ready_pods("payments", NOW) == 2
    assert not known.reachable("payments", step)
    assert known.failed["bookings"][step] > 0.8
    assert known.latency["bookings"][step] > 5
    assert known.ready["payments"][step] == 2


def test_pods_that_are_refused_leave_a_replica_set_that_wants_more_than_it_has(shop):
    message = 'pods "POD" is forbidden: exceeded quota: q'
    control_troubles.refused_rollout(shop, "bookings", shop.ago(minutes=9), message)
    workload = shop.workloads["bookings"]
    item = one(shop, "ReplicaSet", f"bookings-{workload.newest.digest}")
    failure = conditions(item)["ReplicaFailure"]
    assert failure["reason"] == "FailedCreate"
    assert f'pods "bookings-{workload.newest.digest}-' in failure["message"]
    assert item["spec"]["replicas"] > item["status"]["replicas"]
    assert conditions(one(shop, "Deployment", "bookings"))["ReplicaFailure"]["status"] == "True"


def test_a_pod_that_waits_in_its_init_container_is_pending_and_says_so(shop):
    payments = shop.workloads["payments"]
    control_troubles.add_init(payments.newest.template, "wait", "busybox:1", "sh")
    (pod,) = control_troubles.rollout_of(shop, "payments", shop.ago(minutes=9))
    control_troubles.waits_in_init(shop, pod, "waiting")
    status = one(shop, "Pod", pod.name)["status"]
    assert status["phase"] == "Pending"
    assert "running" in status["initContainerStatuses"][0]["state"]
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
    assert conditions({"status": status})["Initialized"]["status"] == "False"


def test_a_program_that_keeps_crashing_waits_longer_each_time(shop):
    fresh = traps.crash_after_restart(
        shop, "parcels", shop.ago(minutes=30), traps.Crash(("no password",))
    )
    for pod in fresh:
        assert 6 <= pod.main.restarts(NOW) <= 11
        assert not pod.ready(NOW)
        assert pod.main.last_state(NOW)["terminated"]["exitCode"] == 1


def test_a_job_that_used_up_its_tries_failed_with_its_pods(shop):
    begins = tuple(shop.ago(minutes=minutes) for minutes in (30, 29, 27))
    tries = control_troubles.Tries(begins, 20.0, ("refused",))
    name = control_troubles.job_failed(shop, "settlement", tries)
    job = one(shop, "Job", name)
    assert conditions(job)["Failed"]["reason"] == "BackoffLimitExceeded"
    pods = [i for i in draw(shop)["items"] if i["metadata"]["name"].startswith(f"{name}-")]
    phases = [i["status"]["phase"] for i in pods if i["kind"] == "Pod"]
    assert phases == ["Failed"] * 3 == ["Failed"] * job["status"]["failed"]


def test_a_static_pod_belongs_to_its_node(shop):
    scheduler = control_troubles.control_plane(shop)["kube-scheduler"]
    item = one(shop, "Pod", scheduler.name)
    assert item["metadata"]["ownerReferences"][0]["name"] == "control-0"
    assert scheduler.name == "kube-scheduler-control-0"
    assert not any(
        i["kind"] == "DaemonSet" and i["metadata"]["name"] == "etcd" for i in draw(shop)["items"]
    )


def test_new_pods_go_to_no_node_that_is_cordoned_or_gone(shop):
    control_troubles.cordon(shop, "worker-1", shop.ago(minutes=20))
    traps.node_is_gone(shop, "worker-2", shop.ago(minutes=20))
    for name in ("portal", "bookings"):
        for pod in control_troubles.rollout_of(shop, name, shop.ago(minutes=9)):
            assert pod.node not in ("worker-1", "worker-2")


def test_metrics_that_nobody_exports_are_not_there(shop):
    shop.unmeasured = ("traces_",)
    text = open_metrics(shop, flow(shop))
    assert "traces_" not in text
    assert "http_requests_total" in text


def test_an_alert_that_flaps_was_resolved_each_time_before(shop):
    told = Told("Portal: slow", "Slow", "portal", 9, over=7)
    tell(shop, told)
    flapped(shop, told, ((40, 38), (25, 24)))
    assert [page.resolved is not None for page in shop.other_pages] == [True, True]
    assert [alert.end < NOW for alert in shop.firing] == [True, True, True]


def test_to_tell_of_earlier_alerts_needs_a_present_one(shop):
    with pytest.raises(ValueError, match="present alert"):
        flapped(shop, Told("Portal: slow", "Slow", "portal", 9), ())


def test_a_third_of_the_worlds_are_traps():
    hidden = {name for name, case in CASES.items() if case.build().denied or case.build().down}
    files = ("nothing_wrong", "over_again", "two_faults", "wrong_suspects", "unseen", "undecided")
    made = {n for n, case in CASES.items() if case.build.__module__.rpartition(".")[2] in files}
    no_cause = {name for name, case in CASES.items() if case.expected.verdict in SILENT}
    assert len(hidden | made | no_cause) >= len(CASES) / 3


def test_a_world_without_a_cause_to_name_names_none_and_the_others_do():
    for case in CASES.values():
        right = case.expected
        named = right.kind not in ("", "recovered")
        assert named == (right.verdict not in SILENT), case.name
        assert bool(right.further) == (right.verdict is Verdict.SEVERAL_CAUSES), case.name
