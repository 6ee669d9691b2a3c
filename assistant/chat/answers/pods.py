"""The pods of a workload, as the stored or live objects show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.chat.answers.asked import Asked
from assistant.incident import Entity, Evidence
from assistant.snapshot import dig, listing, mapping, moment, whole
from assistant.toolbox import Call


@dataclass(frozen=True)
class End:
    """How the run before this one ended."""

    container: str
    restarts: int
    reason: str = ""
    exit_code: int | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Pod:
    """One pod: whose it is, and how its containers fare."""

    name: str
    namespace: str
    owner: str
    waiting: str
    ends: tuple[End, ...]

    @property
    def restarts(self) -> int:
        """Of all its containers."""
        return sum(end.restarts for end in self.ends)

    def belongs_to(self, workload: Entity) -> bool:
        """Whether the workload, or one of its revisions, owns it."""
        revision = self.owner.rpartition("-")[0]
        same = workload.name in (self.owner, revision, self.name)
        return same and self.namespace == workload.namespace


async def pods_in(asked: Asked) -> tuple[list[Pod], Evidence]:
    """The pods of the place that is asked about, and what showed them."""
    place = {"namespace": asked.namespace} if asked.namespace else {}
    arguments = {"kind": "Pod", **place, "view": "full", "limit": 500}
    where = asked.namespace or "the cluster"
    call = Call("kubernetes.list_resources", arguments, f"the pods of {where}")
    answer = (await asked.seen.all([call]))[0]
    return [_pod(mapping(item)) for item in listing(answer.data, "items")], answer


def _pod(item: Mapping[str, Any]) -> Pod:
    owners = listing(item, "metadata", "ownerReferences")
    statuses = [mapping(row) for row in listing(item, "status", "containerStatuses")]
    waiting = (str(dig(row, "state", "waiting", "reason") or "") for row in statuses)
    return Pod(
        name=str(dig(item, "metadata", "name")),
        namespace=str(dig(item, "metadata", "namespace")),
        owner=str(dig(owners[0], "name")) if owners else "",
        waiting=next(filter(None, waiting), ""),
        ends=tuple(_ends(statuses)),
    )


def _ends(statuses: list[Mapping[str, Any]]) -> Iterator[End]:
    for row in statuses:
        last = mapping(row, "lastState", "terminated")
        yield End(
            container=str(row.get("name")),
            restarts=whole(row.get("restartCount")),
            reason=str(last.get("reason") or ""),
            exit_code=last.get("exitCode"),
            at=moment(last.get("finishedAt")),
        )
