"""The workload tool: one object with all that it hangs together with, in one answer."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from pydantic import Field

from mcp_servers.answer import Answer, Status
from mcp_servers.kubernetes.arguments import KindName, Name, OneNamespace
from mcp_servers.kubernetes.client import Listing
from mcp_servers.kubernetes.fields import (
    Object,
    name_of,
    object_at,
    objects_at,
    text_at,
)
from mcp_servers.kubernetes.gathering import BlindSpots, Read, failed, side_by_side
from mcp_servers.kubernetes.kinds import BY_NAME, Kind
from mcp_servers.kubernetes.models import PodSummary, Row, Workload
from mcp_servers.kubernetes.pods import summary
from mcp_servers.kubernetes.reader import Reader
from mcp_servers.kubernetes.references import Reference, references
from mcp_servers.kubernetes.selectors import selector_text, selects
from mcp_servers.kubernetes.surroundings import (
    Addresses,
    autoscaler_row,
    budget_row,
    config_row,
    endpoint_addresses,
    scales,
    service_rows,
    slice_addresses,
    volume_rows,
)
from mcp_servers.kubernetes.trimming import trimmed
from mcp_servers.spec import Clock

SIDES = (
    "Service",
    "EndpointSlice",
    "PersistentVolumeClaim",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
)
MOST_OWNERS = 4


class Subject:
    """One object and its pod template, wherever its kind keeps that."""

    def __init__(self, kind: Kind, item: Object, namespace: str) -> None:
        self.kind = kind.name
        self.item = item
        self.name = name_of(item)
        self.namespace = namespace
        spec = object_at(item, "spec")
        if kind.name == "CronJob":
            spec = object_at(spec, "jobTemplate", "spec")
        template = item if kind.name == "Pod" else object_at(spec, "template")
        self.pod_spec = object_at(template, "spec")
        self.labels = object_at(template, "metadata", "labels")
        self.selector = object_at(spec, "selector")
        if kind.name == "Service":
            self.selector, self.labels = {"matchLabels": self.selector}, self.selector


class OneWorkload:
    """Tools about one workload and its surroundings."""

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    async def get_workload(
        self,
        namespace: OneNamespace,
        name: Name,
        kind: Annotated[
            KindName, Field(description="e.g. Deployment, Pod, CronJob")
        ] = "Deployment",
    ) -> Answer[Workload]:
        """One object with its owners, pods, services (ready addresses), ConfigMaps and Secrets it
        names (which exist, which keys are missing), volumes and claims, autoscalers and disruption
        budgets. Use it to see why one workload does not work. Secrets show key names only; it
        knows nothing of traffic or usage.
        """
        found = await self._reader.kinds.find(kind)
        subject = Subject(found, await self._reader.one(found, namespace, name), namespace)
        blind = BlindSpots()
        data = await self._surrounded(subject, blind)
        return Answer(
            status=Status.OK,
            data=data,
            total=1,
            reason=blind.reason,
            suggestions=blind.suggestions,
        )

    async def _surrounded(self, subject: Subject, blind: BlindSpots) -> Workload:
        """The object with everything round it, all read at the same time."""
        named = references(subject.pod_spec) if subject.pod_spec else []
        pods, owners, *others = await side_by_side(
            partial(self._pods, subject),
            partial(self._owners, subject.item, subject.namespace),
            *[partial(self._all, side, subject.namespace) for side in SIDES],
            *[self._config(reference, subject.namespace) for reference in named],
        )
        sides = dict(zip(SIDES, others[: len(SIDES)], strict=True))
        return Workload(
            workload=trimmed(subject.item),
            owners=blind.take("owners", owners, []),
            pods=blind.take("pods", pods, []),
            configs=_configs(named, others[len(SIDES) :], blind),
            **await self._sides(subject, sides, blind),
        )

    async def _sides(
        self, subject: Subject, sides: dict[str, Any], blind: BlindSpots
    ) -> dict[str, list[Row]]:
        """The rows of services, volumes, autoscalers and budgets."""
        listed = {kind: _items(kind, result, blind) for kind, result in sides.items()}
        addresses = await self._addresses(subject.namespace, listed["EndpointSlice"], blind)
        scalers = listed["HorizontalPodAutoscaler"] or []
        budgets = listed["PodDisruptionBudget"] or []
        return {
            "services": service_rows(
                listed["Service"] or [], addresses, subject.labels, subject.name
            ),
            "volumes": volume_rows(subject.item, subject.pod_spec, listed["PersistentVolumeClaim"]),
            "autoscalers": [
                autoscaler_row(one) for one in scalers if scales(one, subject.kind, subject.name)
            ],
            "budgets": [
                budget_row(one)
                for one in budgets
                if subject.labels and selects(object_at(one, "spec", "selector"), subject.labels)
            ],
        }

    async def _addresses(
        self, namespace: str, slices: list[Object] | None, blind: BlindSpots
    ) -> Addresses | None:
        if slices:
            return slice_addresses(slices)
        (result,) = await side_by_side(partial(self._all, "Endpoints", namespace))
        endpoints = _items("Endpoints", result, blind)
        return None if endpoints is None else endpoint_addresses(endpoints)

    async def _all(self, kind: str, namespace: str) -> Listing[Object]:
        return await self._reader.all(BY_NAME[kind], namespace, lambda item: item)

    async def _pods(self, subject: Subject) -> list[PodSummary]:
        now = self._clock()
        if subject.kind == "Pod":
            return [summary(subject.item, now)]
        if subject.kind == "CronJob":
            return await self._pods_of_cron_job(subject)
        selector = selector_text(subject.selector)
        if not selector:
            return []
        found = await self._reader.all(
            BY_NAME["Pod"],
            subject.namespace,
            partial(summary, now=now),
            {"labelSelector": selector},
        )
        return found.items

    async def _pods_of_cron_job(self, subject: Subject) -> list[PodSummary]:
        def mine(job: Object) -> str | None:
            owners = objects_at(job, "metadata", "ownerReferences")
            owned = any(owner.get("name") == subject.name for owner in owners)
            return f"Job {name_of(job)}" if owned else None

        jobs = set((await self._reader.all(BY_NAME["Job"], subject.namespace, mine)).items)
        now = self._clock()
        pods = await self._reader.all(BY_NAME["Pod"], subject.namespace, partial(summary, now=now))
        return [pod for pod in pods.items if pod.owner in jobs]

    async def _owners(self, item: Object, namespace: str) -> list[Row]:
        """The chain of owners, nearest first; one that is gone ends it."""
        chain: list[Row] = []
        owners = objects_at(item, "metadata", "ownerReferences")
        while owners and len(chain) < MOST_OWNERS:
            owner = next((one for one in owners if one.get("controller")), owners[0])
            kind, name = text_at(owner, "kind"), text_at(owner, "name")
            (found,) = await side_by_side(partial(self._owner, owner, namespace))
            row = {"kind": kind, "name": name, "exists": not failed(found)}
            chain.append({**row, "reason": found.reason} if failed(found) else row)
            owners = [] if failed(found) else objects_at(found, "metadata", "ownerReferences")
        return chain

    async def _owner(self, owner: Object, namespace: str) -> Object:
        group = text_at(owner, "apiVersion").rpartition("/")[0]
        kind = text_at(owner, "kind")
        found = await self._reader.kinds.find(f"{kind}.{group}" if group else kind)
        return await self._reader.one(found, namespace, text_at(owner, "name"))

    def _config(self, reference: Reference, namespace: str) -> Read:
        path = BY_NAME[reference.kind].path(namespace, reference.name)
        return partial(self._reader.cluster.get, path)


def _items(kind: str, result: Any, blind: BlindSpots) -> list[Object] | None:
    listing = blind.take(f"{kind}s", result, None)
    return listing.items if listing else None


def _configs(named: list[Reference], reads: list[Any], blind: BlindSpots) -> list[Row]:
    rows = [config_row(reference, read) for reference, read in zip(named, reads, strict=True)]
    for row, read in zip(rows, reads, strict=True):
        if row["exists"] is None:
            blind.take(f"{row['kind']} {row['name']}", read, None)
    return rows
