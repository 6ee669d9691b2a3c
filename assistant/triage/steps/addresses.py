"""A curl or wget line held against the Services that were seen. No host is ever called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from assistant.incident import StepState
from assistant.snapshot import Object, listing, mapping
from assistant.triage.steps.judgement import Judgement, Live, unknown
from assistant.triage.steps.kubectl import simple_commands

PROGRAMS = frozenset({"curl", "wget"})
_HOST = re.compile(
    r"^(?P<name>[a-z0-9-]+)(?:\.(?P<namespace>[a-z0-9-]+))?(?P<svc>\.svc(?:\.[a-z0-9.-]+)?)?$"
)
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - it is only read
_WHOLE = re.compile(r"^\w+://\S+$")
_WRITES = re.compile(r"^(?:-X|--request=?|-d|--data\S*|-T|--upload-file|--post\S*|--method=?)")


def of_line(live: Live, line: str) -> Judgement | None:
    """What live state says of the requests in a line; None where it makes none."""
    for words in simple_commands(line):
        place = next((at for at, one in enumerate(words) if one in PROGRAMS), -1)
        if place >= 0:
            return _request(live, words[place + 1 :])
    return None


def writes(line: str) -> bool:
    """Whether a request may change something at its target."""
    return any(
        _WRITES.match(word)
        for words in simple_commands(line)
        if PROGRAMS.intersection(words)
        for word in words
    )


def _request(live: Live, words: Sequence[str]) -> Judgement:
    address = next(filter(None, map(_address, words)), None)
    if address is None:
        return unknown("it names no address that can be read")
    host = address.hostname or ""
    if host in _LOCAL:
        return unknown("it asks the machine it is typed on")
    match = _HOST.match(host)
    if not match:
        return unknown("no host outside the cluster is asked")
    return _service(live, match, _port(address))


def _address(text: str) -> SplitResult | None:
    """The address in a word: with a scheme, or a bare `name.namespace:port/path`."""
    given = (
        text
        if _WHOLE.match(text)
        else f"http://{text}"
        if re.match(r"^[a-z0-9.-]+(:\d+)?(/|$)", text)
        else ""
    )
    if not given or (given != text and "." not in text and ":" not in text):
        return None
    try:
        parts = urlsplit(given)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname else None


def _port(address: SplitResult) -> int:
    return int(address.port or (443 if address.scheme == "https" else 80))


def _service(live: Live, match: re.Match[str], port: int) -> Judgement:
    name, namespace = match["name"], match["namespace"] or ""
    there = {item.name for item in live.snapshot.of("Namespace")}
    if namespace and not match["svc"] and namespace not in there:
        return unknown("no host outside the cluster is asked")
    rows = [item for item in live.snapshot.of("Service", namespace or None) if item.name == name]
    if len(rows) == 1:
        return _of_service(live, rows[0], port)
    listed = live.snapshot.listing_of("Service", namespace)
    if rows or not listed or not match["svc"]:
        return unknown(f"which Service {name!r} it means cannot be told")
    why = f"there is no Service {namespace}/{name}" if namespace else f"there is no Service {name}"
    return Judgement(StepState.CONTRADICTED, why, (listed.cite_absence(),), outdates=True)


def _of_service(live: Live, service: Object, port: int) -> Judgement:
    ports = [mapping(row).get("port") for row in listing(service.spec, "ports")]
    said = service.cite(service.name)
    if ports and port not in ports:
        why = f"{service.entity} has no port {port}, it has {', '.join(map(str, ports))}"
        return Judgement(StepState.CONTRADICTED, why, said, outdates=True)
    ready = _ready_pods(live, service)
    behind = "" if ready is None else f" with {ready} ready pods behind it"
    return Judgement(
        StepState.APPLIES, f"{service.entity} is there{behind}; it was not called", said
    )


def _ready_pods(live: Live, service: Object) -> int | None:
    """How many ready pods it selects; None where it has no selector or pods were not read."""
    wanted = mapping(service.spec, "selector")
    if not wanted or not live.snapshot.listed("Pod", service.namespace):
        return None
    pods = live.snapshot.of("Pod", service.namespace)
    chosen = [pod for pod in pods if wanted.items() <= dict(pod.labels).items()]
    return len([pod for pod in chosen if pod.condition("Ready").get("status") == "True"])
