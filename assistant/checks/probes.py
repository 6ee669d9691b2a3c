"""Probes that fail: wrong port, protocol or timing told apart from an application that is ill."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from assistant.checks.case import Case, Container, containers, newest, ready
from assistant.incident import Finding
from assistant.snapshot import Event, Object, dig, listing, mapping, moment, whole
from assistant.topology import selects

_PROBE = re.compile(r"^(?P<probe>Liveness|Readiness|Startup) probe (failed|errored)", re.IGNORECASE)
_PORT = re.compile(r"(?:\d+\.\d+\.\d+\.\d+|\]):(\d+)")
_WRONG_PROTOCOL = re.compile(
    r"malformed HTTP|HTTP/1\.x transport connection broken|server gave HTTP response to HTTPS client"
    r"|error reading server preface|unknown service grpc|Unimplemented|frame too large"
    r"|tls: first record does not look like|http2: |EOF",
    re.IGNORECASE,
)


MESH_PATH = "/app-health/"
"""Istio rewrites an application's probes to its own agent's port, under this path."""


async def check(case: Case) -> list[Finding]:
    """One finding for each probe of each workload that fails now."""
    found: dict[tuple[str, str, str], Finding] = {}
    for pod, owner in case.pods():
        for container in containers(pod):
            for finding in _of_container(case, container, owner):
                found.setdefault((finding.kind, str(finding.entity), container.name), finding)
    return list(found.values())


def _of_container(case: Case, container: Container, owner: Object) -> Iterator[Finding]:
    pod = container.pod
    for name in ("liveness", "readiness", "startup"):
        probe = mapping(container.spec, f"{name}Probe")
        event = _failure(case, pod, name, probe)
        if not probe or not event or not _suffers(case, container, name):
            continue
        kind, why = _why(case, container, name, event)
        yield Finding(
            kind=kind,
            entity=owner.entity,
            statement=f"{owner.entity}: the {name} probe of {container.name} fails: {why}"[:400],
            citations=(event.cite(), *pod.cite(container.name)),
            began=event.first,
            strength=0.95 if kind.endswith(("port", "protocol")) else 0.7,
            details={"container": container.name, "probe": name, "port": str(probe_port(probe))},
            about=(pod.entity,),
        )


def _failure(case: Case, pod: Object, name: str, probe: Mapping[str, Any]) -> Event | None:
    """The last failure of this probe; one whose words name another port is another container's."""
    rows = case.snapshot.events_of(pod, "Unhealthy", "ProbeError")
    mine = [row for row in rows if (m := _PROBE.match(row.message)) and m["probe"].lower() == name]
    port = str(probe_port(probe))
    named = [(row, _PORT.findall(row.message)) for row in mine]
    return newest([row for row, ports in named if not ports or not port.isdigit() or port in ports])


def _suffers(case: Case, container: Container, name: str) -> bool:
    """Whether the failing probe still does harm: it keeps the pod unready or restarts it."""
    if name == "readiness":
        return not container.ready and bool(dig(container.status, "state", "running"))
    ended = moment(container.terminated.get("finishedAt"))
    restarted = container.restarts > 0 and (ended is None or case.in_window(ended))
    return restarted or not container.ready


def probe_port(probe: Mapping[str, Any]) -> int | str:
    """The port (number or name) that a probe asks; empty where it names none."""
    for way in ("httpGet", "tcpSocket", "grpc"):
        port = dig(probe, way, "port")
        if isinstance(port, int | str):
            return port
    return ""


def probe_way(probe: Mapping[str, Any]) -> str:
    """How a probe asks: httpGet, tcpSocket, grpc or exec."""
    return next((way for way in ("httpGet", "tcpSocket", "grpc", "exec") if probe.get(way)), "")


def _why(case: Case, container: Container, name: str, event: Event) -> tuple[str, str]:
    """(fault kind, explanation) of a failing probe."""
    probe = mapping(container.spec, f"{name}Probe")
    words, port = event.message, probe_port(probe)
    # kubelet's gRPC probe waits for a port that refuses it, and calls that "failed to connect".
    stems = ("connection refused", "connect:", "failed to connect service")
    refused = any(stem in words for stem in stems)
    if refused and port != "" and _elsewhere(case, container, name, port):
        have = ", ".join(str(number) for number in container.ports.values()) or "another port"
        return (
            f"{name}_probe_incorrect_port",
            f"it asks port {port}, the container listens on {have}",
        )
    if _other_way(container, name, probe) or _WRONG_PROTOCOL.search(words):
        return f"{name}_probe_incorrect_protocol", f"it asks by {probe_way(probe)}: {words}"
    if name != "readiness" and _too_soon(container, probe):
        allowed = _allowance(probe)
        return (
            f"{name}_probe_incorrect_timing",
            f"it gives the program {allowed:g} s to start: {words}",
        )
    return f"{name}_failing", words


def _elsewhere(case: Case, container: Container, name: str, port: object) -> bool:
    """Whether a probe asks a port that the container does not have, while another is in use.

    Ports need not be declared, so an undeclared one proves nothing by itself: a Service, or another
    probe of the container, must agree on a port that is.
    """
    if str(dig(container.spec, f"{name}Probe", "httpGet", "path")).startswith(MESH_PATH):
        return False
    others = [
        probe_port(mapping(container.spec, f"{other}Probe"))
        for other in ("liveness", "readiness", "startup")
        if other != name and container.spec.get(f"{other}Probe")
    ]
    if not container.ports:
        return bool(others) and port not in others and ready(container.pod)
    siblings = [number for one in containers(container.pod) for number in one.ports.values()]
    if port in siblings or str(port) in container.ports:
        return False
    own = [*container.ports, *container.ports.values()]
    return any(used in own for used in [*others, *_served(case, container.pod)])


def _served(case: Case, pod: Object) -> Iterator[int | str]:
    """The target ports of the Services that select a pod."""
    for service in case.snapshot.of("Service", pod.namespace):
        if selects(mapping(service.spec, "selector"), pod.labels):
            for row in listing(service.spec, "ports"):
                port = dig(row, "targetPort") or dig(row, "port")
                if isinstance(port, int | str):
                    yield port


def _other_way(container: Container, name: str, probe: Mapping[str, Any]) -> bool:
    """Whether another probe asks the same port in another way; one of the two must be wrong."""
    for other in ("liveness", "readiness", "startup"):
        twin = mapping(container.spec, f"{other}Probe")
        same_port = twin and probe_port(twin) == probe_port(probe)
        if other != name and same_port and probe_way(twin) != probe_way(probe):
            return True
    return False


def _allowance(probe: Mapping[str, Any]) -> float:
    """Seconds from start until kubelet gives a container up (Kubernetes' defaults where unset)."""
    period = whole(probe.get("periodSeconds")) or 10
    failures = whole(probe.get("failureThreshold")) or 3
    return float(whole(probe.get("initialDelaySeconds")) + period * failures)


def _too_soon(container: Container, probe: Mapping[str, Any]) -> bool:
    """Whether the program was never Ready before it was killed, and was given little time."""
    killed = dig(container.terminated, "exitCode") in (137, 143)
    short = _allowance(probe) <= 15  # noqa: PLR2004 - a JVM or a Python service needs 10 to 60 s
    return killed and short and not container.ready and not listing(container.spec, "startupProbe")
