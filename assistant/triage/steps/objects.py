"""A kubectl command held against the objects that were seen."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from assistant.incident import Citation, Entity, Evidence, StepState
from assistant.snapshot import Object, dig, mapping
from assistant.triage.steps.judgement import Judgement, Live, unknown, worst
from assistant.triage.steps.kinds import CLUSTER_WIDE, WORKLOADS
from assistant.triage.steps.kubectl import LISTING, MAKES_NEW, Command
from assistant.triage.steps.present import of_present
from assistant.triage.steps.slots import is_example, is_placeholder

MOST_NAMES = 6
_GENERATED = re.compile(r"-[a-z0-9]{5}$|-\d+$")
"""How the names of pods end that something else makes."""
_TERM = re.compile(r"^([\w./-]+)(?:=|==)([\w.-]*)$|^([\w./-]+)$")


def of_command(live: Live, command: Command) -> Judgement:
    """What live state says of a command."""
    gone = _namespace_gone(live, command)
    if gone:
        return gone
    if command.verb in MAKES_NEW:
        return _made(live, command)
    if not command.names and command.kind and command.verb in (*LISTING, "delete", "logs"):
        return _listed(live, command)
    names = [(kind, name) for kind, name in command.names[:MOST_NAMES] if kind]
    if not names:
        return unknown("it names no object that can be looked up")
    return worst(of_object(live, kind, command.namespace, name, command) for kind, name in names)


def of_object(
    live: Live, kind: str, namespace: str, name: str, command: Command | None = None
) -> Judgement:
    """Whether an object that a step names is there, and what is to be known of it."""
    if is_placeholder(name) or (namespace and is_placeholder(namespace)):
        return unknown("it names no object that can be looked up")
    namespace = "" if kind in CLUSTER_WIDE else namespace
    item = live.snapshot.get(kind, namespace, name) or _anywhere(live, kind, namespace, name)
    if item:
        return of_present(live.snapshot, item, command)
    listed = live.snapshot.listing_of(kind, namespace)
    place = f"{namespace}/" if namespace else ""
    if not listed:
        return unknown(f"{kind} objects of {namespace or 'the cluster'} were not read")
    return _missing(
        live,
        Entity(kind=kind, name=name, namespace=namespace),
        f"{kind} {place}{name}",
        listed,
        command,
    )


def _missing(
    live: Live, entity: Entity, named: str, listed: Evidence, command: Command | None
) -> Judgement:
    said = (listed.cite_absence(),)
    why = f"there is no {named}"
    if command and command.verb == "delete":
        return Judgement(StepState.ALREADY_TRUE, f"{why}: it is gone", said)
    if entity in live.wrong:
        return Judgement(StepState.APPLIES, f"{why}: that is what was found wrong", said)
    if is_example(entity.name):
        return unknown(f"{why}: the name may be an example", said)
    if entity.kind == "Pod" and _GENERATED.search(entity.name):
        return unknown(f"{why} now; pods come and go", said)
    return Judgement(StepState.CONTRADICTED, f"{why}{_instead(live, entity)}", said, outdates=True)


def _instead(live: Live, entity: Entity) -> str:
    """Where an object of that name is, or one that is nearly called so."""
    same = [item for item in live.snapshot.of(entity.kind) if item.name == entity.name]
    if same:
        return f"; there is one in {same[0].namespace}"
    names = [item.name for item in live.snapshot.of(entity.kind, entity.namespace)]
    near = difflib.get_close_matches(entity.name, names[:500], n=1, cutoff=0.8)
    return f"; the nearest name is {near[0]}" if near else ""


def _anywhere(live: Live, kind: str, namespace: str, name: str) -> Object | None:
    """The object of that name where the line names no namespace, and only one has it."""
    if namespace:
        return None
    found = [item for item in live.snapshot.of(kind) if item.name == name]
    return found[0] if len(found) == 1 else None


def _namespace_gone(live: Live, command: Command) -> Judgement | None:
    listed = live.snapshot.listing_of("Namespace")
    name = command.namespace
    there = {item.name for item in live.snapshot.of("Namespace")}
    if not name or not listed or name in there or is_placeholder(name):
        return None
    why, said = f"there is no namespace {name}", (listed.cite_absence(),)
    if Entity(kind="Namespace", name=name) in live.wrong:
        return Judgement(StepState.APPLIES, f"{why}: that is what was found wrong", said)
    return Judgement(StepState.CONTRADICTED, why, said, outdates=True)


def _made(live: Live, command: Command) -> Judgement:
    """What a command makes may be there; that it is not says nothing."""
    for kind, name in command.names:
        namespace = "" if kind in CLUSTER_WIDE else command.namespace
        item = live.snapshot.get(kind, namespace, name) if command.verb == "create" else None
        if item:
            return Judgement(
                StepState.ALREADY_TRUE, f"{item.entity} is there already", item.cite(item.name)
            )
    return unknown("it makes something that need not be there yet")


def _listed(live: Live, command: Command) -> Judgement:
    """A command that looks at all of a kind, or at those with some labels."""
    kind, namespace = command.kind, command.namespace
    place = "" if kind in CLUSTER_WIDE or command.everywhere else namespace
    if not place and kind not in CLUSTER_WIDE and not live.snapshot.listed(kind):
        return unknown("it names no namespace")
    evidence = live.snapshot.listing_of(kind, place)
    if not evidence:
        return unknown(f"{kind} objects of {namespace or 'the cluster'} were not read")
    if _terms(command.selector) is None:
        return unknown("its selector cannot be read")
    rows = live.snapshot.of(kind, place or None)
    return _matching(live, command, rows, evidence)


def _matching(live: Live, command: Command, rows: list[Object], evidence: Evidence) -> Judgement:
    wanted = _terms(command.selector) or {}
    found = [item for item in rows if _carries(item.labels, wanted)]
    where = f" in {command.namespace}" if command.namespace else ""
    which = f" with {command.selector}" if command.selector else ""
    said: tuple[Citation, ...] = (evidence.cite_absence(),)
    if found:
        count = (
            f"is 1 {command.kind}"
            if len(found) == 1
            else f"are {len(found)} {command.kind} objects"
        )
        return Judgement(StepState.APPLIES, f"there {count}{where}{which}", said)
    why = f"there is no {command.kind}{where}{which}"
    if command.verb == "delete":
        return Judgement(StepState.ALREADY_TRUE, why, said)
    if not wanted:
        return Judgement(StepState.APPLIES, why, said)
    makes = command.kind == "Pod" and _some_workload_makes(live, command.namespace, wanted)
    if makes:
        return Judgement(StepState.APPLIES, f"{why}, though a workload should make one", said)
    return Judgement(StepState.CONTRADICTED, why, said, outdates=True)


def _some_workload_makes(live: Live, namespace: str, wanted: Mapping[str, str | None]) -> bool:
    """Whether the pods are missing, and not the thing that makes them."""
    rows = [item for kind in WORKLOADS for item in live.snapshot.of(kind, namespace or None)]
    labels = [mapping(dig(item.spec, "template"), "metadata", "labels") for item in rows]
    return any(_carries(one, wanted) for one in labels)


def _carries(labels: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    return all(key in labels and value in (None, labels[key]) for key, value in wanted.items())


def _terms(selector: str) -> dict[str, str | None] | None:
    """`app=web,tier` as {app: web, tier: None}; None for one that says more than equality."""
    found: dict[str, str | None] = {}
    for part in filter(None, (part.strip() for part in selector.split(","))):
        match = _TERM.match(part)
        if not match:
            return None
        found[match[1] or match[3]] = match[2] if match[1] else None
    return found
