"""The right answers, in one shape whatever benchmark they come from. Nothing that runs reads this."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.errors import AssistantError, NotFound
from assistant.incident import Verdict

if TYPE_CHECKING:
    from eval.cases import Case

BUILTIN = "builtin"
ALIASES = {"db_readonly_mode": "db_read_only", "gateway_misrouted": "gateway_misroute"}
"""Cloud-OpsBench's prompt calls two faults otherwise than its labels do: both names are right."""
CALLED = frozenset({Verdict.CAUSE_FOUND, Verdict.SEVERAL_CAUSES})
"""The verdicts that call a cause found."""


class Named(NamedTuple):
    """A fault and the thing at fault; an empty `fault` where only the thing is asked for."""

    fault: str
    entity: str

    def is_at(self, answer: Mapping[str, Any]) -> bool:
        """Whether an answer names the thing at fault."""
        return str(answer.get("entity", "")).lower() == self.entity.lower()

    def is_met_by(self, answer: Mapping[str, Any]) -> bool:
        """Whether an answer names the thing and the fault."""
        fault = str(answer.get("fault", ""))
        return self.is_at(answer) and self.fault in ("", fault, ALIASES.get(fault))

    def __str__(self) -> str:
        """Fault and entity."""
        return f"{self.fault} {self.entity}".strip()


@dataclass(frozen=True)
class Label:
    """The right answer for a world."""

    fault: str
    entity: str
    system: str
    group: str
    verdict: str = ""
    """The right verdict, where the label says one."""
    or_else: tuple[str, ...] = ()
    """Verdicts that are as good."""
    further: tuple[Named, ...] = ()
    """The other causes, where there are several: all are to be named."""
    as_right: tuple[Named, ...] = ()
    """Other names for the first cause."""
    decoys: tuple[str, ...] = ()
    """What looks guilty and is not."""

    @property
    def silent(self) -> bool:
        """Whether the right answer calls no cause found."""
        return bool(self.verdict) and self.verdict not in CALLED

    @property
    def causes(self) -> tuple[tuple[Named, ...], ...]:
        """Each cause to be named, by every name that is right; none in a silent world."""
        if self.silent:
            return ()
        first = (Named(self.fault, self.entity), *self.as_right)
        return (first, *((one,) for one in self.further))

    def accepts(self, verdict: str) -> bool:
        """Whether a verdict is right; any is where the label says none."""
        return not self.verdict or verdict in (self.verdict, *self.or_else)

    def __str__(self) -> str:
        """Fault and entity of each cause; the verdict where there is none."""
        return " + ".join(str(names[0]) for names in self.causes) or self.verdict


def read_labels(source: str) -> dict[str, Label]:
    """The labels in a file by world, or those of the builtin worlds. Raises NotFound."""
    if source == BUILTIN:
        return _builtin()
    try:
        rows = json.loads(Path(source).read_text(encoding="utf-8"))
        return {world: _label(row) for world, row in rows.items()}
    except FileNotFoundError:
        raise NotFound(f"there is no file {source}: give one, or `{BUILTIN}`") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise AssistantError(f"{source} holds no labels that are known here: {problem}") from error


def _label(row: Mapping[str, Any]) -> Label:
    """One label: of Cloud-OpsBench, of PetShop, or in our own names."""
    if "fault_object" in row:
        group = row["fault_taxonomy"]
        return Label(row["root_cause"], row["fault_object"], row["system"], group)
    if isinstance(row.get("root_cause"), dict):
        return Label("", row["root_cause"]["node"], row["scenario"], row["metric"])
    place = row.get("system", ""), row.get("group", "")
    verdict, decoys = row.get("verdict", ""), tuple(row.get("decoys", ()))
    fault, entity = ("", "") if verdict and verdict not in CALLED else (row["fault"], row["entity"])
    further = tuple(Named(one["fault"], one["entity"]) for one in row.get("further", ()))
    return Label(fault, entity, *place, verdict=verdict, further=further, decoys=decoys)


def _builtin() -> dict[str, Label]:
    from eval.cases import CASES  # noqa: PLC0415 - a file of labels needs none of them

    return {name: _of_case(case) for name, case in CASES.items()}


def _of_case(case: Case) -> Label:
    from assistant.faults import catalogue  # noqa: PLC0415 - see above

    right = case.expected
    known = catalogue().get(right.kind)
    group = known.group if known else "not in the catalogue"
    if right.further or right.verdict not in CALLED:
        group = str(right.verdict)
    return Label(
        right.kind,
        str(right.entity),
        BUILTIN,
        group,
        str(right.verdict),
        tuple(str(one) for one in right.or_else),
        tuple(Named(one.kind, str(one.entity)) for one in right.further),
        tuple(Named(one.kind, str(one.entity)) for one in right.as_right),
        tuple(str(one.entity) for one in right.rivals),
    )
