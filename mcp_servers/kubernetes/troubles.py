"""What is wrong with a pod, from its object alone: in words, or nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mcp_servers.kubernetes.fields import (
    Object,
    condition,
    metadata,
    number_at,
    object_at,
    objects_at,
    parsed_time,
    text_at,
    words,
)

# How long a pod may take to start before it counts as failing.
START_GRACE = timedelta(seconds=60)
# A restart longer ago than this, in a pod that is ready again, is history.
RECENT = timedelta(hours=1)
STUCK_AFTER = timedelta(minutes=2)
ORDINARY_WAITS = ("", "ContainerCreating", "PodInitializing")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a pod counts as failing."""

    reason: str
    message: str = ""


def trouble(pod: Object, now: datetime) -> Trouble | None:
    """The most telling thing that is wrong with a pod; None for one that is as it should be."""
    phase = text_at(pod, "status", "phase")
    if phase == "Succeeded":
        return None
    if metadata(pod).get("deletionTimestamp"):
        return _stuck_in_termination(pod, now)
    if phase == "Failed":
        return _failed(pod)
    if not phase:
        return Trouble("NoStatus", "the API server holds no status for this pod")
    if phase == "Unknown":
        return Trouble("Unknown", text_at(pod, "status", "message") or "its node does not report")
    found = _of_scheduling(pod) or _of_containers(pod)
    return found or _of_time(pod, now) or _of_restarts(pod, now)


def container_statuses(pod: Object) -> Iterator[tuple[Object, bool]]:
    """The status of each container, with whether it is an init container."""
    for status in objects_at(pod, "status", "initContainerStatuses"):
        yield status, True
    for status in objects_at(pod, "status", "containerStatuses"):
        yield status, False


def exit_words(terminated: Object) -> str:
    """`exit 137 (OOMKilled) at 2026-01-31T02:00:00Z`."""
    reason = text_at(terminated, "reason")
    why = f" ({reason})" if reason and reason != "Error" else ""
    when = text_at(terminated, "finishedAt")
    said = words(terminated.get("message"))
    return (
        f"exit {text_at(terminated, 'exitCode') or '?'}{why}"
        f"{' at ' + when if when else ''}{': ' + said if said else ''}"
    )


def _stuck_in_termination(pod: Object, now: datetime) -> Trouble | None:
    # The stamp is the moment at which the grace period ends, not the one of the request.
    due = parsed_time(metadata(pod).get("deletionTimestamp"))
    if due is None or now < due + STUCK_AFTER:
        return None
    finalizers = ", ".join(str(name) for name in metadata(pod).get("finalizers") or ())
    held = f"; finalizers: {finalizers}" if finalizers else ""
    return Trouble("StuckTerminating", f"should have been gone at {due.isoformat()}{held}")


def _failed(pod: Object) -> Trouble:
    reason = text_at(pod, "status", "reason")
    message = words(text_at(pod, "status", "message"))
    for status, _ in container_statuses(pod):
        ended = object_at(status, "state", "terminated")
        if ended and ended.get("exitCode") != 0:
            said = f"container {text_at(status, 'name')}: {exit_words(ended)}"
            return Trouble(reason or text_at(ended, "reason") or "Failed", message or said)
    return Trouble(reason or "Failed", message)


def _of_scheduling(pod: Object) -> Trouble | None:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and not text_at(pod, "spec", "nodeName"):
        reason = text_at(scheduled, "reason") or "Unschedulable"
        return Trouble(reason, words(scheduled.get("message")))
    return None


def _of_containers(pod: Object) -> Trouble | None:
    """A container that waits for something that went wrong, or that ended with an error."""
    for status, init in container_statuses(pod):
        prefix = "Init:" if init else ""
        waiting = object_at(status, "state", "waiting")
        reason = text_at(waiting, "reason")
        if waiting and reason not in ORDINARY_WAITS:
            return Trouble(prefix + reason, _waiting_words(status))
        ended = object_at(status, "state", "terminated")
        if ended and ended.get("exitCode") not in (0, None):
            said = f"container {text_at(status, 'name')}: {exit_words(ended)}"
            return Trouble(prefix + (text_at(ended, "reason") or "Error"), said)
    return None


def _waiting_words(status: Object) -> str:
    said = words(object_at(status, "state", "waiting").get("message"))
    ended = object_at(status, "lastState", "terminated")
    last = f"last run: {exit_words(ended)}" if ended else ""
    text = "; ".join(part for part in (said, last) if part)
    return f"container {text_at(status, 'name')}: {text}" if text else ""


def _of_time(pod: Object, now: datetime) -> Trouble | None:
    """A pod that has been starting, or not ready, for longer than a start takes."""
    if condition(pod, "Ready").get("status") == "True" or _all_done(pod):
        return None
    if not _long_unready(pod, now):
        return None
    if text_at(pod, "status", "phase") == "Pending":
        return _pending(pod)
    unready = [
        text_at(status, "name")
        for status, init in container_statuses(pod)
        if not init and not status.get("ready")
    ]
    if not unready and not condition(pod, "Ready"):
        return None
    since = text_at(condition(pod, "Ready"), "lastTransitionTime")
    message = f"containers not ready: {', '.join(unready) or 'a readiness gate is not met'}"
    return Trouble("NotReady", message + (f" since {since}" if since else ""))


def _all_done(pod: Object) -> bool:
    """Whether every container ended well, as those of a finished job do."""
    statuses = objects_at(pod, "status", "containerStatuses")
    ended = [object_at(status, "state", "terminated") for status in statuses]
    return bool(ended) and all(end.get("exitCode") == 0 for end in ended)


def _long_unready(pod: Object, now: datetime) -> bool:
    moments = (
        parsed_time(condition(pod, "Ready").get("lastTransitionTime")),
        parsed_time(metadata(pod).get("creationTimestamp")),
        parsed_time(object_at(pod, "status").get("startTime")),
    )
    since = next((moment for moment in moments if moment), None)
    return since is None or now - since > START_GRACE


def _pending(pod: Object) -> Trouble:
    if not text_at(pod, "spec", "nodeName") and not condition(pod, "PodScheduled"):
        return Trouble("Pending", "no node yet, and the scheduler has said nothing of it")
    inits = objects_at(pod, "status", "initContainerStatuses")
    for index, status in enumerate(inits):
        if object_at(status, "state", "terminated").get("exitCode") != 0:
            message = f"init container {text_at(status, 'name')} has not finished"
            return Trouble(f"Init:{index}/{len(inits)}", message)
    waits = [text_at(status, "state", "waiting", "reason") for status, _ in container_statuses(pod)]
    reason = next((wait for wait in waits if wait), "Pending")
    since = text_at(metadata(pod), "creationTimestamp")
    return Trouble(reason, f"has not started; created at {since}" if since else "has not started")


def _of_restarts(pod: Object, now: datetime) -> Trouble | None:
    for status, init in container_statuses(pod):
        ended = object_at(status, "lastState", "terminated")
        restarts = number_at(status, "restartCount")
        if init or not restarts or not _recent(status, now):
            continue
        # One clean end is a handover; an error, or a second end, is not.
        if ended.get("exitCode", 1) != 0 or restarts > 1:
            said = f"container {text_at(status, 'name')} restarted {restarts} times"
            last = f", last {exit_words(ended)}" if ended else ""
            reason = text_at(ended, "reason")
            return Trouble(reason if reason == "OOMKilled" else "Restarted", said + last)
    return None


def _recent(status: Object, now: datetime) -> bool:
    ended = object_at(status, "lastState", "terminated").get("finishedAt")
    again = object_at(status, "state", "running").get("startedAt")
    moment = parsed_time(ended) or parsed_time(again)
    return moment is not None and now - moment <= RECENT
