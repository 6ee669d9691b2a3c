"""A runbook's steps, each held against what was seen: does it apply, is it done, is it out of date?"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.incident import Citation, RunbookStep, StepState
from assistant.snapshot import Object, Snapshot
from assistant.triage.desk import Desk

MOST_STEPS = 12
_ITEM = re.compile(r"^\s*(?:\d+[.)]|[-*])\s+(?P<text>.+)")
_FENCE = re.compile(r"^\s*(```|~~~)\s*(?P<language>\w*)")
_INLINE = re.compile(r"`(kubectl [^`]+)`")
_PLACEHOLDER = re.compile(r"[<$\{]|\bPOD\b|\bNAME\b|\.\.\.|…")

KINDS = {
    "pod": "Pod", "po": "Pod", "deployment": "Deployment", "deploy": "Deployment", "statefulset": "StatefulSet",
    "sts": "StatefulSet", "daemonset": "DaemonSet", "ds": "DaemonSet", "service": "Service", "svc": "Service",
    "configmap": "ConfigMap", "cm": "ConfigMap", "secret": "Secret", "node": "Node", "no": "Node",
    "pvc": "PersistentVolumeClaim", "persistentvolumeclaim": "PersistentVolumeClaim", "pv": "PersistentVolume",
    "ingress": "Ingress", "ing": "Ingress", "replicaset": "ReplicaSet", "rs": "ReplicaSet",
    "networkpolicy": "NetworkPolicy", "netpol": "NetworkPolicy", "resourcequota": "ResourceQuota",
    "quota": "ResourceQuota", "serviceaccount": "ServiceAccount", "sa": "ServiceAccount",
}  # fmt: skip
NODE_VERBS = frozenset({"cordon", "uncordon", "drain"})
CLUSTER_WIDE = frozenset({"Node", "PersistentVolume"})
TAKES_VALUE = frozenset({"-n", "--namespace", "-l", "--selector", "-o", "--output", "-c", "--container",
                         "--tail", "--since", "--context", "-f", "--filename", "-p", "--patch"})  # fmt: skip


@dataclass(frozen=True)
class Command:
    """A kubectl line, as far as it can be read."""

    verb: str
    namespace: str
    kind: str
    name: str
    replicas: str


def steps(text: str) -> Iterator[tuple[str, str]]:
    """(step, language) of a section: list items as prose, lines of code blocks with their language."""
    language: str | None = None
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if fence:
            language = None if language is not None else (fence["language"].lower() or "text")
        elif language is not None:
            if line.strip() and not line.strip().startswith("#"):
                yield line.strip().removeprefix("$ "), language
        elif item := _ITEM.match(line):
            yield item["text"].strip(), ""


async def held(desk: Desk, snapshot: Snapshot, text: str, at: str) -> tuple[RunbookStep, ...]:
    """The steps of a section with what live state says of each."""
    rows: list[RunbookStep] = []
    for step, language in steps(text):
        inline = _INLINE.search(step)
        line = inline.group(1) if inline else step
        if line.startswith("kubectl "):
            rows.append(_kubectl(snapshot, step, line))
        elif language == "promql":
            rows.append(await _promql(desk, step, at))
        else:
            rows.append(
                RunbookStep(text=step, state=StepState.UNKNOWN, why="for a person to judge")
            )
    return tuple(rows[:MOST_STEPS])


def parse(line: str) -> Command | None:
    """A kubectl line; None where it cannot be read."""
    try:
        words = shlex.split(line.partition("|")[0])[1:]
    except ValueError:
        return None
    flags, plain = _flags(words)
    if not plain:
        return None
    verb, rest = plain[0], plain[1:]
    if verb in ("rollout", "set") and rest:
        verb, rest = f"{verb} {rest[0]}", rest[1:]
    namespace = flags.get("-n") or flags.get("--namespace") or ""
    kind, name = _object(verb, rest)
    return Command(verb, namespace, kind, name, flags.get("--replicas", ""))


def _flags(words: list[str]) -> tuple[dict[str, str], list[str]]:
    flags: dict[str, str] = {}
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--":
            break
        if not word.startswith("-"):
            plain.append(word)
        elif "=" in word:
            key, _, value = word.partition("=")
            flags[key] = value
        else:
            flags[word] = next(rest, "") if word in TAKES_VALUE else ""
    return flags, plain


def _object(verb: str, rest: list[str]) -> tuple[str, str]:
    if not rest:
        return "", ""
    if "/" in rest[0]:
        kind, _, name = rest[0].partition("/")
        return KINDS.get(
            kind.lower().rstrip("s") if kind.lower() not in KINDS else kind.lower(), ""
        ), name
    if verb in NODE_VERBS:
        return "Node", rest[0]
    if verb in ("logs", "exec"):
        return "Pod", rest[0]
    word = rest[0].lower()
    kind = KINDS.get(word) or KINDS.get(word.removesuffix("s"), "")
    return kind, rest[1] if len(rest) > 1 else ""


def _kubectl(snapshot: Snapshot, step: str, line: str) -> RunbookStep:
    command = parse(line)
    if command is None or not command.kind or not command.name or _PLACEHOLDER.search(command.name):
        gone = command and _namespace_gone(snapshot, command)
        return gone or RunbookStep(
            text=step, state=StepState.UNKNOWN, why="it names no object that can be looked up"
        )
    gone = _namespace_gone(snapshot, command)
    if gone:
        return gone.model_copy(update={"text": step})
    return _of_object(snapshot, step, command)


def _namespace_gone(snapshot: Snapshot, command: Command) -> RunbookStep | None:
    listed = snapshot.listing_of("Namespace")
    there = {item.name for item in snapshot.of("Namespace")}
    name = command.namespace
    if not name or not listed or name in there or _PLACEHOLDER.search(name):
        return None
    return _step(
        name, StepState.CONTRADICTED, f"there is no namespace {name}", (listed.cite_absence(),)
    )


def _step(text: str, state: StepState, why: str, said: tuple[Citation, ...] = ()) -> RunbookStep:
    return RunbookStep(text=text, state=state, why=why, citations=said)


def _of_object(snapshot: Snapshot, step: str, command: Command) -> RunbookStep:
    namespace = "" if command.kind in CLUSTER_WIDE else command.namespace
    item = snapshot.get(command.kind, namespace, command.name) or _anywhere(snapshot, command)
    if item:
        return _of_present(step, command, item)
    listed = snapshot.listing_of(command.kind, namespace)
    if not listed or not snapshot.listed(command.kind, namespace):
        return _step(
            step,
            StepState.UNKNOWN,
            f"{command.kind} objects of {namespace or 'the cluster'} were not read",
        )
    place = f"{namespace}/" if namespace else ""
    why = f"there is no {command.kind} {place}{command.name}"
    return _step(step, StepState.CONTRADICTED, why, (listed.cite_absence(),))


def _anywhere(snapshot: Snapshot, command: Command) -> Object | None:
    """An object of that name in any namespace that was read, for a line that names no namespace."""
    if command.namespace:
        return None
    return next((item for item in snapshot.of(command.kind) if item.name == command.name), None)


def _of_present(step: str, command: Command, item: Object) -> RunbookStep:
    said = item.cite(item.name)
    if command.verb == "scale" and command.replicas.isdigit():
        have = str(item.spec.get("replicas", ""))
        done = have == command.replicas
        why = f"{item.entity} is set to {have} replicas"
        return _step(step, StepState.ALREADY_TRUE if done else StepState.APPLIES, why, said)
    if command.verb in ("cordon", "uncordon"):
        cordoned = bool(item.spec.get("unschedulable"))
        done = cordoned == (command.verb == "cordon")
        why = f"{item.entity} is {'' if cordoned else 'not '}cordoned"
        return _step(step, StepState.ALREADY_TRUE if done else StepState.APPLIES, why, said)
    return _step(step, StepState.APPLIES, f"{item.entity} is there", said)


async def _promql(desk: Desk, step: str, at: str) -> RunbookStep:
    if _PLACEHOLDER.search(step.replace("{", "").replace("}", "")):
        return _step(step, StepState.UNKNOWN, "it has a placeholder to fill in")
    answer = await desk.toolbox.call(
        "prometheus.query", {"query": step, "time": at}, reason="a step of the runbook"
    )
    if not answer.status.seen:
        return _step(step, StepState.UNKNOWN, f"it could not be asked: {answer.reason}"[:200])
    series = (answer.data or {}).get("series") or []
    if not series:
        return _step(
            step,
            StepState.UNKNOWN,
            "the query returns nothing at that time",
            (answer.cite_absence(),),
        )
    value = series[0].get("value")
    return _step(
        step,
        StepState.APPLIES,
        f"it returns {len(series)} series, the first {value}",
        (answer.cite_absence(),),
    )
