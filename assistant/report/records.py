"""The dated and measured sections: the timeline, the charts, the evidence table, the diagrams."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime

from pydantic import JsonValue

from assistant.incident import Evidence, Series, Status
from assistant.report.charts import extremes
from assistant.report.document import (
    Chart,
    Diagram,
    Line,
    Lookup,
    Paragraph,
    Section,
    Table,
    Tone,
    cited,
    quotes,
)
from assistant.report.mermaid import cause_chain, timeline, topology
from assistant.report.words import clean, clock, count, cut, listed

MOST_ROWS = 120
MOST_QUOTES = 3

STAMP = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")

KIND_TONES = {
    "fault": Tone.BAD,
    "alert": Tone.BAD,
    "symptom": Tone.WARN,
    "change": Tone.PLAIN,
    "recovery": Tone.GOOD,
}


def dated(know: Lookup) -> Section:
    """The dated facts in the order of time."""
    entries = sorted(know.report.timeline, key=lambda entry: entry.at)
    if not entries:
        return Section("timeline", "Timeline", (Paragraph(Line("Nothing seen carries a date.")),))
    rows = tuple(
        (
            Line(know.when(entry.at)),
            Line(clean(entry.kind), tone=KIND_TONES.get(entry.kind, Tone.PLAIN)),
            Line(clean(entry.text), cites=cited(entry.citations)),
        )
        for entry in entries[:MOST_ROWS]
    )
    table = Table(("UTC", "kind", "what"), rows)
    return Section("timeline", "Timeline", (table,))


def signals(know: Lookup) -> Section:
    """The few series that matter."""
    series = know.report.series
    if not series:
        text = "No series moved that belongs to this incident, or none could be read."
        return Section("signals", "Signals", (Paragraph(Line(text)),))
    charts = tuple(Chart(one, _measured(know, one)) for one in series)
    return Section("signals", "Signals", charts)


def _measured(know: Lookup, series: Series) -> Line:
    low, high, last = extremes(series)
    if not last:
        return Line(f"{cut(series.title, 120)}: no samples", cites=cited(series.citations))
    text = f"{cut(series.title, 120)}: lowest {low}, highest {high}, last {last}"
    onset = f", onset {know.when(series.onset)}" if series.onset else ""
    return Line(text + onset, cites=cited(series.citations))


def diagrams(know: Lookup) -> Section:
    """The three Mermaid diagrams."""
    report = know.report
    drawn = (
        Diagram("Cause", cause_chain(report)),
        Diagram("Timeline", timeline(report)),
        Diagram("Topology around the fault", topology(report)),
    )
    return Section("diagrams", "Diagrams", drawn)


def evidence(know: Lookup) -> Section:
    """Every answer that the report rests on or failed to get; the others as one counted line."""
    held = know.report.evidence
    if not held:
        text = "No tool was called."
        return Section("evidence", "Evidence", (Paragraph(Line(text)),))
    words = quotes(know.report)
    tells = [one for one in held if one.id in words or not one.status.seen]
    ordered = sorted(tells, key=lambda one: one.id not in words)[:MOST_ROWS]
    rows = tuple(_row(know, one, words.get(one.id, ())) for one in ordered)
    table = Table(("id", "tool", "arguments", "status", "how many", "taken", "says"), rows)
    rest = Counter(one.tool for one in held if one not in ordered)
    more = (Paragraph(Line(_others(rest))),) if rest else ()
    return Section("evidence", "Evidence", (table, *more))


def _others(rest: Counter[str]) -> str:
    """`And 41 more answers that nothing here rests on (kubernetes.list_resources 38, …), in …`"""
    named = listed([f"{tool} {number}" for tool, number in rest.most_common()], most=5)
    return f"And {count(rest.total(), 'more answer')} that nothing here rests on ({named}), in the JSON report."


def _row(know: Lookup, one: Evidence, words: tuple[str, ...]) -> tuple[Line, ...]:
    return (
        Line(code=one.id),
        Line(clean(one.tool)),
        Line(arguments(one.arguments, know.today)),
        Line(one.status.value, tone=Tone.PLAIN if one.status.seen else Tone.WARN),
        Line(how_many(one)),
        Line(know.when(one.taken_at)),
        Line(quoted(one, words)),
    )


def arguments(given: Mapping[str, JsonValue], today: date, limit: int = 80) -> str:
    """`namespace=payments since=02:11`: empty ones are left out, times are put as elsewhere."""
    shown = (
        f"{key}={value if isinstance(value, str) else json.dumps(value, default=str)}"
        for key, value in given.items()
        if value not in ("", None, [], {})
    )
    return cut(STAMP.sub(lambda found: _moment(found.group(0), today), " ".join(shown)), limit)


def _moment(stamp: str, today: date) -> str:
    try:
        return clock(datetime.fromisoformat(stamp), today)
    except ValueError:
        return stamp


def how_many(one: Evidence) -> str:
    """`12`, `200, cut`, or nothing where nobody counted."""
    total = "" if one.total is None else str(one.total)
    cut_short = "cut" if one.truncated else ""
    return ", ".join(filter(None, (total, cut_short)))


def quoted(one: Evidence, words: tuple[str, ...]) -> str:
    """The words quoted from this evidence, or why there are none."""
    if not one.status.seen:
        return cut(one.reason, 160)
    shown = [f"“{cut(word, 80)}”" for word in words if word]
    shown += ["the answer as a whole"] if "" in words else []
    more = f" and {len(shown) - MOST_QUOTES} more" if len(shown) > MOST_QUOTES else ""
    stale = f"stale: {cut(one.reason, 80)} " if one.status is Status.STALE else ""
    return stale + ", ".join(shown[:MOST_QUOTES]) + more
