"""Pod logs: which text a kubelet would send for a request, and in which words it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from eval.lab.kubernetes.status import Refusal, bad_request, invalid_log_options
from eval.lab.world import LogName

_STAMPED = re.compile(rb"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?")
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")
_WAITING_WORDS = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True, slots=True)
class LogRequest:
    """What somebody asked of a pod's log."""

    container: str = ""
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: datetime | None = None


def read_request(pod: str, query: Mapping[str, str], now: datetime) -> LogRequest:
    """The request in a URL's parameters. Refuses what a real server refuses."""
    since_seconds, since_time = query.get("sinceSeconds"), query.get("sinceTime")
    if since_seconds and since_time:
        raise invalid_log_options(
            pod, "at most one of `sinceTime` or `sinceSeconds` may be specified"
        )
    since = _moment(since_time) if since_time else None
    if since_seconds:
        since = now - timedelta(seconds=_number(pod, query, "sinceSeconds", 1) or 0)
    return LogRequest(
        query.get("container", ""),
        query.get("previous") in ("true", "1"),
        query.get("timestamps") in ("true", "1"),
        _number(pod, query, "tailLines", 0),
        _number(pod, query, "limitBytes", 1),
        since,
    )


def _number(pod: str, query: Mapping[str, str], name: str, least: int) -> int | None:
    text = query.get(name)
    if not text:
        return None
    try:
        number = int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if number < least:
        bound = "greater than 0" if least else "greater than or equal to 0"
        raise invalid_log_options(pod, f"{name}: Invalid value: {number}: must be {bound}")
    return number


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_NANOSECONDS.sub(r"\1", text))
    except ValueError:
        raise bad_request(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00"') from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_log(
    pod: dict[str, Any], request: LogRequest, logs: Mapping[LogName, bytes | Path]
) -> bytes:
    """The text that a kubelet would send. Raises a Refusal in its words where there is none."""
    metadata, spec = pod["metadata"], pod.get("spec", {})
    container = request.container or _only_container(metadata["name"], spec)
    if container not in _names(spec, "containers", "initContainers", "ephemeralContainers"):
        raise bad_request(f"container {container} is not valid for pod {metadata['name']}")
    name = LogName(metadata.get("namespace", ""), metadata["name"], container, request.previous)
    recorded = logs.get(name)
    if recorded is None:
        if spec and not spec.get("nodeName"):
            return b""
        raise _absent(pod, container, previous=request.previous)
    text = recorded.read_bytes() if isinstance(recorded, Path) else recorded
    return _cut(text, request)


def _names(spec: dict[str, Any], *keys: str) -> list[str]:
    return [container["name"] for key in keys for container in spec.get(key) or []]


def _only_container(pod: str, spec: dict[str, Any]) -> str:
    names, first = _names(spec, "containers"), _names(spec, "initContainers")
    if len(names) == 1:
        return names[0]
    message = f"a container name must be specified for pod {pod}"
    if names:
        message += f", choose one of: [{' '.join(names)}]"
    if names and first:
        message += f" or one of the init containers: [{' '.join(first)}]"
    raise bad_request(message)


def _absent(pod: dict[str, Any], container: str, *, previous: bool) -> Refusal:
    """Why there is no log, from the container's state, in the kubelet's words."""
    subject = f'container "{container}" in pod "{pod["metadata"]["name"]}"'
    if previous:
        return bad_request(f"previous terminated {subject} not found")
    status = _container_status(pod, container)
    state = status.get("state") or {}
    if "waiting" in state and not (status.get("lastState") or {}).get("terminated"):
        reason = state["waiting"].get("reason", "")
        return bad_request(f"{subject} is waiting to start: {_WAITING_WORDS.get(reason, reason)}")
    if not status:
        return bad_request(f"{subject} is not available")
    # It ran, and the world holds no log of it: as after a rotation. Never an empty log, which
    # would say that it wrote nothing.
    address = status.get("containerID") or "containerd://unknown"
    return bad_request(f"unable to retrieve container logs for {address}")


def _container_status(pod: dict[str, Any], container: str) -> dict[str, Any]:
    status = pod.get("status") or {}
    for key in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for entry in status.get(key) or []:
            if entry.get("name") == container:
                return dict(entry)
    return {}


def _cut(text: bytes, request: LogRequest) -> bytes:
    lines: Iterable[bytes] = BytesIO(text)  # by newline alone: a bare CR is part of a line
    if request.since:
        lines = _after(lines, request.since)
    if request.tail_lines is not None:
        lines = list(lines)[-request.tail_lines :] if request.tail_lines else []
    if not request.timestamps:
        lines = (_STAMPED.sub(b"", line, count=1) for line in lines)
    answer = b"".join(lines)
    return answer if request.limit_bytes is None else answer[: request.limit_bytes]


def _after(lines: Iterable[bytes], since: datetime) -> list[bytes]:
    """The lines from a moment on; a line without a stamp belongs to the one before it."""
    kept, inside = [], False
    for line in lines:
        if match := _STAMPED.match(line):
            inside = _moment(match[1].decode()) >= since
        if inside:
            kept.append(line)
    return kept
