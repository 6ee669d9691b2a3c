"""What runbooks leave for the reader to fill in, filled in from the incident and never guessed.

`<namespace>`, `$POD`, `${NODE}`, `NAMESPACE` and `{{ $labels.pod }}` are such slots. What this
incident does not say stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from assistant.incident import Alert, Entity
from assistant.snapshot import Snapshot, word
from assistant.triage.steps.kinds import CLUSTER_WIDE, WORKLOADS, kind_of

_SLOT = re.compile(
    r"<(?P<angle>[A-Za-z][\w ./-]{0,40})>"
    r"|\{\{-?\s*(?:\$labels|\.Labels|\.CommonLabels|\$l)\.(?P<label>\w+)[^}]{0,40}\}\}"
    r"|\$\{?(?P<shell>[A-Za-z_]\w*)\}?"
    r"|(?<![\w-])(?P<word>[A-Z][A-Z0-9]+(?:[_-][A-Z0-9]+)*)(?![\w-])"
)
_NAMESPACE = re.compile(
    r"(?:\s-n|--namespace)[= ]*(?P<flag>[a-z0-9][a-z0-9-]*)(?![\w>}])"
    r"|\bnamespace=\"(?P<label>[a-z0-9][a-z0-9-]*)\""
)
_OPEN = re.compile(r"<[A-Za-z][^<>|;&]{0,60}>|\{\{|\$\{?[A-Za-z_]")
_BEFORE = re.compile(r"(?P<kind>[a-z][\w.]*)[ /]$")
_POSSESSIVE = re.compile(r"^(?:your|my|the|this|affected|failing|target|some|name_of(?:_the)?)_+")
_ALIASES = {"ns": "namespace", "podname": "pod", "deploy": "deployment", "svc": "service", "nodename": "node",
            "sts": "statefulset", "cm": "configmap", "application": "app",
            "pvc": "persistentvolumeclaim", "hostname": "node"}  # fmt: skip
_ANY = frozenset({"name", "resource", "object"})
NOUNS = frozenset({"namespace", "pod", "node", "service", "deployment", "statefulset", "daemonset", "container", "name",
                   "cluster", "app", "workload", "configmap", "secret", "job", "instance", "user", "tenant", "config",
                   "persistentvolumeclaim"})  # fmt: skip
"""Words in capitals that are slots wherever they stand: `NODE` is one, `GET` is none."""
_ASSIGNED = re.compile(
    r"^\s*(?:\$ +)?(?:export +|set +-x +)?(?P<name>[A-Za-z_]\w*)=(?P<value>\S.*)?$"
    r"|\b(?:for|read(?: -\w+)*) +(?P<loop>[A-Za-z_]\w*)\b",
    re.MULTILINE,
)
_LITERAL = re.compile(r"""^(["']?)([\w./:-]+)\1\s*(?:#.*)?$""")


@dataclass(frozen=True)
class Known:
    """What the incident fills in.

    Each side speaks of one namespace, so that no line mixes the names of two; the first is what the
    alert itself says. `own`: the variables
    that the page sets itself, "" where to no fixed value; they are never the incident's.
    """

    sides: tuple[Mapping[str, str], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)

    def on_page(self, text: str) -> Known:
        """The same for a page that sets variables of its own."""
        own: dict[str, str] = {}
        for match in _ASSIGNED.finditer(text):
            if match["loop"]:
                own[match["loop"]] = ""
                continue
            literal = _LITERAL.match(filled(match["value"] or "", self).strip())
            fixed = literal and not is_open(literal[2])
            own[match["name"]] = literal[2] if literal and fixed else ""
        return Known(self.sides, self.labels, own)


def filled(line: str, known: Known) -> str:
    """A line with the slots that this incident can fill in.

    What the alert itself says comes first. Where two other sides would each fill the line, and
    differently, only what they agree on is filled.
    """
    sides = [side for side in known.sides if _is_of(line, side)]
    tries = [_with(line, side, known) for side in sides or ({},)]
    if not is_open(tries[0]) or not sides:
        return tries[0]
    whole = {text for text in tries[1:] if not is_open(text)}
    if len(whole) == 1:
        return whole.pop()
    first, *rest = sides
    agreed = {
        key: value for key, value in first.items() if all(side.get(key) == value for side in rest)
    }
    return _with(line, agreed, known)


def _is_of(line: str, side: Mapping[str, str]) -> bool:
    """Whether a side may fill a line: not where the line itself names another namespace."""
    named = _NAMESPACE.search(line)
    place = side.get("namespace", "")
    return not named or not place or (named["flag"] or named["label"]) == place


def is_open(text: str) -> bool:
    """Whether a slot is still to be filled in."""
    return bool(_OPEN.search(text)) or any(
        _noun(match["word"]) in NOUNS for match in _SLOT.finditer(text) if match["word"]
    )


def is_placeholder(name: str) -> bool:
    """Whether the name of an object is a slot: names in Kubernetes are small letters, digits, `-`, `.`."""
    return not re.fullmatch(r"[a-z0-9]([-a-z0-9.:]*[a-z0-9])?", name)


def is_example(name: str) -> bool:
    """Whether a name reads like one that an author made up: `my-pod`, `foo`."""
    return bool(re.match(r"(?:my|your|some|example)-|(?:foo|bar|xxx|example)$", name))


def _with(line: str, side: Mapping[str, str], known: Known) -> str:
    def fill(match: re.Match[str]) -> str:
        if match["label"]:
            return known.labels.get(match["label"].lower()) or match.group()
        if match["shell"] in known.own:
            return known.own[match["shell"]] or match.group()
        noun = _noun(match["angle"] or match["shell"] or match["word"])
        before = _BEFORE.search(line[: match.start()])
        return _value(side, noun, kind_of(before["kind"]) if before else "") or match.group()

    return _SLOT.sub(fill, line)


def _value(side: Mapping[str, str], noun: str, kind: str) -> str:
    """What a slot means after the name of a kind: `deployment/SERVICE` wants a Deployment's name."""
    if not kind:
        return "" if noun in _ANY else side.get(noun, "")
    fits = noun in _ANY or noun in ("service", "server", "app", "workload", "config", kind.lower())
    return side.get(kind.lower(), "") if fits else ""


def _noun(words: str) -> str:
    """`<your-pod-name>`, `$POD_NAME` and `POD` alike: `pod`."""
    plain = re.sub(r"[\s./-]+", "_", words.strip().lower())
    plain = _POSSESSIVE.sub("", plain)
    plain = plain.removesuffix("_name") if plain != "_name" else plain
    return _ALIASES.get(plain, plain)


def known_of(
    alert: Alert, subjects: Iterable[Entity], causes: Iterable[Entity], snapshot: Snapshot
) -> Known:
    """What an incident fills in.

    First the side of what its alert names (`subjects`), then those of the cause and of what suffers
    from it (`causes`, the cause first).
    """
    labels = {key.lower(): value for key, value in alert.labels.items()}
    said = {key: value for key, value in labels.items() if key in NOUNS and key != "name"}
    chain = list(causes)
    named = _first_workload(subjects)
    sides = [_told(said, _of_workload(named, snapshot) if named else {})]
    if workload := _first_workload(chain):
        suffers = {"server": workload.name, **_of_workload(workload, snapshot)}
        sides = [{"server": workload.name, **sides[0]}] if workload == named else [*sides, suffers]
    return Known(tuple(_with_cause([side for side in sides if side], chain[:1])), labels)


def _first_workload(entities: Iterable[Entity]) -> Entity | None:
    return next((entity for entity in entities if entity.kind in WORKLOADS), None)


def _told(said: Mapping[str, str], named: Mapping[str, str]) -> Mapping[str, str]:
    """The alert's labels, with the names of the workload they name; never of one elsewhere."""
    together = said.get("namespace", named.get("namespace")) == named.get("namespace")
    return {**named, **said} if named and together else said


def _with_cause(sides: list[Mapping[str, str]], causes: list[Entity]) -> list[Mapping[str, str]]:
    """The cause joins the sides of its own namespace; one that no side can take stands alone."""
    if not causes or causes[0].kind in WORKLOADS:
        return sides
    (cause,) = causes
    own = {cause.kind.lower(): cause.name}
    own |= {"config": cause.name} if cause.kind in ("ConfigMap", "Secret") else {}
    free = cause.kind in CLUSTER_WIDE
    near = [free or side.get("namespace") == cause.namespace for side in sides]
    joined = [
        {**side, **own} if is_near else side for side, is_near in zip(sides, near, strict=True)
    ]
    return (
        joined
        if any(near)
        else [*joined, own | ({"namespace": cause.namespace} if cause.namespace else {})]
    )


def _of_workload(workload: Entity, snapshot: Snapshot) -> dict[str, str]:
    """A workload's own names, and those of its pod and container where it has but one."""
    item = snapshot.find(workload)
    pods = snapshot.pods_of(item) if item else []
    containers = item.containers() if item else []
    own = dict.fromkeys(("service", "app", "workload", workload.kind.lower()), workload.name)
    own["namespace"] = workload.namespace
    own |= {"pod": pods[0].name} if len(pods) == 1 else {}
    own |= {"container": word(containers[0].get("name"))} if len(containers) == 1 else {}
    return {key: value for key, value in own.items() if value}
