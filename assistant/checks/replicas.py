"""Controllers that hold back: ordinals behind a broken one, nodes without their daemon, a pause."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.checks.case import Case, ready
from assistant.checks.reading.objects.placement import RULES
from assistant.checks.reading.objects.spoken import urgency
from assistant.incident import Entity, Finding
from assistant.snapshot import Object, dig, listing, mapping, whole
from assistant.topology import addresses

REVISION = "controller-revision-hash"
DEMANDS = ("node_selector_mismatch", "node_affinity_mismatch", "taint_toleration_mismatch")
DEFAULT_TOLERATIONS = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists"}
    for key in ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure",
                "unschedulable", "network-unavailable")
]  # fmt: skip
"""What the DaemonSet controller lets every one of its pods tolerate."""


async def check(case: Case) -> list[Finding]:
    """Workloads whose controller waits for something before it goes on."""
    found: list[Finding] = []
    for workload in case.workloads():
        if workload.kind == "StatefulSet":
            found += [*_ordinals(case, workload), *_no_headless(case, workload)]
        if workload.kind == "DaemonSet":
            found += _uncovered(case, workload)
        if workload.kind == "Deployment":
            found += _paused(case, workload)
    return found


def _ordinal(pod: Object) -> int:
    return whole(pod.name.rpartition("-")[2])


def _ordinals(case: Case, workload: Object) -> Iterator[Finding]:
    """OrderedReady goes no further than the first pod that is not Ready."""
    if workload.spec.get("podManagementPolicy") == "Parallel":
        return
    pods = sorted(case.snapshot.pods_of(workload), key=_ordinal)
    broken = next((pod for pod in pods if not ready(pod)), None)
    wanted = whole(workload.spec.get("replicas", 1))
    if not broken:
        return
    if _left_behind(workload, broken):
        yield _needs_hand(workload, broken)
    elif len(pods) < wanted:
        yield Finding(
            kind="statefulset_stuck",
            entity=workload.entity,
            statement=f"{workload.entity} has {len(pods)} of {wanted} pods: it makes the next one when "
            f"{broken.name} is Ready",
            citations=(*workload.cite(workload.name), *broken.cite()),
            began=broken.created,
            details={"pod": broken.name},
            about=(broken.entity,),
        )


def _left_behind(workload: Object, broken: Object) -> bool:
    """A broken pod of a revision that is no longer wanted; the controller waits for it to be Ready."""
    update, mine = workload.status.get("updateRevision"), broken.labels.get(REVISION)
    rolling = dig(workload.spec, "updateStrategy", "type") != "OnDelete"
    return bool(update and mine) and mine != update and rolling


def _needs_hand(workload: Object, broken: Object) -> Finding:
    update = str(workload.status.get("updateRevision"))
    return Finding(
        kind="statefulset_needs_pod_deleted",
        entity=workload.entity,
        statement=f"{workload.entity}: {broken.name} is of a revision that is no longer wanted and not Ready; "
        f"the controller replaces it by {update} only once it is Ready, or deleted by hand",
        citations=(*workload.cite(update), *broken.cite(str(broken.labels[REVISION]), broken.name)),
        began=broken.created,
        details={"pod": broken.name, "revision": update},
        about=(broken.entity,),
    )


def _no_headless(case: Case, workload: Object) -> Iterator[Finding]:
    """The Service that gives the pods their names is absent, and somebody uses such a name."""
    name = str(workload.spec.get("serviceName") or "")
    service = Entity(kind="Service", name=name, namespace=workload.namespace)
    listed = case.snapshot.listing_of("Service", workload.namespace)
    if not name or not listed or case.snapshot.find(service):
        return
    used = _uses(case, f"{workload.name}-0.{name}")
    if used:
        yield Finding(
            kind="headless_service_missing",
            entity=service,
            statement=f"{service} does not exist, so the names of {workload.entity}'s pods do not resolve; "
            f"{used[0].entity} uses {workload.name}-0.{name}",
            citations=(*workload.cite(name), listed.cite_absence(), *used[0].cite()),
            details={"workload": workload.name},
            about=(workload.entity, *(user.entity for user in used)),
        )


def _uses(case: Case, address: str) -> list[Object]:
    return [
        workload
        for workload in case.workloads()
        if any(address in text for text in addresses(case.snapshot, workload))
    ]


def _uncovered(case: Case, workload: Object) -> Iterator[Finding]:
    """A daemon that is not Ready on nodes it should run on; the nodes are named, with the reason."""
    wanted = whole(workload.status.get("desiredNumberScheduled"))
    well = whole(workload.status.get("numberAvailable") or workload.status.get("numberReady"))
    if well >= wanted:
        return
    pods = case.snapshot.pods_of(workload)
    ill = [str(pod.spec.get("nodeName") or "no node") for pod in pods if not ready(pod)]
    bare = _bare_nodes(case, workload, pods) if len(pods) < wanted else []
    where = f"; not Ready on {', '.join(sorted(ill))}" if ill else ""
    where += f"; no pod on {', '.join(bare)}" if bare else ""
    yield Finding(
        kind="daemonset_incomplete",
        entity=workload.entity,
        statement=f"{workload.entity} is available on {well} of {wanted} nodes{where}"[:400],
        citations=workload.cite(workload.name, wanted),
        details={"wanted": str(wanted), "available": str(well)},
        about=tuple(pod.entity for pod in pods if not ready(pod))[:3],
    )


def _bare_nodes(case: Case, workload: Object, pods: list[Object]) -> list[str]:
    """Nodes that its demands fit and that have no pod of it."""
    template = dict(workload.template)
    template["tolerations"] = [*listing(template, "tolerations"), *DEFAULT_TOLERATIONS]
    raw = {"metadata": {"name": workload.name, "namespace": workload.namespace}, "spec": template}
    model = Object(raw=raw, evidence=workload.evidence, kind="Pod")
    taken = {str(pod.spec.get("nodeName")) for pod in pods}
    rules = [rule for kind, rule in RULES if kind in DEMANDS]
    return [
        node.name
        for node in case.snapshot.of("Node")
        if node.name not in taken and not any(rule(case, model, node) for rule in rules)
    ]


def _paused(case: Case, workload: Object) -> Iterator[Finding]:
    """Paused with another image in its template than in its pods: a change that was never rolled out."""
    if workload.spec.get("paused") is not True:
        return
    wanted = {str(dig(c, "name")): str(dig(c, "image")) for c in workload.containers()}
    for pod in case.snapshot.pods_of(workload):
        have = {str(dig(c, "name")): str(dig(c, "image")) for c in map(mapping, pod.containers())}
        late = [
            f"{name} {have[name]} -> {image}"
            for name, image in wanted.items()
            if have.get(name, image) != image
        ]
        if late:
            yield Finding(
                kind="rollout_paused",
                entity=workload.entity,
                statement=f"{workload.entity} is paused; not rolled out: {', '.join(late)}",
                citations=(*workload.cite(workload.name), *pod.cite()),
                strength=urgency(case, "rollout", "version"),
                about=(pod.entity,),
            )
            return
