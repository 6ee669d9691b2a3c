"""Evidence -> graph of entities: who owns, selects, mounts, runs on and calls whom. Pure.

An edge points the way that trouble travels: from a Secret to the workload that needs it, from the
workload to the Service that selects it, from the Service to those who call it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from assistant.incident import Edge, Entity, Evidence
from assistant.log_calls import told_calls
from assistant.selectors import matches
from assistant.snapshot import Object, Snapshot, dig, listing, mapping, whole, word

TRAFFIC = ("called by", "serves", "routed by")
"""Relations along which requests go: what a reader wants to see beside the fault."""

ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")

MOST_ORDINALS = 100
"""Replicas of a StatefulSet whose claims are followed."""

GRAPH_METRIC = "traces_service_graph_request_total"
_HOST = re.compile(
    r"(?<![\w.-])([a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)((?:\.[a-z0-9-]+)*)(?::\d+)?(?![\w-])"
)

_HOST_AND_PORT = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}")


@dataclass(frozen=True)
class Topology:
    """The relations among entities, in the direction in which trouble travels."""

    edges: tuple[Edge, ...]

    @cached_property
    def _onward(self) -> Mapping[Entity, list[Edge]]:
        index: dict[Entity, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            index[edge.source].append(edge)
        return index

    @cached_property
    def _back(self) -> Mapping[Entity, list[Edge]]:
        index: dict[Entity, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            index[edge.target].append(edge)
        return index

    def affects(self, entity: Entity) -> list[Edge]:
        """The edges along which trouble of this entity travels first."""
        return list(self._onward.get(entity, []))

    def depends_on(self, entity: Entity) -> list[Edge]:
        """The edges along which trouble can reach this entity."""
        return list(self._back.get(entity, []))

    def reach(self, entity: Entity) -> dict[Entity, int]:
        """Everything that trouble of this entity can reach, with the number of steps to it."""
        distance = {entity: 0}
        frontier = [entity]
        while frontier:
            beyond: list[Entity] = []
            for here in frontier:
                for edge in self._onward.get(here, ()):
                    if edge.target not in distance:
                        distance[edge.target] = distance[here] + 1
                        beyond.append(edge.target)
            frontier = beyond
        return distance

    def path(self, source: Entity, target: Entity) -> tuple[Entity, ...]:
        """A shortest way that trouble takes from one entity to another; empty if there is none."""
        before: dict[Entity, Entity | None] = {source: None}
        frontier = [source]
        while frontier and target not in before:
            beyond: list[Entity] = []
            for here in frontier:
                for edge in self._onward.get(here, ()):
                    if edge.target not in before:
                        before[edge.target] = here
                        beyond.append(edge.target)
            frontier = beyond
        if target not in before:
            return ()
        way: list[Entity] = []
        step: Entity | None = target
        while step is not None:
            way.append(step)
            step = before[step]
        return tuple(reversed(way))

    def around(self, entities: Iterable[Entity], *, most: int = 18) -> tuple[Edge, ...]:
        """The edges among these entities, and the calls and Services next to them, for a drawing."""
        wanted = set(entities)
        inner = [e for e in self.edges if e.source in wanted and e.target in wanted]
        outer = [
            e
            for e in self.edges
            if (e.source in wanted) != (e.target in wanted) and e.relation in TRAFFIC
        ]
        return tuple(dict.fromkeys([*inner, *outer]))[:most]


def topology(snapshot: Snapshot, evidence: Iterable[Evidence] = ()) -> Topology:
    """The graph that objects and service-graph metrics show."""
    edges: dict[Edge, None] = {}
    for edge in _all_edges(snapshot, list(evidence)):
        if edge.source != edge.target:
            edges[edge] = None
    return Topology(edges=tuple(edges))


def _all_edges(snapshot: Snapshot, evidence: list[Evidence]) -> Iterator[Edge]:
    for workload in workloads(snapshot):
        yield from _needs(workload)
        yield from _places(snapshot, workload)
        yield from _calls(snapshot, workload)
    yield from _selections(snapshot)
    yield from _volumes(snapshot)
    yield from _ingresses(snapshot)
    yield from _certificates(snapshot)
    yield from _gateways(snapshot)
    yield from _policies(snapshot)
    yield from observed_calls(snapshot, evidence)
    yield from told_calls(snapshot, evidence)


def workloads(snapshot: Snapshot) -> list[Object]:
    """Everything that owns pods and is owned by nobody that was seen, and pods without an owner."""
    return list(snapshot.workloads)


def _needs(workload: Object) -> Iterator[Edge]:
    """Secrets, ConfigMaps, claims and the ServiceAccount that a pod spec refers to."""
    for kind, name, _key, _optional in references(workload.template):
        needed = Entity(kind=kind, name=name, namespace=workload.namespace)
        yield Edge(source=needed, relation="needed by", target=workload.entity)
    for claim in listing(workload.spec, "volumeClaimTemplates"):
        name = str(dig(claim, "metadata", "name"))
        for ordinal in range(min(whole(workload.spec.get("replicas")), MOST_ORDINALS)):
            needed = Entity(
                kind="PersistentVolumeClaim",
                name=f"{name}-{workload.name}-{ordinal}",
                namespace=workload.namespace,
            )
            yield Edge(source=needed, relation="needed by", target=workload.entity)


def references(template: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """What a pod spec refers to: (kind, name, key or "", optional)."""
    account = template.get("serviceAccountName")
    if account:
        yield "ServiceAccount", str(account), "", False
    for secret in listing(template, "imagePullSecrets"):
        yield "Secret", str(dig(secret, "name") or ""), "", True
    for container in [*listing(template, "initContainers"), *listing(template, "containers")]:
        yield from _environment_references(mapping(container))
    for volume in listing(template, "volumes"):
        yield from _volume_references(mapping(volume))


def _environment_references(container: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    for entry in listing(container, "env"):
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            found = mapping(entry, "valueFrom", field)
            if found:
                key, optional = str(found.get("key") or ""), bool(found.get("optional"))
                yield kind, str(found.get("name") or ""), key, optional
    for entry in listing(container, "envFrom"):
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            found = mapping(entry, field)
            if found:
                yield kind, str(found.get("name") or ""), "", bool(found.get("optional"))


def _volume_references(volume: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    sources = [volume, *listing(volume, "projected", "sources")]
    for source in sources:
        for field, kind, name_key in (
            ("secret", "Secret", "secretName"),
            ("configMap", "ConfigMap", "name"),
        ):
            found = mapping(source, field)
            name = str(found.get(name_key) or found.get("name") or "")
            if name:
                optional = bool(found.get("optional"))
                keys = [str(dig(item, "key") or "") for item in listing(found, "items")]
                for key in keys or [""]:
                    yield kind, name, key, optional
    claim = dig(volume, "persistentVolumeClaim", "claimName")
    if claim:
        yield "PersistentVolumeClaim", str(claim), "", False


def _places(snapshot: Snapshot, workload: Object) -> Iterator[Edge]:
    for pod in snapshot.pods_of(workload) or ([workload] if workload.kind == "Pod" else []):
        node = pod.spec.get("nodeName")
        if node:
            yield Edge(
                source=Entity(kind="Node", name=str(node)), relation="runs", target=workload.entity
            )


def _calls(snapshot: Snapshot, workload: Object) -> Iterator[Edge]:
    """Calls told by addresses in the environment, the arguments and the mounted ConfigMaps."""
    names = {service.name for service in snapshot.of("Service")}
    for text in addresses(snapshot, workload):
        for service in hosts(text, workload.namespace):
            if service.name in names and snapshot.find(service):
                yield Edge(source=service, relation="called by", target=workload.entity)


def addresses(snapshot: Snapshot, workload: Object) -> Iterator[str]:
    """Every text of a workload's configuration in which an address may stand."""
    for container in workload.containers():
        for entry in listing(container, "env"):
            if isinstance(dig(entry, "value"), str):
                yield str(dig(entry, "value"))
        for part in [*listing(container, "command"), *listing(container, "args")]:
            yield str(part)
    for kind, name, _key, _optional in references(workload.template):
        config = kind == "ConfigMap" and snapshot.get(kind, workload.namespace, name)
        if config:
            yield from (str(value) for value in mapping(config.raw, "data").values())


def hosts(text: str, namespace: str) -> Iterator[Entity]:
    """The Services that host names in a text would mean to a pod of `namespace`."""
    for match in _HOST.finditer(text[:20_000]):
        name, rest = match.group(1), match.group(2).strip(".").split(".")
        yield Entity(kind="Service", name=name, namespace=rest[0] or namespace)


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a plain (equality) selector matches these labels; an empty one matches nothing."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _selections(snapshot: Snapshot) -> Iterator[Edge]:
    homes = _labelled(snapshot)
    for service in snapshot.of("Service"):
        selector = mapping(service.spec, "selector")
        for workload, labels in homes.get(service.namespace, ()):
            if selects(selector, labels):
                yield Edge(source=workload.entity, relation="serves", target=service.entity)


def _labelled(snapshot: Snapshot) -> Mapping[str, list[tuple[Object, Mapping[str, Any]]]]:
    """The workloads of each namespace, each with the labels of its pods."""
    homes: dict[str, list[tuple[Object, Mapping[str, Any]]]] = defaultdict(list)
    for workload in workloads(snapshot):
        homes[workload.namespace].append((workload, _pod_labels(workload)))
    return homes


def _pod_labels(workload: Object) -> Mapping[str, Any]:
    """The labels that the pods of a workload carry."""
    if workload.kind == "Pod":
        return workload.labels
    spec = mapping(workload.spec, "jobTemplate", "spec") or workload.spec
    return mapping(spec, "template", "metadata", "labels")


def _volumes(snapshot: Snapshot) -> Iterator[Edge]:
    for claim in snapshot.of("PersistentVolumeClaim"):
        volume = claim.spec.get("volumeName")
        if volume:
            source = Entity(kind="PersistentVolume", name=str(volume))
            yield Edge(source=source, relation="bound to", target=claim.entity)
        storage_class = claim.spec.get("storageClassName")
        if storage_class:
            source = Entity(kind="StorageClass", name=str(storage_class))
            yield Edge(source=source, relation="provides", target=claim.entity)


def _ingresses(snapshot: Snapshot) -> Iterator[Edge]:
    for ingress in snapshot.of("Ingress"):
        for name in ingress_backends(ingress):
            service = Entity(kind="Service", name=name, namespace=ingress.namespace)
            yield Edge(source=service, relation="routed by", target=ingress.entity)
        for row in listing(ingress.spec, "tls"):
            yield from _secret_of(ingress, dig(row, "secretName"))


def _secret_of(entrance: Object, name: object) -> Iterator[Edge]:
    """The Secret that an entrance shows its certificate from, in its own namespace."""
    if word(name):
        secret = Entity(kind="Secret", name=word(name), namespace=entrance.namespace)
        yield Edge(source=secret, relation="needed by", target=entrance.entity)


def _certificates(snapshot: Snapshot) -> Iterator[Edge]:
    """The Secrets that cert-manager keeps for its Certificates, where those were read."""
    for item in snapshot.of("Certificate"):
        if word(item.spec.get("secretName")):
            secret = Entity(
                kind="Secret", name=word(item.spec["secretName"]), namespace=item.namespace
            )
            yield Edge(source=item.entity, relation="issues", target=secret)


def _gateways(snapshot: Snapshot) -> Iterator[Edge]:
    """From Services over routes to Gateways, and from Secrets to Gateways, where those were read."""
    for route in (item for kind in ROUTES for item in snapshot.of(kind)):
        for rule in listing(route.spec, "rules"):
            for backend in _meant(route, listing(rule, "backendRefs"), "Service"):
                yield Edge(source=backend, relation="routed by", target=route.entity)
        for parent in _meant(route, listing(route.spec, "parentRefs"), "Gateway"):
            yield Edge(source=route.entity, relation="routed by", target=parent)
    for gateway in snapshot.of("Gateway"):
        for listener in listing(gateway.spec, "listeners"):
            for ref in listing(listener, "tls", "certificateRefs"):
                yield from _secret_of(gateway, dig(ref, "name"))


def _meant(referrer: Object, references: list[Any], kind: str) -> Iterator[Entity]:
    """What references of the Gateway API name; kind and namespace may be left out."""
    for ref in map(mapping, references):
        if word(ref.get("name")):
            namespace = word(ref.get("namespace")) or referrer.namespace
            yield Entity(kind=word(ref.get("kind")) or kind, name=ref["name"], namespace=namespace)


def ingress_backends(ingress: Object) -> list[str]:
    """The names of the Services that an Ingress routes to."""
    found = [dig(ingress.spec, "defaultBackend", "service", "name")]
    for rule in listing(ingress.spec, "rules"):
        found += [
            dig(path, "backend", "service", "name") for path in listing(rule, "http", "paths")
        ]
    return [name for name in dict.fromkeys(map(word, found)) if name]


def _policies(snapshot: Snapshot) -> Iterator[Edge]:
    homes = _labelled(snapshot)
    for policy in snapshot.of("NetworkPolicy"):
        selector = mapping(policy.spec, "podSelector")
        for workload, labels in homes.get(policy.namespace, ()):
            if matches(selector, labels):
                yield Edge(source=policy.entity, relation="guards", target=workload.entity)


def observed_calls(snapshot: Snapshot, evidence: Iterable[Evidence]) -> Iterator[Edge]:
    """Calls that metrics show: the server's trouble reaches the client."""
    for item in evidence:
        if item.tool.startswith("prometheus."):
            rows = [mapping(row, "labels") for row in listing(item.data, "series")]
            for row in (*rows, *map(mapping, listing(item.data, "calls"))):
                if row.get("client") and row.get("server"):
                    yield Edge(
                        source=called(snapshot, str(row["server"])),
                        relation="called by",
                        target=called(snapshot, str(row["client"])),
                    )


def called(snapshot: Snapshot, name: str) -> Entity:
    """The entity that a metric's service name means: a workload, a Service, or a name alone.

    A client may know it by a host name or by an address, with a port.
    """
    host = name.partition(":")[0] if _HOST_AND_PORT.fullmatch(name) else name
    short, _, rest = host.partition(".")
    there = rest.partition(".")[0]
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "Service"):
        for item in snapshot.of(kind):
            inside = kind == "Service" and item.name == short and item.namespace == there
            at = kind == "Service" and item.spec.get("clusterIP") == host
            if item.name == host or inside or at:
                return item.entity
    return Entity(kind="Service", name=name)
