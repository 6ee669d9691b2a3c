"""A large cluster in memory, always the same: 5,000 pods and 10,000 events round one ordinary fault.

For the benchmark. Parts that many objects have alike are one object in memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from eval.lab import large_objects as make
from eval.lab.large_objects import AS_OF, DEPLOYED, HASHES, ago
from eval.lab.world import Json, LogName, World, rfc3339

NAMESPACE, WORKLOAD = "settlement", "ledger"
_REGISTRY = "registry.example.com"
_PODS_PER_WORKLOAD = 5
_WORKLOADS_PER_NAMESPACE = 20
_WORDS = ("catalog", "billing", "search", "profile", "export", "import", "notify", "quote")


def large_world(pods: int = 5000, events: int = 10_000, nodes: int = 100) -> World:
    """A world of that size whose incident is a rollout in one namespace."""
    fault = list(_incident_objects())
    objects = [
        *(make.node(number) for number in range(nodes)),
        *_bystanders(pods - sum(item["kind"] == "Pod" for item in fault), nodes),
        *fault,
    ]
    objects += _noise(objects, events - sum(item["kind"] == "Event" for item in objects))
    return World(
        id=f"large-{pods}",
        as_of=AS_OF,
        cluster="large",
        namespace=NAMESPACE,
        alert_id="PLARGE0000001",
        told=_TOLD,
        objects=objects,
        logs=_logs(),
        metrics=_metrics(),
        pager=_pager(),
    )


_TOLD = f"{NAMESPACE}/{WORKLOAD}: fewer ready replicas than wanted"


def _bystanders(pods: int, nodes: int) -> Iterator[Json]:
    """Healthy workloads, enough for so many pods."""
    made = 0
    for number in range(-(-pods // _PODS_PER_WORKLOAD)):
        team, word = number // _WORKLOADS_PER_NAMESPACE, _WORDS[number % len(_WORDS)]
        place = f"team-{team:02d}", f"{word}-{number % _WORKLOADS_PER_NAMESPACE:02d}"
        count = min(_PODS_PER_WORKLOAD, pods - made)
        yield from _workload(*place, count, first_node=made % nodes, nodes=nodes)
        made += count


def _workload(
    namespace: str, name: str, count: int, *, first_node: int, nodes: int
) -> Iterator[Json]:
    """A healthy Deployment with its ReplicaSet, Service and pods."""
    template = make.template(name, f"{_REGISTRY}/{namespace}/{name}:4.1.0")
    yield make.deployment(namespace, name, template, count, ready=count, revision=1)
    yield make.replica_set(namespace, name, template, count, ready=count, revision=1)
    yield make.service(namespace, name)
    spec = template["spec"]
    for index in range(count):
        node = make.node_name((first_node + index) % nodes)
        yield make.running(namespace, f"{name}-{HASHES[1]}-{index:05d}", spec, node)


_OLD, _NEW = (
    f"{_REGISTRY}/{NAMESPACE}/{WORKLOAD}:2.7.3",
    f"{_REGISTRY}/{NAMESPACE}/{WORKLOAD}:2.8.0",
)
_REFUSED = (
    f'Failed to pull image "{_NEW}": rpc error: code = NotFound desc = failed to pull and unpack '
    f'image "{_NEW}": failed to resolve reference "{_NEW}": {_NEW}: not found'
)


def _incident_objects() -> Iterator[Json]:
    """A rollout whose new pods do not start; the old ones still serve, one too few."""
    old, new = make.template(WORKLOAD, _OLD), make.template(WORKLOAD, _NEW)
    yield make.deployment(NAMESPACE, WORKLOAD, new, 3, ready=2, revision=2)
    yield make.replica_set(NAMESPACE, WORKLOAD, old, 2, ready=2, revision=1)
    yield make.replica_set(NAMESPACE, WORKLOAD, new, 2, ready=0, revision=2)
    yield make.service(NAMESPACE, WORKLOAD)
    for index in range(2):
        yield make.running(
            NAMESPACE, f"{WORKLOAD}-{HASHES[1]}-{index:05d}", old["spec"], make.node_name(index + 3)
        )
    for index in range(2):
        pod = _not_pulled(
            f"{WORKLOAD}-{HASHES[2]}-{index:05d}", new["spec"], make.node_name(index + 7)
        )
        yield pod
        yield make.event(pod, "Warning", "Failed", _REFUSED, 9, minutes=2)
        back_off = f'Back-off pulling image "{_NEW}"'
        yield make.event(pod, "Normal", "BackOff", back_off, 84, minutes=1)


def _not_pulled(name: str, spec: Json, node: str) -> Json:
    since = rfc3339(DEPLOYED)
    waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{_NEW}"'}
    container = {
        "name": "app",
        "image": _NEW,
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": waiting},
    }
    not_ready = {"status": "False", "reason": "ContainersNotReady", "lastTransitionTime": since}
    status = {
        "phase": "Pending",
        "startTime": since,
        "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": since},
            {"type": "Ready", **not_ready},
        ],
        "containerStatuses": [container],
    }
    return make.pod(NAMESPACE, name, spec, node, status, creationTimestamp=since)


_NOISE = (
    ("Normal", "Pulled", "Container image already present on machine"),
    ("Normal", "Started", "Started container app"),
    ("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
)


def _noise(objects: list[Json], count: int) -> Iterator[Json]:
    """Events of healthy pods, spread over the last fifty minutes."""
    pods = [
        item
        for item in objects
        if item["kind"] == "Pod" and item["metadata"]["namespace"] != NAMESPACE
    ]
    for number in range(count):
        type, reason, message = _NOISE[2 if number % 20 == 0 else number % 2]
        yield make.event(pods[number % len(pods)], type, reason, message, 1, minutes=number % 50)


def _logs() -> dict[LogName, bytes]:
    lines = b"".join(
        b'%s level=info msg="entry written" batch=%d\n' % (ago(seconds=600 - 5 * n).encode(), n)
        for n in range(120)
    )
    names = [f"{WORKLOAD}-{HASHES[1]}-{index:05d}" for index in range(2)]
    return {LogName(NAMESPACE, name, "app"): lines for name in names}


def _metrics() -> bytes:
    """An hour of what kube-state-metrics says of the incident's workload, a sample a minute."""
    labels = f'namespace="{NAMESPACE}",deployment="{WORKLOAD}"'
    now, deployed = int(AS_OF.timestamp()), int(DEPLOYED.timestamp())
    stamps = range(now - 3600, now + 1, 60)
    lines = ["# TYPE kube_deployment_status_replicas_available gauge"]
    lines += [
        f"kube_deployment_status_replicas_available{{{labels}}} {3 if t < deployed else 2} {t}"
        for t in stamps
    ]
    lines.append("# TYPE kube_deployment_spec_replicas gauge")
    lines += [f"kube_deployment_spec_replicas{{{labels}}} 3 {t}" for t in stamps]
    lines.append("# TYPE ALERTS gauge")
    alert = f'alertname="KubeDeploymentReplicasMismatch",alertstate="firing",{labels}'
    lines += [f"ALERTS{{{alert}}} 1 {t}" for t in stamps if t >= deployed + 900]
    return "\n".join([*lines, "# EOF\n"]).encode()


def _pager() -> Json:
    service = {"id": "PSVCLEDGER001", "type": "service_reference", "summary": WORKLOAD}
    policy = {"id": "PPOLICY000001", "type": "escalation_policy_reference", "summary": NAMESPACE}
    user = {"id": "PUSER00000001", "type": "user_reference", "summary": "Ines Varga"}
    created, summary = ago(minutes=9), f"[#5120] {_TOLD}"
    incident = {
        "id": "PLARGE0000001",
        "type": "incident",
        "summary": summary,
        "incident_number": 5120,
        "title": _TOLD,
        "created_at": created,
        "status": "triggered",
        "urgency": "high",
        "service": service,
        "escalation_policy": policy,
        "assignments": [{"at": created, "assignee": user}],
    }
    details = {"namespace": NAMESPACE, "deployment": WORKLOAD, "cluster": "large"}
    alert = {
        "id": "QLARGE0000001",
        "type": "alert",
        "summary": _TOLD,
        "created_at": created,
        "status": "triggered",
        "severity": "critical",
        "service": service,
        "incident": {"id": incident["id"], "type": "incident_reference", "summary": summary},
        "body": {"type": "alert_body", "details": details},
    }
    return {
        "incidents": [incident],
        "alerts": {incident["id"]: [alert]},
        "services": [{**service, "type": "service", "name": WORKLOAD, "escalation_policy": policy}],
        "oncalls": [{"escalation_policy": policy, "user": user, "escalation_level": 1}],
    }
