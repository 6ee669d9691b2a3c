"""An object that a step names, and that is there: does the step apply, or is it done already?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from assistant.incident import StepState
from assistant.snapshot import Object, Snapshot, dig, listing, mapping, whole, word
from assistant.triage.steps.judgement import Judgement
from assistant.triage.steps.kubectl import Command
from assistant.triage.steps.slots import is_placeholder


@dataclass(frozen=True)
class _Asked:
    """An object that is there, and the command about it."""

    snapshot: Snapshot
    item: Object
    command: Command


_Said = Judgement | None
_POD_KINDS = frozenset({"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})


def of_present(snapshot: Snapshot, item: Object, command: Command | None) -> Judgement:
    """What a command means for an object that is there; without a command, that it is there."""
    judge = _JUDGES.get(command.verb) if command else None
    said = judge(_Asked(snapshot, item, command)) if judge and command else None
    return said or _applies(item, f"{item.entity} is there")


def _applies(item: Object, why: str, *quotes: object) -> Judgement:
    return Judgement(StepState.APPLIES, why, item.cite(item.name, *quotes))


def _done(item: Object, why: str, *quotes: object) -> Judgement:
    return Judgement(StepState.ALREADY_TRUE, why, item.cite(item.name, *quotes))


def _contradicted(item: Object, why: str, *, outdates: bool = False) -> Judgement:
    return Judgement(StepState.CONTRADICTED, why, item.cite(item.name), outdates=outdates)


def _scaled(asked: _Asked) -> _Said:
    item = asked.item
    wanted, have = asked.command.flags.get("--replicas", ""), str(item.spec.get("replicas", ""))
    if not wanted.isdigit():
        return None
    why = f"{item.entity} is set to {have} replicas{_autoscaled(asked.snapshot, item)}"
    return _done(item, why) if have == wanted else _applies(item, why)


def _autoscaled(snapshot: Snapshot, item: Object) -> str:
    """Who else sets the replicas of a workload."""
    for scaler in snapshot.of("HorizontalPodAutoscaler", item.namespace):
        target = mapping(scaler.spec, "scaleTargetRef")
        if (target.get("kind"), target.get("name")) == (item.kind, item.name):
            return f", and HorizontalPodAutoscaler {scaler.name} sets them too"
    return ""


def _cordoned(asked: _Asked) -> _Said:
    item = asked.item
    cordoned = bool(item.spec.get("unschedulable"))
    why = f"{item.entity} is {'' if cordoned else 'not '}cordoned"
    return _done(item, why) if cordoned == (asked.command.verb == "cordon") else _applies(item, why)


def _paused(asked: _Asked) -> _Said:
    item = asked.item
    paused = bool(item.spec.get("paused"))
    why = f"the rollout of {item.entity} is {'' if paused else 'not '}paused"
    wanted = asked.command.verb == "rollout pause"
    return _done(item, why) if paused == wanted else _applies(item, why)


def _rolled_out(asked: _Asked) -> _Said:
    item = asked.item
    wanted = item.spec.get("replicas")
    if item.kind != "Deployment" or not isinstance(wanted, int) or not item.status:
        return None
    updated = whole(item.status.get("updatedReplicas"))
    ready = whole(item.status.get("readyReplicas"))
    why = f"{item.entity} has {ready} of {wanted} pods ready, {updated} of the newest revision"
    there = min(updated, ready) >= wanted and whole(item.status.get("replicas")) <= wanted
    return _done(item, why) if there else _applies(item, why)


def _taken_back(asked: _Asked) -> _Said:
    """An undo needs a revision before this one; the first has none."""
    item, snapshot = asked.item, asked.snapshot
    rows = snapshot.of("ReplicaSet", item.namespace)
    owned = [row for row in rows if snapshot.owner(row) is item]
    if item.kind != "Deployment" or len(owned) != 1 or _revision(owned[0]) != "1":
        return None
    why = f"{item.entity} has had one revision only: there is none to go back to"
    return Judgement(StepState.CONTRADICTED, why, owned[0].cite(owned[0].name))


def _revision(item: Object) -> str:
    return word(dig(item.raw, "metadata", "annotations", "deployment.kubernetes.io/revision"))


def _inside(asked: _Asked) -> _Said:
    """Logs and shells: of a container that there is, and of a run before only after a restart."""
    item, command = asked.item, asked.command
    names = [word(row.get("name")) for row in (*item.containers(), *item.containers(init=True))]
    wanted = "" if is_placeholder(command.container) else command.container
    if wanted and names and item.kind in _POD_KINDS and wanted not in names:
        return _contradicted(item, f"{item.entity} has no container {wanted}", outdates=True)
    if item.kind == "Pod" and ("--previous" in command.flags or "-p" in command.flags):
        restarts = sum(
            whole(row.get("restartCount")) for row in listing(item.status, "containerStatuses")
        )
        if not restarts:
            return _contradicted(
                item, f"{item.entity} has not restarted: it has no log of a run before"
            )
    return None


def _imaged(asked: _Asked) -> _Said:
    """`set image` of containers that there are."""
    item = asked.item
    images = {word(row.get("name")): word(row.get("image")) for row in item.containers()}
    pairs = dict(part.split("=", 1) for part in asked.command.rest if "=" in part)
    strange = [name for name in pairs if name != "*" and name not in images]
    if strange and images:
        return _contradicted(item, f"{item.entity} has no container {strange[0]}", outdates=True)
    if pairs and all(images.get(name) == image for name, image in pairs.items()):
        return _done(item, f"{item.entity} runs that image", *pairs.values())
    return None


def _labelled(asked: _Asked) -> _Said:
    """`label node worker-3 key=value` and `key-`."""
    item, command = asked.item, asked.command
    labels: Mapping[str, object] = item.labels
    if command.verb == "annotate":
        labels = mapping(item.raw, "metadata", "annotations")
    terms = [term for term in command.rest if "=" in term or term.endswith("-")]
    if not terms:
        return None
    open_ = [term for term in terms if not _carried(labels, term)]
    why = f"{item.entity} {'is not so' if open_ else 'is so already'}: {(open_ or terms)[0]}"
    return _applies(item, why) if open_ else _done(item, why)


def _carried(labels: Mapping[str, object], term: str) -> bool:
    key, sign, value = term.partition("=")
    return labels.get(key) == value if sign else term.removesuffix("-") not in labels


def _tainted(asked: _Asked) -> _Said:
    """`taint nodes worker-1 key=value:Effect` and `key:Effect-`."""
    item = asked.item
    taints = [mapping(row) for row in listing(item.spec, "taints")]
    there = {f"{row.get('key')}={row.get('value') or ''}:{row.get('effect')}" for row in taints}
    plain = {f"{row.get('key')}:{row.get('effect')}" for row in taints} | {
        str(row.get("key")) for row in taints
    }
    for term in asked.command.rest[:1]:
        gone = term.endswith("-")
        has = term.removesuffix("-") in there | plain
        why = f"{item.entity} {'has' if has else 'has not'} the taint {term.removesuffix('-')}"
        return _done(item, why) if has != gone else _applies(item, why)
    return None


def _resourced(asked: _Asked) -> _Said:
    """`set resources --limits=memory=1Gi`."""
    item, command = asked.item, asked.command
    wanted = [
        (kind, *part.partition("=")[::2])
        for kind in ("limits", "requests")
        for part in command.flags.get(f"--{kind}", "").split(",")
        if "=" in part
    ]
    rows = [row for row in item.containers() if command.container in ("", word(row.get("name")))]
    if not wanted or not rows:
        return None
    done = all(
        dig(row, "resources", kind, key) == value for row in rows for kind, key, value in wanted
    )
    return _done(item, f"{item.entity} has these {wanted[0][0]}") if done else None


_JUDGES: Mapping[str, Callable[[_Asked], _Said]] = {
    "scale": _scaled,
    "cordon": _cordoned,
    "uncordon": _cordoned,
    "rollout pause": _paused,
    "rollout resume": _paused,
    "rollout status": _rolled_out,
    "rollout undo": _taken_back,
    "logs": _inside,
    "exec": _inside,
    "attach": _inside,
    "rsh": _inside,
    "set image": _imaged,
    "set resources": _resourced,
    "label": _labelled,
    "annotate": _labelled,
    "taint": _tainted,
}
