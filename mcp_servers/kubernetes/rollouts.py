"""The rollout tool: the revisions of a workload, and what changed from each to the next."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from mcp_servers.answer import Answer, Status
from mcp_servers.kubernetes.arguments import Name, OneNamespace
from mcp_servers.kubernetes.changes import changes
from mcp_servers.kubernetes.fields import (
    Object,
    metadata,
    name_of,
    number_at,
    object_at,
    objects_at,
    text_at,
    words,
)
from mcp_servers.kubernetes.kinds import BY_NAME
from mcp_servers.kubernetes.models import Rollouts, Row
from mcp_servers.kubernetes.reader import Reader
from mcp_servers.kubernetes.refusals import Absent
from mcp_servers.kubernetes.selectors import selector_text
from mcp_servers.kubernetes.workloads import images

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
RolloutKind = Literal["Deployment", "StatefulSet", "DaemonSet"]


class RolloutHistory:
    """Tools about what was rolled out."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get_rollout_history(
        self,
        namespace: OneNamespace,
        name: Name,
        kind: RolloutKind = "Deployment",
        limit: Annotated[int, Field(ge=1, le=50)] = 5,
    ) -> Answer[Rollouts]:
        """What changed: the revisions of a workload, newest first, each with `changes` against the
        one before ({path, before, after}, e.g. containers[checkout].env[DB_HOST]): image, env,
        command, resources, probes, config references. Use it when trouble began suddenly. It cannot
        see changes inside a ConfigMap or Secret.
        """
        workload = await self._reader.one(BY_NAME[kind], namespace, name)
        revisions = await self._revisions(kind, namespace, workload)
        revisions.sort(key=lambda one: (one["revision"], one["created_at"]), reverse=True)
        rows = _compared(revisions)[:limit]
        unrolled = _not_rolled_out(kind, workload, revisions)
        return Answer(
            status=Status.OK if rows else Status.EMPTY,
            data=Rollouts(workload=f"{kind} {namespace}/{name}", revisions=rows),
            total=len(revisions),
            truncated=len(revisions) > len(rows),
            reason=unrolled if rows else f"{kind} {name!r} has no revision that is still kept",
        )

    async def _revisions(self, kind: str, namespace: str, workload: Object) -> list[Row]:
        recorder = BY_NAME["ReplicaSet" if kind == "Deployment" else "ControllerRevision"]
        selector = selector_text(object_at(workload, "spec", "selector"))
        keep = partial(_revision, workload)
        try:
            found = await self._reader.all(recorder, namespace, keep, {"labelSelector": selector})
        except Absent:
            return []
        return found.items


def _revision(workload: Object, recorded: Object) -> Row | None:
    """A ReplicaSet or ControllerRevision of this workload as one revision; None for a stranger's."""
    if not _owned(recorded, workload):
        return None
    if "revision" in recorded:
        template = object_at(recorded, "data", "spec", "template")
        row: Row = {"revision": number_at(recorded, "revision"), **_counts(workload, recorded)}
    else:
        template = object_at(recorded, "spec", "template")
        stamped = text_at(recorded, "metadata", "annotations", REVISION)
        row = {
            "revision": int(stamped) if stamped.isdecimal() else 0,
            "replicas": number_at(recorded, "spec", "replicas"),
            "ready": number_at(recorded, "status", "readyReplicas"),
        }
    cause = text_at(recorded, "metadata", "annotations", CHANGE_CAUSE)
    return {
        **row,
        "name": name_of(recorded),
        "created_at": text_at(metadata(recorded), "creationTimestamp"),
        "images": images({"spec": {"template": template}}),
        "change_cause": words(cause),
        "template": template,
    }


def _owned(recorded: Object, workload: Object) -> bool:
    owner = metadata(workload)
    return any(
        reference.get("uid") == owner.get("uid")
        if reference.get("uid") and owner.get("uid")
        else reference.get("name") == owner.get("name")
        for reference in objects_at(recorded, "metadata", "ownerReferences")
    )


def _counts(workload: Object, recorded: Object) -> dict[str, int | None]:
    """How many pods run a controller revision; only a StatefulSet counts that itself."""
    status = object_at(workload, "status")
    if name_of(recorded) == status.get("updateRevision"):
        return {"replicas": number_at(status, "updatedReplicas"), "ready": None}
    if name_of(recorded) == status.get("currentRevision"):
        return {"replicas": number_at(status, "currentReplicas"), "ready": None}
    return {"replicas": None, "ready": None}


def _compared(revisions: list[Row]) -> list[Row]:
    """The rows with what each changed against the one before it; the oldest changed nothing."""
    rows = []
    for row, older in zip(revisions, [*revisions[1:], None], strict=False):
        shown: dict[str, Any] = {key: row[key] for key in row if key != "template"}
        shown["changes"] = changes(older["template"], row["template"]) if older else []
        rows.append(shown)
    return rows


def _not_rolled_out(kind: str, workload: Object, revisions: list[Row]) -> str:
    """What was written into a Deployment and has no revision yet (paused, or refused)."""
    if kind != "Deployment" or not revisions:
        return ""
    template = object_at(workload, "spec", "template")
    waiting = changes(revisions[0]["template"], template)
    if not waiting:
        return ""
    paused = " (it is paused)" if object_at(workload, "spec").get("paused") else ""
    paths = ", ".join(change["path"] for change in waiting[:5])
    return f"the Deployment was changed but not rolled out{paused}: {paths}"
