"""Probes that fail: wrong port, protocol or timing told apart from an application that is ill."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from assistant.checks.case import Case, Container, containers, newest, ready, unready_since
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

_NO_PORT = re.compile(r"find port|invalid syntax|unable to parse port", re.IGNORECASE)
_STATUS = re.compile(r"statuscode: (?P<code>\d{3})")
_NO_COMMAND = re.compile(
    r"executable file not found|no such file or directory|exec failed: .*permission denied",
    re.IGNORECASE,
)
_TIMEOUT = re.compile(r"deadline exceeded|timed? ?out|awaiting headers", re.IGNORECASE)
NEVER_READY = timedelta(minutes=2)
"""A pod that turned unready within this time of its creation was never Ready."""

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
            strength=0.7 if kind.endswith(("failing", "timing")) else 0.95,
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
        if _starting(case, container):
            return False
        return not container.ready and bool(dig(container.status, "state", "running"))
    ended = moment(container.terminated.get("finishedAt"))
    restarted = container.restarts > 0 and (ended is None or case.in_window(ended))
    return restarted or not container.ready


def _starting(case: Case, container: Container) -> bool:
    """Whether a first run is younger than its own probe gives it to become ready."""
    since = moment(dig(container.status, "state", "running", "startedAt"))
    given = timedelta(seconds=_allowance(mapping(container.spec, "readinessProbe")))
    young = since is not None and case.scope.window.end - since < given
    return young and not container.restarts


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
    words, port = event.message, probe_port(mapping(container.spec, f"{name}Probe"))
    # kubelet's gRPC probe waits for a port that refuses it, and calls that "failed to connect".
    stems = ("connection refused", "connect:", "failed to connect service")
    refused = any(stem in words for stem in stems)
    unnamed = (
        isinstance(port, str) and port and _NO_PORT.search(words) and not _named(container, port)
    )
    if unnamed or (refused and port != "" and _elsewhere(case, container, name, port)):
        have = ", ".join(_spelled(container.ports)) or "another port"
        asked = f"it asks port {port}, the container listens on {have}"
        return f"{name}_probe_incorrect_port", asked
    return (
        _wrong_question(container, name, words)
        or _wrong_time(container, name, words)
        or (f"{name}_failing", words)
    )


def _named(container: Container, port: str) -> bool:
    """Whether a port's name is one of the pod's."""
    return any(port in one.ports for one in containers(container.pod))


def _spelled(ports: Mapping[str, int]) -> list[str]:
    return [str(port) if name == str(port) else f"{port} ({name})" for name, port in ports.items()]


def _wrong_question(container: Container, name: str, words: str) -> tuple[str, str] | None:
    """A probe whose protocol, path or command is wrong: the program is there and answers otherwise."""
    probe = mapping(container.spec, f"{name}Probe")
    way, status = probe_way(probe), _STATUS.search(words)
    if way == "exec":
        bad = _NO_COMMAND.search(words)
        return (f"{name}_probe_bad_command", f"its command cannot be run: {words}") if bad else None
    plain_to_tls = status and status["code"] == "400" and _tls(container, probe)
    if plain_to_tls or _other_way(container, name, probe) or _WRONG_PROTOCOL.search(words):
        scheme = f" {dig(probe, way, 'scheme')}" if dig(probe, way, "scheme") else ""
        return f"{name}_probe_incorrect_protocol", f"it asks by {way}{scheme}: {words}"
    if status and _well_otherwise(container, name):
        path = dig(probe, way, "path") or "/"
        if status["code"] in ("404", "405", "410"):
            return f"{name}_probe_incorrect_path", f"{path} is answered with {status['code']}"
        if status["code"] in ("401", "403"):
            return f"{name}_probe_unauthorized", f"{path} is answered with {status['code']}"
    return None


def _tls(container: Container, probe: Mapping[str, Any]) -> bool:
    """Whether a probe asks in plain text a port that is named, or known, for TLS."""
    if str(dig(probe, "httpGet", "scheme") or "HTTP") != "HTTP":
        return False
    port = probe_port(probe)
    names = [name for name, number in container.ports.items() if port in (name, number)]
    return port in (443, 8443) or any("https" in name or "tls" in name for name in names)


def _well_otherwise(container: Container, name: str) -> bool:
    """Whether the program itself is not in doubt: another probe passes, or this one never did.

    One that passed with the same path before it failed has an application that is ill.
    """
    if name != "readiness" and container.ready and container.spec.get("readinessProbe"):
        return True
    turned, created = unready_since(container.pod), container.pod.created
    return bool(turned and created and turned - created < NEVER_READY)


def _wrong_time(container: Container, name: str, words: str) -> tuple[str, str] | None:
    """A probe that gives up before the program can have started, or can have answered."""
    probe = mapping(container.spec, f"{name}Probe")
    kind = f"{name}_probe_incorrect_timing"
    if name != "readiness" and _too_soon(container, probe):
        return kind, f"it gives the program {_allowance(probe):g} s to start: {words}"
    twin = mapping(container.spec, "readinessProbe")
    mine, its = whole(probe.get("timeoutSeconds")) or 1, whole(twin.get("timeoutSeconds")) or 1
    same = probe_way(probe) and dig(probe, probe_way(probe)) == dig(twin, probe_way(probe))
    late = _TIMEOUT.search(words) and name != "readiness"
    if late and same and container.ready and mine < its:
        return (
            kind,
            f"it waits {mine} s for an answer, the readiness probe waits {its} s and passes",
        )
    return None


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
