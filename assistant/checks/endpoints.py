"""Services whose requests reach the wrong pods, not all of them, or none: endpoints, policies, addresses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from assistant.checks.case import Case, ready, unready_since
from assistant.checks.reading.objects.flows import declared_ports
from assistant.checks.reading.objects.targets import live, selected_pods
from assistant.checks.reading.objects.written import last_written
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Object, Snapshot, dig, listing, mapping, moment
from assistant.topology import selects

SETTLED = timedelta(minutes=1)
"""Endpoints follow the pods within seconds; what is out of step for longer stays so."""

CONTROLLER = Entity(kind="Component", name="kube-controller-manager", namespace="kube-system")

REFUSALS = {
    "SyncLoadBalancerFailed": "load_balancer_pending",
    "CreatingLoadBalancerFailed": "load_balancer_pending",
    "UpdateLoadBalancerFailed": "load_balancer_pending",
    "AllocationFailed": "load_balancer_pending",
    "PortAlreadyAllocated": "service_address_conflict",
    "ClusterIPAlreadyAllocated": "service_address_conflict",
    "PortOutOfRange": "service_address_conflict",
    "ClusterIPOutOfRange": "service_address_conflict",
}
"""Reasons of events about Services, of the cloud's controller, MetalLB and the allocators' repair."""


async def check(case: Case) -> list[Finding]:
    """What is wrong between a Service and pods that are there and well."""
    services = case.namespaced("Service")
    found = [finding for service in services for finding in _of_service(case, service)]
    found += await _out_of_step(case, services)
    return found


def _of_service(case: Case, service: Object) -> Iterator[Finding]:
    yield from _refused(case, service)
    pods = selected_pods(case.snapshot, service)
    if pods:
        yield from _foreign(case, service, pods)
        yield from _local_only(case, service, pods)
        yield from _published_unready(service, pods)


def _refused(case: Case, service: Object) -> Iterator[Finding]:
    """What a controller said it could not do for a Service, and did not do since."""
    for event in case.snapshot.events_of(service, *REFUSALS)[:1]:
        kind = REFUSALS[event.reason]
        given = listing(service.status, "loadBalancer", "ingress")
        if kind == "load_balancer_pending" and given and event.reason != "UpdateLoadBalancerFailed":
            continue
        yield Finding(
            kind=kind,
            entity=service.entity,
            statement=f"{service.entity}: {event.message}"[:400],
            citations=(event.cite(), *service.cite()),
            began=event.first,
            active=case.in_window(event.last),
            strength=0.9,
            details={"reason": event.reason},
        )


def _foreign(case: Case, service: Object, pods: list[Object]) -> Iterator[Finding]:
    """Pods of another application behind a Service: some of its requests go to the wrong place."""
    if service.spec.get("clusterIP") == "None":
        return  # a headless Service is a list of pods, often for metrics
    owners = {
        case.snapshot.owner(pod).entity: case.snapshot.owner(pod) for pod in pods if ready(pod)
    }
    own = [owner for owner in owners.values() if _is_own(service, owner)]
    for other in owners.values():
        if own and other not in own and (why := _stranger(case, service, own[0], other)):
            yield Finding(
                kind="service_selects_too_much",
                entity=service.entity,
                statement=f"{service.entity} sends requests to pods of {other.entity} as well as of "
                f"{own[0].entity}: {why}",
                citations=(*service.cite(), *other.cite()),
                began=last_written(service)
                if case.in_window(last_written(service))
                else other.created,
                strength=0.9,
                details={"foreign": other.name, "own": own[0].name},
                about=(own[0].entity,),
            )


def _is_own(service: Object, owner: Object) -> bool:
    return service.name == owner.name or service.name.startswith(f"{owner.name}-")


def _stranger(case: Case, service: Object, own: Object, other: Object) -> str:
    """Why another workload behind a Service does not belong there; empty where it may.

    Two releases of one program (canary, blue and green, leader and follower) share its image.
    """
    if _images(own) & _images(other):
        return ""
    targets = {str(dig(r, "targetPort") or dig(r, "port")) for r in listing(service.spec, "ports")}
    mine, theirs = _port_names(own), _port_names(other)
    if theirs and targets & mine and not targets & theirs:
        return f"those do not listen on {', '.join(sorted(targets & mine))}"
    labels = mapping(other.spec, "template", "metadata", "labels")
    for twin in case.snapshot.of("Service", service.namespace):
        selector = mapping(twin.spec, "selector")
        only = selects(selector, labels) and not selects(
            selector, mapping(own.spec, "template", "metadata", "labels")
        )
        if twin.name == other.name and only:
            return f"those run another image and have a Service of their own, {twin.name}"
    return ""


def _images(owner: Object) -> set[str]:
    """The images of a workload, without tag and digest."""
    names = [str(dig(row, "image") or "").partition("@")[0] for row in owner.containers()]
    return {name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name for name in names}


def _port_names(owner: Object) -> set[str]:
    return {
        text for name, number, _ in declared_ports(owner) for text in (name, str(number)) if text
    }


def _local_only(case: Case, service: Object, pods: list[Object]) -> Iterator[Finding]:
    """Callers on nodes without an endpoint, where traffic may not leave the node."""
    if service.spec.get("internalTrafficPolicy") != "Local":
        return
    served = {pod.spec.get("nodeName") for pod in pods if ready(pod)}
    cut: dict[Entity, set[str]] = {}
    for edge in case.topology.affects(service.entity):
        caller = case.snapshot.find(edge.target) if edge.relation == "called by" else None
        for pod in case.snapshot.pods_of(caller) if caller else ():
            node = str(pod.spec.get("nodeName") or "")
            if node and node not in served and live(pod):
                cut.setdefault(edge.target, set()).add(node)
    if served and cut:
        nodes = ", ".join(sorted({node for rows in cut.values() for node in rows}))
        yield Finding(
            kind="traffic_policy_local",
            entity=service.entity,
            statement=f"{service.entity} has internalTrafficPolicy Local and no ready pod on {nodes}, "
            f"from where {', '.join(map(str, cut))} calls it",
            citations=(*service.cite("Local"), *pods[0].cite()),
            began=last_written(service),
            strength=0.95,
            details={"nodes": nodes},
            about=tuple(cut),
        )


def _published_unready(service: Object, pods: list[Object]) -> Iterator[Finding]:
    """Unready pods that get requests all the same, since the Service says so."""
    ill = [pod for pod in pods if not ready(pod)]
    headless = service.spec.get("clusterIP") == "None"
    if service.spec.get("publishNotReadyAddresses") is True and ill and not headless:
        yield Finding(
            kind="unready_published",
            entity=service.entity,
            statement=f"{service.entity} sends requests to {len(ill)} pods that are not Ready, "
            "since it has publishNotReadyAddresses",
            citations=(*service.cite("publishNotReadyAddresses"), *ill[0].cite()),
            began=unready_since(ill[0]),
            strength=0.6,
            about=tuple(pod.entity for pod in ill[:5]),
        )


async def _out_of_step(case: Case, services: list[Object]) -> list[Finding]:
    """Services whose endpoints are not their ready pods. Asked only where pods look well."""
    suspects = [s for s in services if _looks_well(case, s)]
    found: list[Finding] = []
    for namespace in sorted({service.namespace for service in suspects}):
        if not all(ready(pod) for pod in case.snapshot.of("Pod", namespace) if live(pod)):
            continue
        arguments = {"kind": "EndpointSlice", "namespace": namespace, "view": "full", "limit": 500}
        answer = await case.ask(
            "kubernetes.list_resources", arguments, f"which pods get requests in {namespace}"
        )
        slices = Snapshot.made_of([answer])
        if answer.status.seen and slices.of("EndpointSlice"):
            rows = [service for service in suspects if service.namespace == namespace]
            found += [f for service in rows for f in _lag(case, service, slices, answer)]
    return found


def _looks_well(case: Case, service: Object) -> bool:
    return bool(selected_pods(case.snapshot, service)) and not service.spec.get("externalName")


def _lag(case: Case, service: Object, slices: Snapshot, answer: Evidence) -> Iterator[Finding]:
    mine = [
        row
        for row in slices.of("EndpointSlice", service.namespace)
        if row.labels.get("kubernetes.io/service-name") == service.name
    ]
    routed = {address for row in mine for address in _addresses_of(row)}
    pods = selected_pods(case.snapshot, service)
    missing = [pod for pod in pods if _settled(pod, answer) and not _addresses(pod) & routed]
    here = {address for pod in case.snapshot.of("Pod") for address in _addresses(pod)}
    stale = routed - here if case.snapshot.listed("Pod", service.namespace) else set()
    if not mine or not (missing or stale):
        return  # without any slice it is the selector's trouble, or the slices have another label
    words = [f"{pod.name} is Ready and gets no requests" for pod in missing[:1]]
    words += [f"{address} gets requests and belongs to no pod" for address in sorted(stale)[:1]]
    yield Finding(
        kind="endpoints_stale",
        entity=service.entity,
        statement=f"The endpoints of {service.entity} are not its ready pods: {'; '.join(words)}",
        citations=(*service.cite(), *mine[0].cite(), *(pod.cite()[0] for pod in missing[:1])),
        began=unready_since(missing[0]) if missing else None,
        strength=0.9,
        details={"missing": str(len(missing)), "stale": str(len(stale))},
        about=(CONTROLLER,),
    )


def _addresses_of(slice_: Object) -> Iterator[str]:
    for row in listing(slice_.raw, "endpoints"):
        if dig(row, "conditions", "ready") is not False:
            yield from map(str, listing(row, "addresses"))


def _addresses(pod: Object) -> set[str]:
    rows = [dig(row, "ip") for row in listing(pod.status, "podIPs")]
    return {str(address) for address in (pod.status.get("podIP"), *rows) if address}


def _settled(pod: Object, answer: Evidence) -> bool:
    """Whether a pod has been Ready for longer than endpoints take to follow."""
    since = moment(pod.condition("Ready").get("lastTransitionTime"))
    gates = listing(pod.spec, "readinessGates")
    return ready(pod) and not gates and since is not None and answer.taken_at - since > SETTLED
