"""A runbook's steps, each held against what was seen: does it apply, is it done, is it out of date?"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from assistant.incident import Citation, Entity, RunbookStep, StepState
from assistant.snapshot import Object, Snapshot
from assistant.triage.desk import RUNBOOK_STEP, Desk

MOST_STEPS = 12
_ITEM = re.compile(r"^\s*(?P<mark>\d+[.)]|[-*])\s+(?P<text>.+)")
_FENCE = re.compile(r"^\s*(```|~~~)\s*(?P<language>\w*)")
_INLINE = re.compile(r"`(kubectl [^`]+)`")
_SLOT = re.compile(
    r"<(?P<angle>[a-z_ -]+)>|\$\{?(?P<shell>[A-Za-z_]+)\}?|(?<![\w-])(?P<word>[A-Z][A-Z0-9_]+)(?![\w-])"
)
"""How runbooks write what the reader has to fill in. Kubernetes names have no capital letters."""

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
                         "--tail", "--since", "--context", "-f", "--filename", "-p", "--patch", "--replicas",
                         "--to-revision", "--timeout", "--type", "--field-selector", "--sort-by", "--limits",
                         "--requests", "--grace-period", "--kubeconfig", "--as"})  # fmt: skip
MAKES_NEW = frozenset({"create", "apply", "run", "expose"})


@dataclass(frozen=True)
class Command:
    """A kubectl line, as far as it can be read."""

    verb: str
    namespace: str
    kind: str
    name: str
    replicas: str


@dataclass
class Step:
    """One step as it is written: its words, and the commands and queries that belong to it."""

    words: str = ""
    commands: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The step in one line or more."""
        return "\n".join(part for part in (self.words, *self.commands, *self.queries) if part)


def steps(text: str) -> Iterator[Step]:
    """The steps of a runbook: list items with what stands under them, and commands on their own.

    A bullet without a command describes (a symptom, a caveat) and is no step.
    """
    step, language, block = Step(), "", list[str]()
    numbered = False
    for line in text.splitlines():
        fence, item = _FENCE.match(line), _ITEM.match(line)
        if fence:
            if language:
                _add_block(step, language, block)
            language, block = ("", []) if language else (fence["language"].lower() or "sh", [])
        elif language:
            block.append(line.strip())
        elif item or line.startswith("#"):
            if numbered or step.commands or step.queries:
                yield step
            step = Step(item["text"].strip() if item else "")
            step.commands += _INLINE.findall(step.words)
            numbered = bool(item and item["mark"][0].isdigit())
    if numbered or step.commands or step.queries:
        yield step


def _add_block(step: Step, language: str, block: list[str]) -> None:
    if language == "promql":
        step.queries.append(" ".join(line for line in block if line and not line.startswith("#")))
        return
    lines = [line.removeprefix("$ ") for line in block]
    step.commands += [line for line in lines if line.startswith("kubectl ")]


def filled(line: str, slots: Mapping[str, str]) -> str:
    """A line with the slots that this incident can fill in."""

    def fill(match: re.Match[str]) -> str:
        name = (match["angle"] or match["shell"] or match["word"]).strip().lower()
        return slots.get(name.replace(" ", "_").replace("-", "_")) or match.group()

    return _SLOT.sub(fill, line)


def slots(cause: Entity, workload: Entity | None) -> dict[str, str]:
    """What can be filled in once the thing at fault, and the workload that suffers, are known."""
    own = {"name": cause.name, cause.kind.lower(): cause.name}
    if cause.kind in ("ConfigMap", "Secret"):
        own["config"] = cause.name
    if workload:
        names = ("service", "server", "deployment", "workload", "app", workload.kind.lower())
        own |= dict.fromkeys(names, workload.name)
    namespace = cause.namespace or (workload.namespace if workload else "")
    return own | ({"namespace": namespace, "ns": namespace} if namespace else {})


RANK = (StepState.CONTRADICTED, StepState.APPLIES, StepState.ALREADY_TRUE, StepState.UNKNOWN)
"""Of several lines in one step the first of these is what the reader must know."""


async def held(
    desk: Desk, snapshot: Snapshot, text: str, known: Mapping[str, str], at: str
) -> tuple[RunbookStep, ...]:
    """The steps of a runbook, filled in, with what live state says of each."""
    rows: list[RunbookStep] = []
    for raw in list(steps(text))[:MOST_STEPS]:
        step = Step(
            raw.words,
            [filled(line, known) for line in raw.commands],
            [filled(line, known) for line in raw.queries],
        )
        said = [_kubectl(snapshot, line) for line in step.commands]
        said += [await _promql(desk, line, at) for line in step.queries]
        worst = min(said, key=lambda row: RANK.index(row.state), default=_judged())
        rows.append(worst.model_copy(update={"text": step.text}))
    return tuple(rows)


def _judged() -> RunbookStep:
    return _step(StepState.UNKNOWN, "for a person to judge")


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
        return _kind(kind), name
    if verb in NODE_VERBS:
        return "Node", rest[0]
    if verb in ("logs", "exec"):
        return "Pod", rest[0]
    return _kind(rest[0]), rest[1] if len(rest) > 1 else ""


def _kind(word: str) -> str:
    """`deploy`, `deployments`, `ingresses` and `deployments.apps` as the API names them."""
    plain = word.lower().partition(".")[0]
    found = (KINDS.get(plain.removesuffix(suffix)) for suffix in ("", "s", "es"))
    return next((kind for kind in found if kind), "")


def _kubectl(snapshot: Snapshot, line: str) -> RunbookStep:
    command = parse(line)
    if command is None:
        return _step(StepState.UNKNOWN, "it cannot be read")
    gone = _namespace_gone(snapshot, command)
    if gone:
        return gone
    if command.verb in MAKES_NEW:
        return _step(StepState.UNKNOWN, "it makes something that need not be there yet")
    if not command.kind or not command.name or _SLOT.search(command.name):
        return _step(StepState.UNKNOWN, "it names no object that can be looked up")
    return _of_object(snapshot, command)


def _namespace_gone(snapshot: Snapshot, command: Command) -> RunbookStep | None:
    listed = snapshot.listing_of("Namespace")
    there = {item.name for item in snapshot.of("Namespace")}
    name = command.namespace
    if not name or not listed or name in there or _SLOT.search(name):
        return None
    why = f"there is no namespace {name}"
    return _step(StepState.CONTRADICTED, why, (listed.cite_absence(),))


def _step(state: StepState, why: str, said: tuple[Citation, ...] = ()) -> RunbookStep:
    return RunbookStep(text="", state=state, why=why, citations=said)


def _of_object(snapshot: Snapshot, command: Command) -> RunbookStep:
    namespace = "" if command.kind in CLUSTER_WIDE else command.namespace
    item = snapshot.get(command.kind, namespace, command.name) or _anywhere(snapshot, command)
    if item:
        return _of_present(command, item)
    listed = snapshot.listing_of(command.kind, namespace)
    if not listed or not snapshot.listed(command.kind, namespace):
        place = namespace or "the cluster"
        return _step(StepState.UNKNOWN, f"{command.kind} objects of {place} were not read")
    place = f"{namespace}/" if namespace else ""
    why = f"there is no {command.kind} {place}{command.name}"
    return _step(StepState.CONTRADICTED, why, (listed.cite_absence(),))


def _anywhere(snapshot: Snapshot, command: Command) -> Object | None:
    """An object of that name in any namespace that was read, for a line that names no namespace."""
    if command.namespace:
        return None
    return next((item for item in snapshot.of(command.kind) if item.name == command.name), None)


def _of_present(command: Command, item: Object) -> RunbookStep:
    said = item.cite(item.name)
    if command.verb == "scale" and command.replicas.isdigit():
        have = str(item.spec.get("replicas", ""))
        done, why = have == command.replicas, f"{item.entity} is set to {have} replicas"
    elif command.verb in ("cordon", "uncordon"):
        cordoned = bool(item.spec.get("unschedulable"))
        done = cordoned == (command.verb == "cordon")
        why = f"{item.entity} is {'' if cordoned else 'not '}cordoned"
    else:
        done, why = False, f"{item.entity} is there"
    return _step(StepState.ALREADY_TRUE if done else StepState.APPLIES, why, said)


async def _promql(desk: Desk, query: str, at: str) -> RunbookStep:
    if _SLOT.search(query):
        return _step(StepState.UNKNOWN, "it has a slot that this incident does not fill")
    answer = await desk.toolbox.call(
        "prometheus.query", {"query": query, "time": at}, reason=RUNBOOK_STEP
    )
    if not answer.status.seen:
        return _step(StepState.UNKNOWN, f"it could not be asked: {answer.reason}"[:200])
    series = (answer.data or {}).get("series") or []
    said = (answer.cite_absence(),)
    if not series:
        return _step(StepState.UNKNOWN, "the query returns nothing at that time", said)
    value = series[0].get("value")
    return _step(StepState.APPLIES, f"it returns {value} ({len(series)} series)", said)
