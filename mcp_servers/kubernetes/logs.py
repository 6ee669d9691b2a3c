"""The log tool: the right container, error-looking lines apart, and no line too long to hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Annotated

from pydantic import Field

from mcp_servers.answer import Answer, Status, ToolFailure
from mcp_servers.kubernetes.arguments import OneNamespace, PodName, Time
from mcp_servers.kubernetes.fields import Object, asked_time, object_at, text_at
from mcp_servers.kubernetes.log_lines import Excerpt, excerpt
from mcp_servers.kubernetes.models import PodLogs
from mcp_servers.kubernetes.pods import POD
from mcp_servers.kubernetes.reader import Reader
from mcp_servers.kubernetes.refusals import Absent
from mcp_servers.kubernetes.troubles import ORDINARY_WAITS, container_statuses
from mcp_servers.moments import rfc3339

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
# Errors are looked for further back than the tail that is shown.
LINES_SEARCHED = 2_000
LINES_SEARCHED_BY_GREP = 20_000
MOST_BYTES = 128_000_000
REFUSED = "HTTP 400: "
# How a kubelet says that there is nothing to read; any other refusal means that it was not seen.
NO_LOG = re.compile(
    r"is waiting to start|is not available|is terminated|previous terminated .* not found"
)


ContainerName = Annotated[str, Field(description="empty: the one in trouble", max_length=63)]
Previous = Annotated[bool, Field(description="the run before this one")]
TailLines = Annotated[int, Field(ge=1, le=2000)]
Text = Annotated[str, Field(description="texts, in any case: refused|denied", max_length=200)]


class Logs:
    """Tools about logs."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get_pod_logs(  # noqa: PLR0913, PLR0917 - each argument is one way to narrow
        self,
        namespace: OneNamespace,
        pod: PodName,
        container: ContainerName = "",
        previous: Previous = False,  # noqa: FBT002
        tail_lines: TailLines = 200,
        since: Time = "",
        grep: Text = "",
    ) -> Answer[PodLogs]:
        """The log of one container: `errors` holds up to 20 error-looking lines, `lines` the tail,
        oldest first (`reason` says how many of how many). Use it for what a program itself said; in
        a crash loop with previous=true. It cannot search over several pods; a container that has
        not started has no log.
        """
        start = asked_time(since, "since")
        found = await self._reader.one(POD, namespace, pod)
        container = chosen(found, container, previous=previous)
        read = partial(excerpt, tail_lines=tail_lines, grep=grep)
        query = _query(container, start, max(tail_lines, _searched(grep)), previous=previous)
        lines = await self._read(found, container, read, query)
        data = PodLogs(
            namespace=namespace,
            pod=pod,
            container=container,
            previous=previous,
            errors=lines.errors,
            lines=lines.tail,
        )
        return _answer(data, lines, found, asked=query, grep=grep)

    async def _read(
        self,
        pod: Object,
        container: str,
        read: Callable[[Iterable[bytes]], Excerpt],
        query: dict[str, str],
    ) -> Excerpt:
        namespace, name = text_at(pod, "metadata", "namespace"), text_at(pod, "metadata", "name")
        path = f"{POD.path(namespace, name)}/log"
        try:
            return await self._reader.cluster.lines(path, read, query)
        except ToolFailure as failure:
            said = failure.reason.partition(REFUSED)[2]
            if not NO_LOG.search(said):
                raise
            raise Absent(*_nothing_to_read(pod, container, said, query)) from failure


def chosen(pod: Object, container: str, *, previous: bool) -> str:
    """The container to read: as asked, or the default, or the one in trouble, or the first."""
    names = [
        text_at(spec, "name")
        for field in ("containers", "initContainers")
        for spec in object_at(pod, "spec").get(field) or ()
    ]
    if container:
        if names and container not in names:
            raise Absent(
                f"pod {text_at(pod, 'metadata', 'name')!r} has no container {container!r}",
                (f"its containers: {', '.join(names)}",),
            )
        return container
    annotated = text_at(pod, "metadata", "annotations", DEFAULT_CONTAINER)
    if annotated in names:
        return annotated
    return _in_trouble(pod, previous=previous) or (names[0] if names else "")


def _in_trouble(pod: Object, *, previous: bool) -> str:
    """The container that most needs reading; of several the one with most restarts."""
    ranked = sorted(
        (_weight(status, init=init, previous=previous), text_at(status, "name"))
        for status, init in container_statuses(pod)
    )
    return ranked[-1][1] if ranked and ranked[-1][0] > (0, 0) else ""


def _weight(status: Object, *, init: bool, previous: bool) -> tuple[int, int]:
    restarts = status.get("restartCount") or 0
    ended = object_at(status, "state", "terminated")
    before = object_at(status, "lastState", "terminated")
    waits = text_at(status, "state", "waiting", "reason") not in ORDINARY_WAITS
    broken = waits or (bool(ended) and ended.get("exitCode") != 0)
    running_init = init and bool(object_at(status, "state", "running"))
    if previous:
        return (2 if before else 0, restarts)
    if init and not broken and not running_init:
        return (0, 0)
    return (3 if broken else 2 if before or running_init else 0, restarts)


def _searched(grep: str) -> int:
    return LINES_SEARCHED_BY_GREP if grep else LINES_SEARCHED


def _query(container: str, start: datetime | None, lines: int, *, previous: bool) -> dict[str, str]:
    return {
        "container": container,
        "previous": "true" if previous else "",
        "sinceTime": rfc3339(start) if start else "",
        "tailLines": str(lines),
        "timestamps": "true",
        "limitBytes": str(MOST_BYTES),
    }


def _answer(
    data: PodLogs, lines: Excerpt, pod: Object, *, asked: dict[str, str], grep: str
) -> Answer[PodLogs]:
    if not lines.tail:
        why = f"container {data.container!r} has written nothing"
        if lines.read:
            why = f"none of the {lines.read} lines read holds {grep!r}"
        reason, suggestions = _nothing_to_read(pod, data.container, why, asked)
        return Answer(
            status=Status.EMPTY, data=data, total=0, reason=reason, suggestions=list(suggestions)
        )
    cut = lines.matched > len(lines.tail)
    older = lines.read >= int(asked["tailLines"])
    reason = f"the newest {len(lines.tail)} of {lines.matched} lines are shown" if cut else ""
    if older:
        said = f"only the last {lines.read} lines were read; the log may go further back"
        reason = "; ".join(part for part in (reason, said) if part)
    return Answer(
        status=Status.OK, data=data, total=lines.read, truncated=cut or older, reason=reason
    )


def _nothing_to_read(
    pod: Object, container: str, said: str, query: dict[str, str]
) -> tuple[str, tuple[str, ...]]:
    status = next(
        (one for one, _ in container_statuses(pod) if text_at(one, "name") == container), {}
    )
    restarted = object_at(status, "lastState", "terminated")
    if query.get("previous"):
        return said, ("ask without previous: the container has not been restarted",)
    if restarted:
        return said, ("ask with previous=true: the container was restarted",)
    if query.get("sinceTime"):
        return said, ("ask with an earlier since",)
    return said, ()
