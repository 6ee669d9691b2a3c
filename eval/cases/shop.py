"""The parcel shop: a healthy system of thirteen services and what they stand on.

Three namespaces of its own (`storefront`, `dispatch`, `data`), the ingress, kube-system, and a preview
namespace that was made today. Troubles are put on top of it by the worlds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from eval.cases.lifecycle import place, start
from eval.cases.plain_objects import shop_objects
from eval.cases.shop_services import OUTSIDE, SERVICES, STORES, Store
from eval.cases.system import Json, Node, Revision, System, Traffic, Workload
from eval.cases.templates import ServiceSpec, cluster_template, service_template, store_template

REGISTRY = "registry.parcelworks.example"
NAMESPACE_AGE_DAYS = {
    "storefront": 212,
    "dispatch": 212,
    "data": 212,
    "ingress": 230,
    "kube-system": 231,
    "kube-node-lease": 231,
}


CORE = frozenset({"portal", "tracking", "bookings", "parcels", "payments", "orders-db"})
"""A smaller shop: enough for a chain of callers, quick to build and to serve."""


@dataclass(frozen=True)
class Setting:
    """What differs from world to world before anything goes wrong."""

    name: str
    cluster: str
    as_of: datetime
    namespace: str = "storefront"
    only: frozenset[str] = frozenset()
    """The services and stores to be there; empty for all of them."""

    def keeps(self, name: str) -> bool:
        """Whether a service, a store or something outside is part of this shop."""
        return not self.only or name in self.only | OUTSIDE.keys()


def healthy_shop(setting: Setting) -> System:
    """The shop on a good night: everything ready, nothing changed for days."""
    system = System(setting.name, setting.cluster, setting.namespace, setting.as_of)
    for name, days in NAMESPACE_AGE_DAYS.items():
        system.namespaces[name] = system.ago(days=days, minutes=days)
    _add_nodes(system)
    _add_cluster_parts(system)
    specs = tuple(_cut(spec, setting) for spec in SERVICES if setting.keeps(spec.name))
    stores = tuple(store for store in STORES if setting.keeps(store.name))
    for spec in specs:
        _add_service(system, spec)
    for store in stores:
        _add_store(system, store)
    for name, usual in OUTSIDE.items():
        if any(name in spec.calls for spec in specs):
            system.traffic[name] = Traffic(usual.latency, usual.errors)
    shop_objects(system, specs, stores)
    return system


def _cut(spec: ServiceSpec, setting: Setting) -> ServiceSpec:
    """A service as it is where some of those that it calls are not there."""
    calls = {name: share for name, share in spec.calls.items() if setting.keeps(name)}
    lost = {spec.route_for[name] for name in spec.calls.keys() - calls if name in spec.route_for}
    routes = tuple(route for route in spec.routes if route not in lost)
    needs = {name: route for name, route in spec.route_for.items() if name in calls}
    return replace(spec, calls=calls, routes=routes, route_for=needs)


def _add_nodes(system: System) -> None:
    for number in range(1, 5):
        name = f"worker-{number}"
        rng = system.rng("node", name)
        created = system.ago(days=231 - number, hours=number)
        booted = system.ago(days=rng.randint(20, 60), minutes=rng.randint(1, 900))
        node = Node(name, f"10.20.0.{10 + number}", created, booted)
        node.disk_used = [(system.ago(hours=3), rng.uniform(0.38, 0.52))]
        system.nodes[name] = node


def add_workload(system: System, workload: Workload) -> Workload:
    """A workload whose pods are up since its newest revision."""
    system.workloads[workload.name] = workload
    for _ in range(workload.replicas):
        start(place(system, workload, workload.newest, workload.newest.created))
    return workload


def releases(system: System, name: str, images: tuple[str, ...], template: Json) -> list[Revision]:
    """The revisions a workload has had, oldest first; the last is the one that runs."""
    rng = system.rng("releases", name)
    number, age = rng.randint(11, 40), rng.randint(70, 110)
    found: list[Revision] = []
    for image in images:
        age = max(age - rng.randint(24, 34), 4 + rng.randint(0, 9))
        created = system.ago(days=age, minutes=rng.randint(1, 1300))
        container = {**template["containers"][0], "image": image}
        body = {**template, "containers": [container]}
        found.append(Revision(number + len(found), created, body, system.suffix(10, name, image)))
    return found


def _images(name: str, version: str) -> tuple[str, ...]:
    major, minor, patch = (int(part) for part in version.split("."))
    before = (minor, patch - 1) if patch else (minor - 1, 4)
    earlier = (before[0], before[1] - 1) if before[1] else (before[0] - 1, 2)
    tags = (f"{major}.{earlier[0]}.{earlier[1]}", f"{major}.{before[0]}.{before[1]}", version)
    return tuple(f"{REGISTRY}/{name}:{tag}" for tag in tags)


def _addresses() -> dict[str, str]:
    own = {s.name: f"http://{s.name}.{s.namespace}:8080" for s in SERVICES}
    return own | {s.name: f"{s.name}.data:{s.port}" for s in STORES}


def _add_service(system: System, spec: ServiceSpec) -> None:
    template = service_template(spec, _addresses())
    revisions = releases(system, spec.name, _images(spec.name, spec.version), template)
    created = system.ago(days=211, hours=3)
    workload = Workload(
        "Deployment", spec.namespace, spec.name, created, spec.replicas, revisions, port=8080
    )
    workload.memory_mib, workload.speaks, workload.routes = spec.used_mib, spec.speaks, spec.routes
    workload.max_unavailable, workload.route_for = spec.max_unavailable, spec.route_for
    add_workload(system, workload)
    system.traffic[spec.name] = Traffic(
        spec.latency, 0.0003, dict(spec.calls), spec.entry_rate, spec.queue
    )


def _add_store(system: System, store: Store) -> None:
    template = store_template(store.name, store.image, store.port)
    created = system.ago(days=61, hours=5)
    revision = Revision(1, created, template, system.suffix(10, store.name))
    workload = Workload("StatefulSet", "data", store.name, created, 1, [revision], port=store.port)
    workload.memory_mib, workload.cpu_cores, workload.speaks = store.used_mib, 0.12, store.speaks
    workload.cpu_per_request = 0.0004
    add_workload(system, workload)
    usual = store.traffic
    system.traffic[store.name] = Traffic(usual.latency, usual.errors, connection=usual.connection)


def _add_cluster_parts(system: System) -> None:
    images = {
        "coredns": ("registry.k8s.io/coredns/coredns:v1.11.3", {"dns-tcp": 53, "metrics": 9153}, 2),
        "kube-proxy": ("registry.k8s.io/kube-proxy:v1.31.4", {"metrics": 10249}, 4),
        "ingress-controller": (
            "registry.k8s.io/ingress-nginx/controller:v1.12.1",
            {"http": 80, "https": 443},
            2,
        ),
    }
    for name, (image, ports, replicas) in images.items():
        namespace = "ingress" if name == "ingress-controller" else "kube-system"
        kind = "DaemonSet" if name == "kube-proxy" else "Deployment"
        created = system.ago(days=58, hours=2)
        template = cluster_template(name, image, ports)
        revision = Revision(3, created, template, system.suffix(10, name))
        workload = Workload(kind, namespace, name, created, replicas, [revision])
        workload.port = None if name == "kube-proxy" else next(iter(ports.values()))
        workload.speaks, workload.memory_mib = name, 60
        add_workload(system, workload)
    system.traffic["ingress-controller"] = Traffic(0.002, 0.0, {"portal": 1.0}, 34.0)
