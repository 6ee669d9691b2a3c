"""What looks guilty and is not: old restarts, innocent releases, loud bystanders, start-up noise."""

from __future__ import annotations

from datetime import datetime, timedelta

from eval.cases import lifecycle
from eval.cases.plain_objects import add
from eval.cases.shop import REGISTRY, releases
from eval.cases.system import Change, Firing, Happening, Page, Pod, System, Workload, stamp
from eval.cases.templates import ServiceSpec, service_template
from eval.cases.troubles import say, set_image


def usual(system: System) -> None:
    """What almost every cluster has at any time; to be put on a healthy system, before its trouble."""
    preview_namespace(system)
    node_rebooted(system, "worker-2", system.ago(hours=61))
    yesterdays_change(system)
    slow_backup(system)


def preview_namespace(system: System) -> None:
    """A young namespace with its birth noise, and a pod that asks for more than any node has."""
    born = system.ago(hours=44, minutes=12)
    system.namespaces["preview"] = born
    add(system, "ServiceAccount", ("preview", "default"), born)
    add(system, "ServiceAccount", ("preview", "banner-test"), born + timedelta(seconds=3))
    spec = ServiceSpec("preview", "banner-test", "0.1.0", replicas=1, cpu="48000m", memory="512Mi")
    images = (f"{REGISTRY}/banner-test:0.1.0",)
    revisions = releases(system, spec.name, images, service_template(spec, {}))
    revisions[0].created, revisions[0].number = born, 1
    workload = Workload("Deployment", "preview", spec.name, born, 1, revisions)
    workload.routes = ()
    system.workloads[spec.name] = workload
    _refused_account(system, workload, born)
    pod = lifecycle.place(system, workload, workload.newest, born + timedelta(seconds=4))
    pod.node, pod.ip, pod.runs = "", "", {}
    pod.unscheduled = (
        "0/4 nodes are available: 4 Insufficient cpu. preemption: 0/4 nodes are available: "
        "4 No preemption victims found for incoming pod."
    )
    _unscheduled(system, pod.name, pod.created, pod.unscheduled)


def _refused_account(system: System, workload: Workload, born: datetime) -> None:
    name = f"{workload.name}-{workload.newest.digest}"
    message = (
        f'Error creating: pods "{name}-" is forbidden: error looking up service account '
        f'preview/{workload.name}: serviceaccount "{workload.name}" not found'
    )
    system.happenings.append(
        Happening(
            "ReplicaSet",
            "preview",
            name,
            "FailedCreate",
            message,
            born,
            born + timedelta(seconds=2),
            4,
            warning=True,
            component="replicaset-controller",
        )
    )


def _unscheduled(system: System, name: str, first: datetime, message: str) -> None:
    last = system.ago(seconds=system.rng("unscheduled", name).randint(20, 280))
    count = int((last - first).total_seconds() // 300)
    system.happenings.append(
        Happening(
            "Pod",
            "preview",
            name,
            "FailedScheduling",
            message,
            first,
            last,
            count,
            warning=True,
            component="default-scheduler",
        )
    )


def node_rebooted(system: System, name: str, at: datetime) -> None:
    """A machine that was started anew long ago, and with it everything that ran there."""
    node = system.nodes[name]
    node.booted = at
    boot = system.uid("Boot", "", name)
    rows = (
        ("Rebooted", f"Node {name} has been rebooted, boot id: {boot}", True),
        ("Starting", "Starting kubelet.", False),
        ("NodeReady", f"Node {name} status is now: NodeReady", False),
    )
    for number, (reason, message, warning) in enumerate(rows):
        moment = at + timedelta(seconds=17 * number)
        system.happenings.append(
            Happening("Node", "", name, reason, message, moment, moment, warning=warning, host=name)
        )
    for pod in system.pods:
        if pod.node == name and pod.created < at and pod.runs:
            started_again(pod, at, "Unknown", 255)


def started_again(pod: Pod, at: datetime, reason: str, exit_code: int) -> None:
    """The one restart of a pod's main container; what was before is its last state."""
    ended = {
        "containerID": lifecycle.container_id(pod, pod.workload.container, 0),
        "exitCode": exit_code,
        "finishedAt": stamp(at),
        "reason": reason,
        "startedAt": stamp(pod.main.turns[0].at),
    }
    run = pod.main
    run.restarts_before += 1
    run.last_before = {"terminated": ended}
    run.turns.clear()
    lifecycle.restart(pod, at + timedelta(seconds=41))


def yesterdays_change(system: System) -> None:
    """A change event from the day before, long settled."""
    details = {"plan": "dns", "resources": "1 changed", "by": "h.adeyemi"}
    at = system.ago(hours=27, minutes=14)
    system.changes.append(
        Change(at, "Terraform apply: public zone", "terraform", "Platform", details)
    )


def slow_backup(system: System) -> None:
    """A low-urgency incident that has been open for hours and concerns nobody tonight."""
    at = system.ago(hours=5, minutes=3)
    labels = {"namespace": "data", "job": "archive", "severity": "warning"}
    text = "the nightly archive took 96 minutes instead of 70"
    title = "Archive: copy slower than usual"
    page = Page("ArchiveSlow", title, "Platform", at, labels, text, urgency="low")
    system.other_pages.append(page)
    system.firing.append(Firing(page.alert, at, labels))


def innocent_deploy(system: System, name: str, version: str, at: datetime, service: str) -> None:
    """A release of another service that went well, told to PagerDuty like any other."""
    workload = system.workloads[name]
    before = str(workload.newest.template["containers"][0]["image"]).rpartition(":")[2]
    image = f"{REGISTRY}/{name}:{version}"
    lifecycle.revise(system, workload, set_image(image), at, f"release {version}")
    lifecycle.roll_out(system, workload, at)
    details = {"version": version, "previous": before, "by": "release-bot"}
    summary = f"Deployed {name} {version} to {workload.namespace}"
    system.changes.append(Change(at, summary, "release-bot", service, details))


def old_restart(system: System, name: str, at: datetime) -> None:
    """One restart of one pod, days ago."""
    started_again(system.pods_of(name)[0], at, "Error", 143)


def loud_bystander(system: System, name: str, warning: str) -> None:
    """A service that complains in its log all the time, as it did before, and that nobody calls."""
    for pod in system.pods_of(name):
        rng = system.rng("loud", pod.name)
        at = system.ago(minutes=50)
        while (at := at + timedelta(seconds=rng.uniform(8, 30))) < system.as_of:
            say(system, pod, "warn", at, warning)
