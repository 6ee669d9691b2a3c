"""PromQL of a runbook: asked as it stands, or, where it ends in a threshold, held against it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from assistant.incident import Evidence, StepState
from assistant.snapshot import listing, mapping
from assistant.triage.steps.judgement import Judgement, unknown

COMPARE = {">": gt, ">=": ge, "<": lt, "<=": le, "==": eq, "!=": ne}
_THRESHOLD = re.compile(
    r"^(?P<measured>.*[\w)\]}])\s*(?P<sign>>=|<=|==|!=|>|<)\s*(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$",
    re.DOTALL,
)
MORE_LESS = {
    "above": ">", "over": ">", "exceeds": ">", "greater than": ">", "higher than": ">", "more than": ">",
    "at least": ">=", ">": ">", ">=": ">=", "below": "<", "under": "<", "less than": "<", "lower than": "<",
    "at most": "<=", "<": "<", "<=": "<=",
}  # fmt: skip
SIGNS = "|".join(sorted(MORE_LESS, key=len, reverse=True))
_STATED = re.compile(
    rf"\b(?:is|are|be|stays?|remains?|flat|returns?|value) (?:\w+ )?(?P<sign>{SIGNS}) *"
    r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>%|ms\b|s\b)?(?! ?[A-Za-z]i?B\b)",
    re.IGNORECASE,
)
_SET_WORDS = re.compile(r"\b(?:and|or|unless|bool)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Threshold:
    """A comparison at the end of a query: what is measured, and what it is compared with."""

    measured: str
    sign: str
    number: float

    def holds(self, value: float) -> bool:
        """Whether a measured value passes."""
        return bool(COMPARE[self.sign](value, self.number))


def threshold(query: str) -> Threshold | None:
    """The threshold that a query ends in; None where it has none that can be told from the rest."""
    match = _THRESHOLD.match(query.strip())
    if (
        not match
        or not _balanced(match["measured"])
        or _SET_WORDS.search(_outside(match["measured"]))
    ):
        return None
    return Threshold(match["measured"].strip(), match["sign"], float(match["number"]))


def _outside(text: str) -> str:
    """The text without what stands in quotes or brackets."""
    bare = _outside_quotes(text)
    shorter = re.sub(r"\([^()]*\)|\{[^{}]*\}|\[[^][]*\]", "", bare)
    while shorter != bare:
        bare, shorter = shorter, re.sub(r"\([^()]*\)|\{[^{}]*\}|\[[^][]*\]", "", shorter)
    return bare


def _balanced(text: str) -> bool:
    return not re.search(r"[][(){}]", _outside(text))


def to_ask(query: str) -> str:
    """What Prometheus is asked: a threshold is compared here, so that "no" is told from "no data"."""
    found = threshold(query)
    return found.measured if found else query


def stated(words: str, query: str) -> Threshold | None:
    """The threshold that the words beside a query give its value; None for none, or for several.

    A share in percent is compared only with a ratio, milliseconds only with seconds.
    """
    found = list(_STATED.finditer(words))
    if len(found) != 1:
        return None
    number, unit = float(found[0]["number"]), (found[0]["unit"] or "").lower()
    if unit == "%" and ("/" not in _outside_quotes(query) or "100" in query):
        return None
    if unit in ("ms", "s") and "seconds" not in query:
        return None
    scale = {"%": 100.0, "ms": 1000.0}.get(unit, 1.0)
    return Threshold(query, MORE_LESS[found[0]["sign"].lower()], number / scale)


def _outside_quotes(text: str) -> str:
    return re.sub(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""", "", text)


def of_answer(answer: Evidence, found: Threshold | None, *, goal: bool) -> Judgement:
    """What an answer says, given the threshold. `goal`: the step says how things should end up."""
    if not answer.status.seen:
        return unknown(f"it could not be asked: {answer.reason}"[:200])
    said = (answer.cite_absence(),)
    values = [value for row in listing(answer.data, "series") if (value := _value(row)) is not None]
    if not values:
        return unknown("the query returns nothing at that time", said)
    if found is None:
        return Judgement(
            StepState.APPLIES, f"it returns {values[0]:g} ({len(values)} series)", said
        )
    passing = [value for value in values if found.holds(value)]
    holds = bool(passing) and (not goal or len(passing) == len(values))
    told = f"{len(passing)} of {len(values)} series are {found.sign} {found.number:g}"
    not_yet = "not so yet: " if goal and not holds else ""
    why = f"{not_yet}{told}; the first is {values[0]:g}"
    return Judgement(met(holds=holds, goal=goal), why, said)


def met(*, holds: bool, goal: bool) -> StepState:
    """The state of a step whose condition holds or not: a goal that is reached is done already."""
    if goal:
        return StepState.ALREADY_TRUE if holds else StepState.APPLIES
    return StepState.APPLIES if holds else StepState.CONTRADICTED


def _value(row: Any) -> float | None:
    value = mapping(row).get("value")
    try:
        return float(value) if value is not None else None
    except (TypeError, ValueError):
        return None
