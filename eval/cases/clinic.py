"""The clinic: a healthy booking system, unlike the parcel shop in all that a triage could lean on.

Other labels and ports, an nginx gateway, a headless database, a Redis that is cache and queue, OpenTelemetry
or mesh metrics instead of a service graph. Troubles are put on top of it by the worlds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from assistant.incident import Entity
from eval.cases.clinic_metrics import open_telemetry
from eval.cases.clinic_objects import clinic_objects
from eval.cases.clinic_services import IMAGES, NAMESPACE, PARTS, Part
from eval.cases.clinic_templates import part_template, store_template
from eval.cases.lifecycle import place, start
from eval.cases.system import (
    Change,
    Firing,
    Json,
    Node,
    Page,
    Revision,
    System,
    Traffic,
    Workload,
)

LABEL = "app.kubernetes.io/name"
CLUSTER = "mh-live"


def healthy_clinic(name: str, as_of: datetime) -> System:
    """The clinic on a good day: everything ready, the newest release days old."""
    system = System(name, CLUSTER, NAMESPACE, as_of, organisation="meadowhill", team="Clinic apps")
    system.telemetry = open_telemetry
    for namespace, days in ((NAMESPACE, 391), ("kube-system", 402), ("kube-node-lease", 402)):
        system.namespaces[namespace] = system.ago(days=days, minutes=days)
    machines(system)
    cluster_dns(system)
    for part in PARTS:
        _add_part(system, part)
    _add_store(system, "records-db", "docker.io/bitnami/postgresql:15.8.0", 5432)
    _add_store(system, "redis", "docker.io/library/redis:7.2.6", 6379)
    system.traffic["api.postmill.example"] = Traffic(0.18, 0.001)
    clinic_objects(system)
    return system


def machines(system: System) -> None:
    """Three machines."""
    for number in range(1, 4):
        name = f"pool-b-{number}"
        rng = system.rng("node", name)
        booted = system.ago(days=rng.randint(20, 60), minutes=rng.randint(1, 900))
        node = Node(name, f"10.30.4.{20 + number}", system.ago(days=401), booted)
        node.disk_used = [(system.ago(hours=3), rng.uniform(0.3, 0.5))]
        system.nodes[name] = node


def add_up(system: System, workload: Workload) -> Workload:
    """A workload whose pods run since its newest revision."""
    system.workloads[workload.name] = workload
    for _ in range(workload.replicas):
        start(place(system, workload, workload.newest, workload.newest.created))
    return workload


def revisions(system: System, name: str, images: tuple[str, ...], template: Json) -> list[Revision]:
    """The revisions of a workload, weeks apart; the last is the one that runs."""
    rng = system.rng("revisions", name)
    number, days = rng.randint(20, 60), 8 + 21 * len(images) + rng.randint(0, 9)
    found = []
    for place_, image in enumerate(images):
        days -= 21
        first, *others = template["containers"]
        body = {**template, "containers": [{**first, "image": image}, *others]}
        made = system.ago(days=days, minutes=rng.randint(1, 1300))
        found.append(Revision(number + place_, made, body, system.suffix(9, name, image)))
    return found


def _add_part(system: System, part: Part) -> None:
    major, minor, patch = part.version.split(".")
    before = f"{major}.{minor}.{int(patch) - 1}" if int(patch) else f"{major}.{int(minor) - 1}.6"
    repository = "docker.io/nginxinc/nginx-unprivileged" if part.name == "edge" else ""
    repository = repository or f"{IMAGES}/{part.name}"
    images = (f"{repository}:{before}", f"{repository}:{part.version}")
    rows = revisions(system, part.name, images, part_template(part))
    for revision in rows:
        revision.pod_labels = {
            "app.kubernetes.io/component": part.component,
            "app.kubernetes.io/part-of": "clinic",
        }
    workload = Workload(
        "Deployment", NAMESPACE, part.name, system.ago(days=380), part.replicas, rows, part.port
    )
    workload.label, workload.service_port = LABEL, part.service_port
    workload.memory_mib, workload.speaks = part.used_mib, part.speaks
    workload.routes, workload.route_for = part.routes, part.route_for
    workload.cpu_per_request = 0.006
    add_up(system, workload)
    system.traffic[part.name] = Traffic(
        part.latency, 0.0004, dict(part.calls), part.entry_rate, part.queue
    )


def _add_store(system: System, name: str, image: str, port: int) -> None:
    template = store_template(name, image, port)
    revision = Revision(1, system.ago(days=77, hours=3), template, system.suffix(9, name))
    revision.pod_labels = {"app.kubernetes.io/component": "data"}
    workload = Workload("StatefulSet", NAMESPACE, name, system.ago(days=380), 1, [revision], port)
    workload.label, workload.headless = LABEL, True
    workload.memory_mib, workload.cpu_cores, workload.cpu_per_request = 690, 0.15, 0.0005
    workload.speaks = "pg" if name == "records-db" else "redis"
    workload.claim = {"resources": {"requests": {"storage": "20Gi"}}}
    add_up(system, workload)
    usual = {"records-db": (0.005, "postgresql"), "redis": (0.001, "redis")}[name]
    system.traffic[name] = Traffic(usual[0], 0.00002, connection=usual[1])


def cluster_dns(system: System) -> None:
    """CoreDNS, as two pods."""
    image = "registry.k8s.io/coredns/coredns:v1.11.1"
    container: Json = {
        "args": ["-conf", "/etc/coredns/Corefile"],
        "image": image,
        "name": "coredns",
        "ports": [{"containerPort": 53, "name": "dns", "protocol": "UDP"}],
        "resources": {
            "limits": {"memory": "170Mi"},
            "requests": {"cpu": "100m", "memory": "70Mi"},
        },
    }
    template = {
        "containers": [container],
        "dnsPolicy": "Default",
        "restartPolicy": "Always",
        "serviceAccount": "coredns",
        "serviceAccountName": "coredns",
    }
    revision = Revision(4, system.ago(days=90), template, system.suffix(9, "coredns"))
    created = system.ago(days=402)
    workload = Workload("Deployment", "kube-system", "coredns", created, 2, [revision], 53)
    workload.label, workload.speaks, workload.memory_mib = "k8s-app", "dns", 34
    add_up(system, workload)


@dataclass(frozen=True)
class Told:
    """What the on-call is told: an alert of Prometheus (or of somebody else) and its words."""

    alert: str
    title: str
    about: dict[str, str]
    text: str
    minutes: float
    """How long ago it fired."""
    service: str = "Clinic booking"


def page(system: System, told: Told) -> None:
    """The alert fires and somebody is paged."""
    at = system.ago(minutes=told.minutes)
    labels = {"namespace": system.namespace, **told.about, "severity": "critical"}
    labels = {key: value for key, value in labels.items() if value}
    system.page = Page(told.alert, told.title, told.service, at, labels, told.text)
    system.firing.append(Firing(told.alert, at, labels))


def tell_change(system: System, at: datetime, summary: str, **details: str) -> None:
    """A change event as this hospital's pipelines send them."""
    source = details.pop("source", "gitlab")
    service = details.pop("service", "Clinic booking")
    system.changes.append(Change(at, summary, source, service, details))


def clinic_entity(kind: str, name: str, namespace: str = NAMESPACE) -> Entity:
    """A thing in the clinic's namespace."""
    return Entity(kind=kind, name=name, namespace=namespace)
