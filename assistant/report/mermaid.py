"""The three Mermaid diagrams of a report: cause chain, timeline, topology.

Every text from outside goes through `label`, which leaves nothing that Mermaid could read as syntax.
"""

from __future__ import annotations

import re
from itertools import groupby, pairwise
from string import ascii_letters, digits

from assistant.incident import Entity, Report, TimelineEntry, Verdict
from assistant.report.document import Lookup, cited
from assistant.report.graph import (
    Chain,
    Step,
    around,
    blamed,
    chains,
    entries,
    unhealthy,
)
from assistant.report.words import clock, cut, utc

HARMLESS = frozenset(ascii_letters + digits + " -./,()=+!?'_")
# Colons divide a Mermaid timeline, and older versions know no escape for one in a time of day.
RATIO = "\u2236"

CLASSES = (
    "    classDef cause fill:#8c2f39,stroke:#e5737f,color:#ffffff",
    "    classDef ill fill:#7a5a1e,stroke:#e0b15a,color:#ffffff",
    "    classDef alert fill:#28456b,stroke:#7fa8dd,color:#ffffff",
    "    classDef fine fill:#2c3e3a,stroke:#7d968f,color:#ffffff",
    "    classDef out fill:#3a3d44,stroke:#8a8f99,color:#d5d8de,stroke-dasharray:5 4",
)


def label(text: str, limit: int = 80) -> str:
    """`text` cut to `limit` and escaped as Mermaid entities, fit to stand between double quotes."""
    short = cut(text, limit)
    escaped = "".join(
        one if one in HARMLESS or not one.isascii() else f"#{ord(one)};" for one in short
    )
    # A line that opens like a list is read as Markdown by Mermaid, and not drawn.
    opens_list = re.match(r"[-+=]|\d+[.)]", short)
    return f"#{ord(escaped[0])};{escaped[1:]}" if opens_list else escaped


def cause_chain(report: Report) -> str:
    """A flowchart from cause to alert; guesses and rivals ruled out are dashed."""
    drawing = _Flowchart("TD")
    alert = drawing.node("alert", [f"Alert: {report.alert.title}"], "alert")
    shown, left_out = chains(report)
    for place, chain in enumerate(shown):
        _draw_chain(drawing, chain, place, alert)
    if not any(chain.claimed for chain in shown):
        words = _instead(report)
        drawing.edge(alert, drawing.node("verdict", [words], "fine"))
    drawing.note(left_out, "more considered")
    return drawing.text()


def _instead(report: Report) -> str:
    ended = report.alert.resolved_at
    if report.verdict is Verdict.RECOVERED and ended:
        return f"recovered at {Lookup(report).when(ended)} UTC"
    return f"verdict: {report.verdict.value}"


def _draw_chain(drawing: _Flowchart, chain: Chain, place: int, alert: str) -> None:
    nodes = [
        drawing.node(_key(chain, step, place), _step_lines(step), _kind(chain, first=not index))
        for index, step in enumerate(chain.steps)
    ]
    for left, right in pairwise([*nodes, alert]):
        drawing.edge(left, right, _edge_words(chain), dashed=not chain.claimed)


def _key(chain: Chain, step: Step, place: int) -> str:
    # A rival may name the same thing as the cause, and is still another claim about it.
    return f"rival {place}" if chain.ruled_out else str(step.entity)


def _kind(chain: Chain, *, first: bool) -> str:
    if chain.ruled_out:
        return "out"
    return "cause" if chain.claimed and first else "ill"


def _edge_words(chain: Chain) -> str:
    if chain.ruled_out:
        return f"ruled out: {chain.why_not}" if chain.why_not else "ruled out"
    return "" if chain.claimed else "perhaps"


def _step_lines(step: Step) -> list[str]:
    ids = " ".join(f"[{id}]" for id in step.cites[:3])
    return [line for line in (str(step.entity), step.says, ids) if line]


def timeline(report: Report) -> str:
    """A Mermaid timeline, one stop per minute, split at the alert."""
    kept, left_out = entries(report)
    today = Lookup(report).today
    lines = ["timeline", f"    title Timeline, {today.day} {today:%b %Y}, UTC"]
    alerted = utc(report.alert.created_at)
    for after, part in groupby(kept, key=lambda entry: utc(entry.at) >= alerted):
        lines.append(f"    section {'From the alert on' if after else 'Before the alert'}")
        for minute, facts in groupby(part, key=lambda entry: clock(entry.at, today)):
            lines.extend(_stop(minute, list(facts)))
    if not kept:
        lines.append(f"    {clock(alerted, today).replace(':', RATIO)} : {label('the alert')}")
    if left_out:
        lines.append(f"    further : {left_out} more facts left out")
    return "\n".join(lines) + "\n"


def _stop(minute: str, facts: list[TimelineEntry]) -> list[str]:
    words = [_said(fact) for fact in facts]
    first, *rest = words
    return [
        f"    {minute.replace(':', RATIO)} : {first}",
        *(f"        : {word}" for word in rest),
    ]


def _said(entry: TimelineEntry) -> str:
    ids = " ".join(f"[{id}]" for id in cited(entry.citations)[:2])
    return label(f"{entry.kind}, {cut(entry.text, 90)} {ids}".strip(), 130)


def topology(report: Report) -> str:
    """A flowchart of the things around the fault, with what relates them."""
    near = around(report)
    drawing = _Flowchart("LR")
    ill, causes = unhealthy(report), blamed(report)
    for entity in near.entities:
        drawing.node(str(entity), _entity_lines(entity, ill, causes), _health(entity, ill, causes))
    for edge in near.edges:
        drawing.edge(drawing.ids[str(edge.source)], drawing.ids[str(edge.target)], edge.relation)
    if not near.entities:
        drawing.node("none", ["no topology was seen"], "out")
    drawing.note(near.left_out, "more not shown")
    return drawing.text()


def _entity_lines(entity: Entity, ill: frozenset[Entity], causes: frozenset[Entity]) -> list[str]:
    mark = "✗ cause" if entity in causes else "! unhealthy" if entity in ill else ""
    return [
        line for line in (entity.kind, str(entity).removeprefix(f"{entity.kind} "), mark) if line
    ]


def _health(entity: Entity, ill: frozenset[Entity], causes: frozenset[Entity]) -> str:
    return "cause" if entity in causes else "ill" if entity in ill else "fine"


class _Flowchart:
    """Collects nodes, each once, and edges; our own ids only."""

    def __init__(self, direction: str) -> None:
        self.ids: dict[str, str] = {}
        self._lines = [f"flowchart {direction}", *CLASSES]
        self._edges: dict[str, None] = {}

    def node(self, key: str, lines: list[str], kind: str) -> str:
        """The id of the node `key`, drawn when it is new."""
        if key not in self.ids:
            self.ids[key] = f"n{len(self.ids)}"
            # Text of invisible characters alone leaves nothing, and Mermaid refuses an empty label.
            words = "<br/>".join(filter(None, map(label, lines))) or "(no name)"
            self._lines.append(f'    {self.ids[key]}["{words}"]:::{kind}')
        return self.ids[key]

    def edge(self, left: str, right: str, words: str = "", *, dashed: bool = False) -> None:
        """An arrow, once."""
        escaped = label(words, 60)
        text = f'|"{escaped}"|' if escaped else ""
        self._edges[f"    {left} {'-.->' if dashed else '-->'}{text} {right}"] = None

    def note(self, left_out: int, words: str) -> None:
        """A loose node that says how much is not drawn."""
        if left_out:
            self.node("left out", [f"{left_out} {words}"], "out")

    def text(self) -> str:
        """The diagram."""
        return "\n".join([*self._lines, *self._edges]) + "\n"
