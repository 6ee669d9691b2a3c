"""Which workload and namespace are meant: names that were said, held against those that there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from assistant.chat.answers.asked import Asked, Said
from assistant.chat.answers.words import plain
from assistant.chat.contract import Choice
from assistant.incident import Entity, Evidence, Report
from assistant.report.headline import accused
from assistant.report.words import listed
from assistant.snapshot import dig, listing
from assistant.toolbox import Call

INVENTORY = Call("kubernetes.list_deployments", {"limit": 500}, "which workloads there are")
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_MOST_OFFERED = 4


@dataclass(frozen=True)
class Names:
    """What there is, as far as it was seen."""

    workloads: tuple[Entity, ...] = ()
    seen: bool = False

    @property
    def namespaces(self) -> frozenset[str]:
        """Those that hold a workload."""
        return frozenset(one.namespace for one in self.workloads)


def names_of(evidence: Iterable[Evidence]) -> Names:
    """The workloads that some answer listed, with those of a report's own scope."""
    for one in evidence:
        if one.tool == INVENTORY.tool and one.status.seen and "namespace" not in one.arguments:
            rows = [
                Entity(
                    kind=str(dig(row, "kind")),
                    name=str(dig(row, "name")),
                    namespace=str(dig(row, "namespace")),
                )
                for row in listing(one.data, "workloads")
            ]
            return Names(tuple(rows), seen=True)
    return Names()


def main_subject(report: Report | None) -> Entity | None:
    """What an incident is about: the workload that is blamed, else the one that alerted."""
    if report is None:
        return None
    blamed = [one for cause in accused(report) for one in (cause.entity, *cause.chain)]
    known = [one for one in (*blamed, *report.scope.entities) if one.kind in _WORKLOADS]
    return known[0] if known else None


async def placed(asked: Asked) -> Said | None:
    """Fill in subject and namespace of the question; what to ask back where that is not clear."""
    meaning = asked.meaning
    if not (meaning.subject or meaning.namespace):
        _from_before(asked)
        return None
    names = names_of(await asked.seen.all([INVENTORY]))
    if not names.seen:
        asked.namespace = meaning.namespace or asked.thread.namespace
        asked.subject = _unknown_kind(asked)
        return None
    return _subject(asked, names) if meaning.subject else _namespace(asked, names)


def _from_before(asked: Asked) -> None:
    """Nothing was named: what was spoken of last, else what the incident is about."""
    if asked.meaning.wide:
        return
    asked.subject = asked.thread.subject or main_subject(asked.report)
    asked.namespace = asked.thread.namespace or (
        asked.subject.namespace if asked.subject else _first(asked.report)
    )


def _first(report: Report | None) -> str:
    return next(iter(report.scope.namespaces), "") if report else ""


def _unknown_kind(asked: Asked) -> Entity | None:
    name = asked.meaning.subject
    return Entity(kind="Workload", name=name, namespace=asked.namespace) if name else None


def _subject(asked: Asked, names: Names) -> Said | None:
    meaning = asked.meaning
    found = [one for one in names.workloads if _is(one, meaning.subject)]
    near = [one for one in found if one.namespace == (meaning.namespace or asked.thread.namespace)]
    if not found and meaning.subject in names.namespaces and not meaning.namespace:
        asked.namespace = meaning.subject
        return None
    if (found and meaning.namespace and not near) or not found:
        return _no_such(asked, names, found)
    chosen = near or found
    if len({one.namespace for one in chosen}) > 1:
        return _which(meaning.subject, chosen, str(meaning.intent or ""))
    asked.subject, asked.namespace = chosen[0], chosen[0].namespace
    return None


def _is(workload: Entity, name: str) -> bool:
    """Whether a name is the workload's own or that of one of its pods."""
    return name == workload.name or name.startswith(f"{workload.name}-")


def _namespace(asked: Asked, names: Names) -> Said | None:
    wanted = asked.meaning.namespace
    if wanted in names.namespaces:
        asked.namespace = wanted
        before = asked.thread.subject or main_subject(asked.report)
        asked.subject = before if before and before.namespace == wanted else None
        return None
    # "In payments" may name a workload as well.
    found = [one for one in names.workloads if one.name == wanted]
    if len({one.namespace for one in found}) > 1:
        return _which(wanted, found, str(asked.meaning.intent or ""))
    if found:
        asked.subject, asked.namespace = found[0], found[0].namespace
        asked.meaning = asked.meaning.model_copy(update={"subject": wanted})
        return None
    return _no_such(asked, names, [])


def _which(name: str, found: list[Entity], intent: str) -> Said:
    places = sorted({one.namespace for one in found})
    word = intent.replace("_", " ")
    choices = tuple(
        Choice(label=f"{place}/{name}", text=f"{word} of {place}/{name}") for place in places
    )
    return Said(
        f"**{plain(name, 63)}** is in {len(places)} namespaces: {listed(map(plain, places), 6)}. Which one?",
        choices=choices,
        sure=False,
    )


def _no_such(asked: Asked, names: Names, elsewhere: list[Entity]) -> Said:
    said = asked.meaning.subject or asked.meaning.namespace
    where = f" in namespace {plain(asked.meaning.namespace, 63)}" if asked.meaning.subject and asked.meaning.namespace else ""  # fmt: skip
    kind = "workload or namespace" if not where else "workload"
    text = f"I see no {kind} **{plain(said, 63)}**{where}; nothing is said of what is not there."
    offered = elsewhere or _near(said, names)
    text += f" There is {listed((plain(str(one)) for one in offered), _MOST_OFFERED)}." if offered else f" Namespaces: {listed(map(plain, sorted(names.namespaces)), 12)}."  # fmt: skip
    word = str(asked.meaning.intent or "").replace("_", " ")
    choices = tuple(
        Choice(label=str(one), text=f"{word} of {one.namespace}/{one.name}")
        for one in offered[:_MOST_OFFERED]
    )
    return Said(text, choices=choices, sure=False)


def _near(name: str, names: Names) -> list[Entity]:
    like = difflib.get_close_matches(name, [one.name for one in names.workloads], n=3, cutoff=0.6)
    return [one for one in names.workloads if one.name in like]
