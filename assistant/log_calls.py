"""Calls that log lines tell: the address that an error speaks of, and what a database and its users both say.

Pure: it is built from evidence and asks nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from assistant.engines import served_engine
from assistant.incident import Edge, Entity, Evidence
from assistant.snapshot import Object, Snapshot, dig, listing

_ADDRESS = re.compile(
    r"(?:lookup|host name|ENOTFOUND|EAI_AGAIN|UnknownHostException:?|dial tcp(?:4)?|connect(?:ing)?\b(?: to)?(?! E[A-Z])"
    r"|ECONNREFUSED|\bupstream[=:]|://(?:[^/@\s]*@)?|host=)\s*[\"'(]?(?P<host>[a-zA-Z][\w.-]*[\w]|\d+\.\d+\.\d+\.\d+)"
    r"[\"')]?(?::(?P<port>\d+))?"
)
_HOST_PORT = re.compile(r"(?<![\w.-])(?P<host>[a-z][a-z0-9.-]*[a-z0-9]):(?P<port>\d{2,5})(?!\d)")
NOT_HOSTS = frozenset({"tcp", "to", "on", "udp", "timeout", "error", "connection", "host", "server", "the"})  # fmt: skip

_SHARED = re.compile(
    r"too many (?:connections|clients)|read[- ]only|max number of clients|maxmemory"
    r"|deadlock|no space left on device|shutting down|starting up",
    re.IGNORECASE,
)
"""What a database says to its users in the words that it logs itself."""


_SOURCE_FILE = re.compile(
    r"\.(?:java|kt|scala|py|go|rs|rb|js|ts|php|cs|cc|cpp|c|h|jar|json|ya?ml|conf)$"
)
"""How `Driver.java:188` ends, which is a place in a program."""


def address(text: str) -> tuple[str, str]:
    """The host and port that an error line speaks of; empty texts where it names none."""
    for match in _addresses(text):
        host = match["host"].lower()
        if host not in NOT_HOSTS and not _SOURCE_FILE.search(host):
            return match["host"], match["port"] or ""
    return "", ""


def _addresses(text: str) -> Iterator[re.Match[str]]:
    for pattern in (_ADDRESS, _HOST_PORT):
        yield from pattern.finditer(text)


def told_calls(snapshot: Snapshot, evidence: Iterable[Evidence]) -> Iterator[Edge]:
    """Calls that the logs which were read speak of: from what is called to who calls it."""
    logs = [(owner, item) for item in evidence if (owner := _speaker(snapshot, item))]
    for owner, item in logs:
        for text in _texts(item):
            called = _called(snapshot, owner, address(text)[0])
            if called:
                yield Edge(source=called, relation="called by", target=owner.entity)
    yield from _agreeing([(owner, _phrases(item)) for owner, item in logs])


def _speaker(snapshot: Snapshot, item: Evidence) -> Object | None:
    """The workload whose log this is."""
    if item.tool != "kubernetes.get_pod_logs" or not item.status.seen:
        return None
    namespace, name = (str(item.arguments.get(key) or "") for key in ("namespace", "pod"))
    pod = snapshot.get("Pod", namespace, name)
    return snapshot.owner(pod) if pod else None


def _texts(item: Evidence) -> Iterator[str]:
    """The lines that are about a connection; each kind of line once."""
    for row in listing(item.data, "errors"):
        yield str(dig(row, "text") or "")


def _called(snapshot: Snapshot, owner: Object, host: str) -> Entity | None:
    """The Service or workload that a host means to a pod of this workload, itself left out."""
    if not host:
        return None
    name, _, rest = host.partition(".")
    namespace = rest.split(".")[0] if rest and not rest[0].isdigit() else owner.namespace
    service = snapshot.get("Service", namespace, name)
    if service:
        return service.entity
    for service in snapshot.of("Service"):
        if host in (service.spec.get("clusterIP"), *listing(service.spec, "clusterIPs")):
            return service.entity
    behind = (snapshot.owner(pod) for pod in snapshot.of("Pod") if pod.status.get("podIP") == host)
    return next((one.entity for one in behind if one.entity != owner.entity), None)


def _phrases(item: Evidence) -> set[str]:
    rows = (*listing(item.data, "errors"), *listing(item.data, "lines"))
    texts = (str(dig(row, "text") or "") for row in rows)
    return {match[0].lower() for text in texts for match in _SHARED.finditer(text)}


def _agreeing(said: list[tuple[Object, set[str]]]) -> Iterator[Edge]:
    """A database, and those who repeat what it says of itself: they can only have it from there."""
    for server, phrases in said:
        if served_engine(server):
            for user, heard in said:
                if phrases & heard and not served_engine(user):
                    yield Edge(source=server.entity, relation="called by", target=user.entity)
