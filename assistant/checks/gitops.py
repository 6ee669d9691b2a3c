"""Argo CD and Flux: whether what should be applied was. Asked only where objects say that they are theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import anyio

from assistant.checks.case import Case, ready
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Object, dig, listing, mapping, moment, word

ARGO_TRACKING = "argocd.argoproj.io/tracking-id"
ARGO_INSTANCE = "argocd.argoproj.io/instance"
FLUX = {
    "kustomize.toolkit.fluxcd.io": ("Kustomization", "kustomizations.kustomize.toolkit.fluxcd.io"),
    "helm.toolkit.fluxcd.io": ("HelmRelease", "helmreleases.helm.toolkit.fluxcd.io"),
}
ASKED_FOR = "applications.argoproj.io"
FAILED = frozenset({"Failed", "Error"})
MOST_ASKED = 4
ALL_RUNS = 0.8


@dataclass(frozen=True)
class Source:
    """What an object says it comes from."""

    kind: str
    resource: str
    name: str
    namespace: str


async def check(case: Case) -> list[Finding]:
    """Applications, Kustomizations and HelmReleases behind the workloads in scope that fail."""
    made: dict[Source, list[Entity]] = {}
    for workload in case.workloads():
        for source in _sources(workload):
            made.setdefault(source, []).append(workload.entity)
    answers: dict[str, Evidence] = {}

    async def one(resource: str) -> None:
        arguments = {"kind": resource, "view": "full"}
        why = "whether what is in the repository was applied"
        answers[resource] = await case.ask("kubernetes.list_resources", arguments, why)

    async with anyio.create_task_group() as group:
        for resource in sorted({source.resource for source in made})[:MOST_ASKED]:
            group.start_soon(one, resource)
    return [
        finding
        for source, workloads in made.items()
        if source.resource in answers
        for finding in _failing(case, source, workloads, answers[source.resource])
    ]


def _sources(workload: Object) -> Iterator[Source]:
    annotations = mapping(workload.raw, "metadata", "annotations")
    tracked = word(annotations.get(ARGO_TRACKING)).partition(":")[0]
    name = tracked or word(
        workload.labels.get(ARGO_INSTANCE) or annotations.get(ARGO_INSTANCE) or ""
    )
    if name:
        yield Source("Application", ASKED_FOR, name.rpartition("_")[2], "")
    for prefix, (kind, resource) in FLUX.items():
        flux = word(workload.labels.get(f"{prefix}/name"))
        if flux:
            yield Source(kind, resource, flux, word(workload.labels.get(f"{prefix}/namespace")))


def _failing(
    case: Case, source: Source, workloads: list[Entity], answer: Evidence
) -> Iterator[Finding]:
    for raw in map(mapping, listing(answer.data, "items") if answer.status.seen else []):
        item = Object(raw=raw, evidence=answer, kind=source.kind)
        if item.name == source.name and source.namespace in ("", item.namespace):
            found = _argo(item) if source.kind == "Application" else _flux(item)
            if found:
                yield _finding(case, item, found, workloads)


@dataclass(frozen=True)
class _Failure:
    words: str
    since: str
    quotes: tuple[str, ...]


def _argo(item: Object) -> _Failure | None:
    """The last sync failed; to be out of sync alone is how a change waits for approval."""
    operation = mapping(item.status, "operationState")
    phase, told = word(operation.get("phase")), word(operation.get("message"))
    if phase in FAILED:
        return _Failure(
            f"its sync {phase}: {told}", word(operation.get("finishedAt")), (phase, told)
        )
    for condition in map(mapping, listing(item.status, "conditions")):
        kind, message = word(condition.get("type")), word(condition.get("message"))
        if kind.endswith("Error"):
            since = word(condition.get("lastTransitionTime"))
            return _Failure(f"{kind}: {message}", since, (kind, message))
    return None


def _flux(item: Object) -> _Failure | None:
    ready: Mapping[str, object] = item.condition("Ready")
    reason, told = word(ready.get("reason")), word(ready.get("message"))
    if ready.get("status") != "False" or dig(item.spec, "suspend"):
        return None
    since = word(ready.get("lastTransitionTime"))
    return _Failure(f"not Ready, {reason}: {told}", since, (reason, told))


def _finding(case: Case, item: Object, failure: _Failure, workloads: list[Entity]) -> Finding:
    held = [found for entity in workloads if (found := case.snapshot.find(entity))]
    hurt = any(not ready(pod) for workload in held for pod in case.snapshot.pods_of(workload))
    return Finding(
        kind="gitops_sync_failed",
        entity=item.entity,
        statement=f"{item.entity}: {failure.words}"[:400],
        citations=item.cite(item.name, *(quote for quote in failure.quotes if quote)),
        began=moment(failure.since),
        # While all that it made runs, it only means that nothing new arrives.
        strength=1.0 if hurt else ALL_RUNS,
        details={"message": failure.words[:200]},
        about=tuple(workloads[:10]),
    )
