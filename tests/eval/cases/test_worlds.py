"""Every world holds together: objects, events, logs, metrics and pages tell one story, and no answer."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.incident import Verdict
from eval.cases import CASES, DEMO, write_world

GIVEAWAYS = (
    "innocent",
    "red herring",
    "bystander",
    "root cause",
    "rival",
    "expected answer",
    "recovered",
    "chaos",
    "inject",
)
MOST_SAMPLES = 60_000
ABSENT = ("missing_configmap", "missing_secret", "service_missing", "claim_missing")
"""Kinds of trouble whose thing at fault is one that is not there."""
SAMPLE = (*DEMO, *sorted(CASES.keys() - set(DEMO))[::9])
"""Worlds for what is slow to check: the ones to show, and every ninth of the others."""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture(params=SAMPLE)
def sampled(request, written):
    """One of a few worlds of each system: what holds for their generator holds for all."""
    return written(request.param)


def test_a_case_makes_the_same_bytes_every_time(sampled, tmp_path):
    world, again = sampled, write_world(sampled.case, tmp_path)
    names = sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    assert names == sorted(
        p.relative_to(world.folder) for p in world.folder.rglob("*") if p.is_file()
    )
    assert all((again / n).read_bytes() == (world.folder / n).read_bytes() for n in names)


def test_the_answer_stands_nowhere_in_the_world(world):
    right = world.case.expected
    kinds = (right.kind, *(other.kind for other in right.further))
    wanted = (*(kind for kind in kinds if kind), *GIVEAWAYS)
    for path in world.folder.rglob("*"):
        text = path.read_text().lower() if path.is_file() else str(path).lower()
        found = [word for word in wanted if word in text]
        assert not found, f"{path.name} holds {found}"


def test_world_json_names_the_incident_that_the_on_call_was_told_of(world):
    incidents = {row["id"]: row for row in world.pagerduty["incidents"]}
    told = incidents[world.about["alert_id"]]
    assert told["status"] == "triggered"
    assert told["title"] == world.about["told"] == world.case.told
    assert moment(told["created_at"]) < world.as_of
    names = {item["metadata"]["name"] for item in world.of("Namespace")}
    assert not world.objects or world.about["namespace"] in names


def test_every_uid_is_its_own(world):
    uids = [item["metadata"]["uid"] for item in world.objects]
    assert len(uids) == len(set(uids))


def test_every_place_holds_one_object(world):
    places = [
        (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"])
        for item in world.objects
    ]
    assert len(places) == len(set(places))


def test_every_owner_exists_with_the_uid_that_is_named(world):
    uids = {
        (i["kind"], i["metadata"].get("namespace"), i["metadata"]["name"]): i["metadata"]["uid"]
        for i in world.objects
    }
    for item in world.objects:
        for owner in item["metadata"].get("ownerReferences", []):
            namespace = None if owner["kind"] == "Node" else item["metadata"].get("namespace")
            key = (owner["kind"], namespace, owner["name"])
            assert uids[key] == owner["uid"], item["metadata"]["name"]


def test_nothing_carries_a_time_after_now(world):
    ahead = ("notAfter",)
    text = json.dumps([{k: v for k, v in item.items() if k != "spec"} for item in world.objects])
    for key in ahead:
        text = re.sub(rf'"{key}": "[^"]*"', "", text)
    stamps = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", text)
    assert not stamps or max(moment(stamp) for stamp in stamps) <= world.as_of


def test_secrets_hold_key_names_only(world):
    assert all(not any(item["data"].values()) for item in world.of("Secret"))


# -- pods, their owners and their services -------------------------------------------------------


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"])


def selected(world, namespace, selector):
    return [
        pod
        for pod in world.of("Pod")
        if pod["metadata"]["namespace"] == namespace
        and selector.items() <= pod["metadata"]["labels"].items()
        and pod["status"].get("podIP")
    ]


def test_endpoints_and_slices_list_exactly_the_selected_pods_by_readiness(world):
    endpoints = {
        (i["metadata"]["namespace"], i["metadata"]["name"]): i for i in world.of("Endpoints")
    }
    slices = {
        (i["metadata"]["namespace"], i["metadata"]["labels"]["kubernetes.io/service-name"]): i
        for i in world.of("EndpointSlice")
    }
    for service in world.of("Service"):
        key = (service["metadata"]["namespace"], service["metadata"]["name"])
        pods = selected(world, key[0], service["spec"]["selector"])
        ready = {pod["status"]["podIP"] for pod in pods if is_ready(pod)}
        waiting = {pod["status"]["podIP"] for pod in pods} - ready
        subsets = endpoints[key].get("subsets", [])
        if not slices[key]["ports"]:
            assert not subsets, "a port that no pod has leaves nobody to send to"
            continue
        assert {a["ip"] for s in subsets for a in s.get("addresses", [])} == ready
        assert {a["ip"] for s in subsets for a in s.get("notReadyAddresses", [])} == waiting
        rows = slices[key]["endpoints"]
        assert {r["addresses"][0] for r in rows if r["conditions"]["ready"]} == ready
        assert {r["addresses"][0] for r in rows} == ready | waiting


def test_a_service_leads_to_a_port_that_its_pods_have(world):
    expected = world.case.expected
    for service in world.of("Service"):
        place = (service["metadata"]["namespace"], service["metadata"]["name"])
        wrong = expected.kind == "service_port_mapping_mismatch"
        if wrong and place == (expected.entity.namespace, expected.entity.name):
            continue
        pods = selected(world, place[0], service["spec"]["selector"])
        names = {p["name"] for pod in pods for c in pod["spec"]["containers"] for p in c["ports"]}
        assert not pods or service["spec"]["ports"][0]["targetPort"] in names


def test_replica_sets_and_deployments_count_their_pods(world):
    for kind, owner_kind in (("ReplicaSet", "Pod"), ("Deployment", "ReplicaSet")):
        for item in world.of(kind):
            owned = [
                other
                for other in world.of(owner_kind)
                for owner in other["metadata"].get("ownerReferences", [])
                if owner["uid"] == item["metadata"]["uid"]
            ]
            if owner_kind == "Pod":
                alive = [pod for pod in owned if pod["status"]["phase"] != "Failed"]
                counts = (len(alive), sum(is_ready(pod) for pod in alive))
            else:
                counts = (
                    sum(other["status"]["replicas"] for other in owned),
                    sum(other["status"].get("readyReplicas", 0) for other in owned),
                )
            status = item["status"]
            assert (status.get("replicas", 0), status.get("readyReplicas", 0)) == counts


def test_the_newest_replica_set_has_the_deployments_revision_and_template(world):
    revision = "deployment.kubernetes.io/revision"
    for item in world.of("Deployment"):
        sets = [
            other
            for other in world.of("ReplicaSet")
            if other["metadata"]["ownerReferences"][0]["uid"] == item["metadata"]["uid"]
        ]
        newest = max(sets, key=lambda o: int(o["metadata"]["annotations"][revision]))
        assert (
            newest["metadata"]["annotations"][revision] == item["metadata"]["annotations"][revision]
        )
        assert newest["spec"]["template"]["spec"] == item["spec"]["template"]["spec"]


def test_pods_run_on_nodes_that_exist_and_have_addresses_of_their_own(world):
    nodes = {item["metadata"]["name"] for item in world.of("Node")}
    addresses = []
    for pod in world.of("Pod"):
        node = pod["spec"].get("nodeName")
        assert node in nodes or (node is None and pod["status"]["phase"] == "Pending")
        if not pod["spec"].get("hostNetwork") and pod["status"].get("podIP"):
            addresses.append(pod["status"]["podIP"])
    assert len(addresses) == len(set(addresses))


def cores(quantity):
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def requests_of(pod):
    return sum(
        cores(c["resources"].get("requests", {}).get("cpu", "0")) for c in pod["spec"]["containers"]
    )


def test_what_runs_on_a_node_fits_it_and_what_found_no_room_does_not(world):
    free = {
        item["metadata"]["name"]: cores(item["status"]["allocatable"]["cpu"])
        for item in world.of("Node")
    }
    for pod in world.of("Pod"):
        if pod["spec"].get("nodeName") and pod["status"]["phase"] != "Failed":
            free[pod["spec"]["nodeName"]] -= requests_of(pod)
    assert min(free.values(), default=0) >= 0
    for pod in world.of("Pod"):
        if "Insufficient cpu" in str(pod["status"]["conditions"][0].get("message")):
            assert requests_of(pod) > max(free.values())


def test_configuration_that_pods_ask_for_is_there_but_for_the_one_thing_that_is_not(world):
    held = {
        (item["kind"], item["metadata"]["namespace"], item["metadata"]["name"], key)
        for kind in ("ConfigMap", "Secret")
        for item in world.of(kind)
        for key in item.get("data", {})
    }
    kinds = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
    missing = {
        f"{kinds[sort]} {pod['metadata']['namespace']}/{source['name']}"
        for pod in world.of("Pod")
        for container in pod["spec"]["containers"]
        for entry in container.get("env", [])
        for sort, source in entry.get("valueFrom", {}).items()
        if (kinds[sort], pod["metadata"]["namespace"], source["name"], source["key"]) not in held
    }
    expected = world.case.expected
    if expected.verdict is Verdict.INCONCLUSIVE:
        return  # what is missing there cannot be seen, and so is no answer
    told = expected.kind in ("missing_key", "missing_configmap", "missing_secret")
    assert missing == ({str(expected.entity)} if told else set())


def test_accounts_that_pods_run_under_exist(world):
    accounts = {
        (i["metadata"]["namespace"], i["metadata"]["name"]) for i in world.of("ServiceAccount")
    }
    for pod in world.of("Pod"):
        account = pod["spec"]["serviceAccountName"]
        assert (pod["metadata"]["namespace"], account) in accounts


# -- events and logs -----------------------------------------------------------------------------


def test_events_are_about_things_that_are_or_were_there(world):
    uids = {item["metadata"]["uid"] for item in world.objects}
    names = {item["metadata"]["name"] for item in world.of("Node")}
    for event in world.of("Event"):
        about = event["involvedObject"]
        if about["kind"] == "Pod" and about["uid"] not in uids:
            killed = [
                other
                for other in world.of("Event")
                if other["involvedObject"].get("uid") == about["uid"]
                and other["reason"] == "Killing"
            ]
            assert killed, f"{about['name']} is gone without a word"
        elif about["kind"] != "Pod":
            assert about["uid"] in uids | names


def test_events_happen_in_order_and_are_counted(world):
    for event in world.of("Event"):
        first, last = moment(event["firstTimestamp"]), moment(event["lastTimestamp"])
        assert first <= last <= world.as_of
        assert event["count"] >= 1
        assert (event["count"] == 1) == (first == last) or event["reason"] == "FailedCreate"


def test_evicted_pods_carry_the_time_and_words_of_their_event(world):
    told = {
        event["involvedObject"]["name"]: event
        for event in world.of("Event")
        if event["reason"] == "Evicted"
    }
    failed = [pod for pod in world.of("Pod") if pod["status"].get("reason") == "Evicted"]
    assert {pod["metadata"]["name"] for pod in failed} == set(told)
    for pod in failed:
        event = told[pod["metadata"]["name"]]
        assert pod["status"]["message"] == event["message"]
        assert pod["status"]["conditions"][0]["lastTransitionTime"] == event["lastTimestamp"]


def logs(world):
    return sorted((world.folder / "kubernetes" / "logs").rglob("*.log"))


def test_logs_belong_to_containers_and_are_dated_in_order(world):
    pods = {(p["metadata"]["namespace"], p["metadata"]["name"]): p for p in world.of("Pod")}
    for path in logs(world):
        pod = pods[path.parts[-3], path.parts[-2]]
        containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
        assert path.name.split(".")[0] in {c["name"] for c in containers}
        stamps = [moment(line.split(" ", 1)[0]) for line in path.read_text().splitlines()]
        assert stamps == sorted(stamps)
        assert not stamps or stamps[-1] <= world.as_of


def test_a_container_has_a_log_exactly_if_it_ever_ran(world):
    written = {(p.parts[-3], p.parts[-2]) for p in logs(world)}
    for pod in world.of("Pod"):
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        names = ("containerStatuses", "initContainerStatuses")
        statuses = [row for name in names for row in pod["status"].get(name, [])]
        ran = any(status.get("containerID") for status in statuses)
        assert (key in written) == (ran or pod["status"]["phase"] == "Failed")


def test_a_previous_log_needs_a_previous_run(world):
    restarted = {
        pod["metadata"]["name"]
        for pod in world.of("Pod")
        for status in pod["status"].get("containerStatuses", [])
        if status["restartCount"]
    }
    assert {p.parts[-2] for p in logs(world) if ".previous." in p.name} <= restarted


# -- metrics -------------------------------------------------------------------------------------


def test_prometheus_accepts_the_metrics(sampled, tmp_path):
    world = sampled
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    source = world.folder / "prometheus" / "metrics.om"
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(source), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_metrics_stay_small_and_end_now(world):
    lines = [line for line in world.metrics.splitlines() if not line.startswith("#")]
    assert len(lines) < MOST_SAMPLES
    newest = max((int(line.rpartition(" ")[2]) for line in lines), default=None)
    assert newest is None or datetime.fromtimestamp(newest, UTC) == world.as_of


def current(world, metric):
    """The newest values of the series that were still written now."""
    rows = world.last(metric)
    now = int(world.as_of.timestamp())
    return {labels: value for labels, (at, value) in rows.items() if at == now}


def test_counters_never_fall(world):
    seen: dict[str, float] = {}
    counting = False
    for line in world.metrics.splitlines():
        if line.startswith("#"):
            counting = line.endswith((" counter", " histogram"))
        elif counting:
            head, _, rest = line.rpartition("} ")
            value = float(rest.split()[0])
            assert value >= seen.get(head, 0.0), head
            seen[head] = value


def test_kube_state_metrics_agree_with_the_objects(world):
    if not world.metrics:
        return  # nobody measures there
    ready = {
        (dict(labels)["namespace"], dict(labels)["pod"]): value
        for labels, value in current(world, "kube_pod_status_ready").items()
    }
    restarts = {
        tuple(dict(labels)[name] for name in ("namespace", "pod", "container")): value
        for labels, value in current(world, "kube_pod_container_status_restarts_total").items()
    }
    for pod in world.of("Pod"):
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        assert ready[key] == float(is_ready(pod))
        for status in pod["status"].get("containerStatuses", []):
            assert restarts[*key, status["name"]] == status["restartCount"]
    available = current(world, "kube_deployment_status_replicas_available")
    for item in world.of("Deployment"):
        place = {
            ("namespace", item["metadata"]["namespace"]),
            ("deployment", item["metadata"]["name"]),
        }
        assert available[tuple(sorted(place))] == item["status"].get("availableReplicas", 0)


def test_node_condition_metrics_agree_with_the_nodes(world):
    if not world.metrics:
        return  # nobody measures there
    said = {
        (dict(labels)["node"], dict(labels)["condition"]): value
        for labels, value in current(world, "kube_node_status_condition").items()
    }
    for node in world.of("Node"):
        for condition in node["status"]["conditions"]:
            key = (node["metadata"]["name"], condition["type"])
            assert said[key] == float(condition["status"] == "True")


def test_a_container_never_holds_more_memory_than_its_limit(world):
    limits = {
        (dict(labels)["pod"], dict(labels)["container"]): value
        for labels, (_, value) in world.last("kube_pod_container_resource_limits").items()
        if dict(labels)["resource"] == "memory"
    }
    line = re.compile(
        r'container_memory_working_set_bytes\{.*pod="([^"]+)",container="([^"]+)"\} (\S+)'
    )
    rows = world.rows["container_memory_working_set_bytes"]
    used = [match.groups() for match in map(line.match, rows) if match]
    assert bool(used) == bool(rows)
    assert all(float(value) <= limits.get((pod, name), math.inf) for pod, name, value in used)


# -- pages, answers and noise --------------------------------------------------------------------


def test_what_pagerduty_refers_to_is_in_the_account(world):
    account = world.pagerduty
    services = {row["id"] for row in account["services"]}
    ids = {row["id"] for row in account["incidents"]}
    assert ids == set(account["alerts"]) == set(account["log_entries"]) == set(account["notes"])
    for row in [*account["incidents"], *(a for rows in account["alerts"].values() for a in rows)]:
        assert row["service"]["id"] in services
    for change in account["change_events"]:
        assert change["services"][0]["id"] in services
        assert moment(change["timestamp"]) < world.as_of
    assert {row["escalation_level"] for row in account["oncalls"]} == {1, 2}


def test_the_alert_that_paged_fired_in_prometheus_at_that_minute(world):
    told = next(r for r in world.pagerduty["incidents"] if r["id"] == world.about["alert_id"])
    name = told["body"]["details"]["alertname"]
    rows = world.last("ALERTS")
    firing = [
        at
        for labels, (at, _) in rows.items()
        if dict(labels)["alertname"] == name and dict(labels)["alertstate"] == "firing"
    ]
    assert len(firing) <= 1  # none where another system than Prometheus saw it
    ended = [at for at in firing if datetime.fromtimestamp(at, UTC) < world.as_of]
    right = world.case.expected
    if right.verdict not in (Verdict.CAUSE_FOUND, Verdict.SEVERAL_CAUSES):
        return
    assert not ended


def test_the_answer_and_its_rivals_are_things_of_this_world(world):
    places = {
        (i["kind"], i["metadata"].get("namespace", ""), i["metadata"]["name"])
        for i in world.objects
    }
    called = set(re.findall(r'(?:server|server_address|client_name)="([^"]+)"', world.metrics))
    expected = world.case.expected
    for entity in (expected.entity, *(rival.entity for rival in expected.rivals)):
        key = (entity.kind, entity.namespace, entity.name)
        absent = entity == expected.entity and expected.kind in ABSENT
        outside = entity.kind == "Service" and entity.name in called
        assert key in places or outside or absent or entity.kind == "Component"
    assert expected.entity not in {rival.entity for rival in expected.rivals}


def test_somebody_else_released_shortly_before(demo):
    world = demo
    told = next(r for r in world.pagerduty["incidents"] if r["id"] == world.about["alert_id"])
    paged = moment(told["created_at"])
    guilty = world.case.expected.entity.name
    others = [
        change
        for change in world.pagerduty["change_events"]
        if change["source"] == "release-bot"
        and guilty not in change["summary"]
        and 0 < (paged - moment(change["timestamp"])).total_seconds() < 3600
    ]
    assert others


def test_there_is_the_usual_noise_of_a_cluster(demo):
    reasons = {event["reason"] for event in demo.of("Event") if event["type"] == "Warning"}
    assert {"FailedCreate", "FailedScheduling", "Rebooted", "Unhealthy"} <= reasons


def test_there_are_many_kinds_of_trouble_and_no_two_worlds_are_at_the_same_time():
    verdicts = [case.expected.verdict for case in CASES.values()]
    kinds = {case.expected.kind for case in CASES.values() if case.expected.kind}
    assert len(CASES) >= 40
    assert len(kinds) >= 30
    assert verdicts.count(Verdict.CAUSE_FOUND) <= len(CASES) * 0.85
    assert len({case.build().as_of for case in CASES.values()}) == len(CASES)
    assert all(name == case.name for name, case in CASES.items())


def test_a_world_that_stood_there_before_is_replaced(tmp_path: Path):
    case = CASES["amber"]
    leftover = tmp_path / "amber" / "old.txt"
    leftover.parent.mkdir()
    leftover.write_text("from before")
    write_world(case, tmp_path)
    assert not leftover.exists()
