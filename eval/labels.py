"""The right answers, in one shape whatever benchmark they come from. Nothing that runs reads this."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError, NotFound

BUILTIN = "builtin"
ALIASES = {"db_readonly_mode": "db_read_only", "gateway_misrouted": "gateway_misroute"}
"""Cloud-OpsBench's prompt calls two faults otherwise than its labels do: both names are right."""


@dataclass(frozen=True)
class Label:
    """The right answer for a world; an empty `fault` means that only the entity is asked for."""

    fault: str
    entity: str
    system: str
    group: str
    verdict: str = ""
    """The right verdict, where it is one that names no cause."""

    @property
    def silent(self) -> bool:
        """Whether the right answer is that nothing is at fault any more."""
        return self.verdict in ("healthy", "recovered")

    def names(self, answer: Mapping[str, Any]) -> bool:
        """Whether an answer names the thing at fault."""
        return str(answer.get("entity", "")).lower() == self.entity.lower()

    def is_met_by(self, answer: Mapping[str, Any]) -> bool:
        """Whether an answer names the thing and the fault."""
        fault = str(answer.get("fault", ""))
        return self.names(answer) and self.fault in ("", fault, ALIASES.get(fault))

    def __str__(self) -> str:
        """Fault and entity; the verdict where nothing is at fault."""
        return self.verdict if self.silent else f"{self.fault} {self.entity}".strip()


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
    return Label(row["fault"], row["entity"], row.get("system", ""), row.get("group", ""))


def _builtin() -> dict[str, Label]:
    from assistant.faults import catalogue  # noqa: PLC0415 - a file of labels needs neither
    from eval.cases import CASES  # noqa: PLC0415

    known = catalogue()
    return {
        name: Label(
            case.expected.kind,
            str(case.expected.entity),
            BUILTIN,
            known[case.expected.kind].group if case.expected.kind in known else "no fault",
            case.expected.verdict,
        )
        for name, case in CASES.items()
    }
