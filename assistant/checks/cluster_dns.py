"""The cluster's DNS itself: looked into where names fail for several, or where its pods are ill."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import anyio

from assistant.checks.case import Case, containers, ready
from assistant.checks.reading.logs.hearing import UNRESOLVED, unreached
from assistant.checks.reading.objects.lookups import dns_pods, dns_services, is_dns
from assistant.checks.reading.objects.written import last_written
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Object, Snapshot, dig, listing, mapping, moment, whole

DNS = Entity(kind="Component", name="coredns", namespace="kube-system")
SEVERAL = 2
"""From so many workloads that cannot resolve names on, it is not one workload's trouble."""

_BROKEN = re.compile(
    r"error during parsing|unknown directive|wrong argument count|plugin/\w+: .*(no such file|not found)"
    r"|Loop \(.*\) detected|Corefile:\d+|failed to list|is forbidden",
    re.IGNORECASE,
)
_UPSTREAM = re.compile(
    r"plugin/errors.*(i/o timeout|connection refused|unreachable|no route)|SERVFAIL.*forward",
    re.IGNORECASE,
)
_ZONE = re.compile(r"^\s*kubernetes\s+\S+", re.MULTILINE)
_FORWARD = re.compile(r"^\s*(forward|proxy)\s+\S+", re.MULTILINE)
_SHADOW = re.compile(
    r"^\s*(template\s+\S+\s+\S+[^\n]*\{[^}]*rcode\s+(NXDOMAIN|SERVFAIL|REFUSED)[^}]*\})",
    re.MULTILINE | re.DOTALL,
)


async def check(case: Case) -> list[Finding]:
    """Why names do not resolve in this cluster; asked only where something says they do not."""
    deaf = await _deaf(case)
    pods = dns_pods(case.snapshot)
    ill = [pod for pod in pods if _restarts_now(case, pod)]
    if len(deaf) < SEVERAL and not ill:
        return []
    answers = await _asked(case, pods)
    found = [
        *_configuration(case, answers["corefile"]),
        *_missing(answers["services"], answers["workloads"]),
        *_spoken(case, answers.get("log")),
    ]
    return [item.model_copy(update={"about": tuple(deaf[:5])}) for item in found]


async def _deaf(case: Case) -> list[Entity]:
    """The workloads whose logs say that names of Services that exist, or any, do not resolve."""
    heard = await unreached(case, UNRESOLVED)
    return [entity for entity, rows in heard.items() if any(r.kind == UNRESOLVED for r in rows)]


def _restarts_now(case: Case, pod: Object) -> bool:
    if not ready(pod):
        return True
    ended = [moment(dig(row.terminated, "finishedAt")) for row in containers(pod) if row.restarts]
    return any(case.in_window(at) for at in ended)


async def _asked(case: Case, pods: list[Object]) -> Mapping[str, Evidence]:
    answers: dict[str, Evidence] = {}
    listed = {"namespace": "kube-system", "view": "full", "limit": 500}
    questions: dict[str, tuple[str, Mapping[str, object]]] = {
        "corefile": ("kubernetes.list_resources", {**listed, "kind": "ConfigMap"}),
        "services": ("kubernetes.list_resources", {**listed, "kind": "Service"}),
        "workloads": ("kubernetes.list_resources", {**listed, "kind": "Deployment"}),
    }
    if pods:
        first = next((pod for pod in pods if not ready(pod)), pods[0])
        questions["log"] = (
            "kubernetes.get_pod_logs",
            {"namespace": "kube-system", "pod": first.name},
        )

    async def one(name: str, tool: str, arguments: Mapping[str, object]) -> None:
        answers[name] = await case.ask(tool, arguments, f"the cluster's DNS: its {name}")

    async with anyio.create_task_group() as group:
        for name, (tool, arguments) in questions.items():
            group.start_soon(one, name, tool, arguments)
    return answers


def _configuration(case: Case, answer: Evidence) -> Iterator[Finding]:
    """A Corefile that does not know the cluster's Services, or hides them."""
    for item in Snapshot.made_of([answer]).of("ConfigMap", "kube-system"):
        text = str(mapping(item.raw, "data").get("Corefile") or "")
        if not text or "node-local" in item.name:
            continue
        shadow = _SHADOW.search(text)
        if shadow and "." in shadow[1]:
            first = shadow[1].strip().splitlines()[0]
            yield _finding(case, item, f"answers {shadow[2]} by {first!r}", first.strip(" {"))
        elif not _ZONE.search(text):
            yield _finding(case, item, "has no kubernetes plugin: no Service has a name", "")
        elif not _FORWARD.search(text):
            yield _finding(case, item, "forwards nothing: names outside do not resolve", "", 0.7)


def _finding(case: Case, item: Object, words: str, quote: str, strength: float = 0.95) -> Finding:
    written = last_written(item)
    return Finding(
        kind="coredns_misconfigured",
        entity=DNS,
        statement=f"The Corefile in {item.entity} {words}",
        citations=item.cite(item.name, *([quote] if quote else [])),
        began=written if case.in_window(written) else None,
        strength=strength,
        details={"configmap": item.name},
    )


def _missing(services: Evidence, workloads: Evidence) -> Iterator[Finding]:
    """The DNS Service or its Deployment that is not there, or is switched off."""
    seen = Snapshot.made_of([services, workloads])
    if services.status.seen and seen.of("Service") and not dns_services(services):
        yield Finding(
            kind="dns_service_missing",
            entity=DNS,
            statement="No Service of kube-system answers for DNS (port 53)",
            citations=(services.cite_absence(),),
            strength=0.9,
        )
    for item in seen.of("Deployment"):
        if is_dns(item) and whole(item.spec.get("replicas", 1)) == 0:
            yield Finding(
                kind="coredns_unavailable",
                entity=DNS,
                statement=f"{item.entity} is scaled to nothing: no name resolves",
                citations=item.cite(item.name, "replicas"),
                began=last_written(item),
                details={"deployment": item.name},
            )


def _spoken(case: Case, log: Evidence | None) -> Iterator[Finding]:
    """What the DNS server says of itself."""
    rows = listing(log.data, "lines") if log and log.status.seen else []
    for kind, rule in (("coredns_misconfigured", _BROKEN), ("dns_upstream_unreachable", _UPSTREAM)):
        lines = [row for row in rows if rule.search(str(dig(row, "text") or ""))]
        recent = [row for row in lines if case.in_window(moment(dig(row, "time")))]
        if log and recent:
            text = str(dig(recent[-1], "text"))
            yield Finding(
                kind=kind,
                entity=DNS,
                statement=f"The cluster's DNS logs: {text[:300]}",
                citations=(log.cite(text),),
                began=moment(dig(recent[0], "time")),
                strength=0.9,
            )
