"""What the logs of a workload complain of: each kind of trouble once, with how often and since when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from assistant.checks.reading.logs.log_records import Line, Record, readable, records
from assistant.checks.reading.logs.log_templates import Template, templates
from assistant.incident import Entity, Evidence
from assistant.log_calls import address
from assistant.snapshot import moment

SURGE = 5
"""So many times as often as before the window makes an old complaint a new one."""


@dataclass(frozen=True)
class Complaint:
    """One kind of trouble of one workload, with one host if the lines name any."""

    owner: Entity
    kind: str
    host: str
    port: str
    records: tuple[Record, ...]
    """Oldest first."""

    @property
    def line(self) -> Line:
        """The line that tells, of the first record."""
        return self.records[0].told[1]

    @property
    def evidence(self) -> Evidence:
        """The log that holds that line."""
        return self.records[0].evidence

    @property
    def engine(self) -> str:
        """The kind of database or broker that the lines speak of."""
        return next((record.engine for record in self.records if record.engine), "")

    @property
    def place(self) -> tuple[str, str, str]:
        """(namespace, pod, container) of the log."""
        asked = self.evidence.arguments
        namespace, pod, container = (asked.get(key) for key in ("namespace", "pod", "container"))
        return str(namespace or ""), str(pod or ""), str(container or "")

    @property
    def of_the_past(self) -> bool:
        """Whether only runs that ended said so."""
        return all(record.evidence.arguments.get("previous") for record in self.records)

    @property
    def last(self) -> datetime | None:
        """When it was said last."""
        return moment(self.records[-1].first.at)

    def began(self, start: datetime) -> datetime | None:
        """When it was first said; where it was rare before `start` and is frequent since, after that."""
        times = sorted(at for record in self.records if (at := moment(record.first.at)))
        if not times or times[0] >= start:
            return times[0] if times else None
        since = [at for at in times if at >= start]
        before = len(times) - len(since)
        span = (start - times[0]).total_seconds() or 1.0
        now = (since[-1] - start).total_seconds() or 1.0 if since else 1.0
        return since[0] if since and len(since) / now > SURGE * before / span else times[0]


def complaints(owner: Entity, logs: Iterable[Evidence]) -> list[Complaint]:
    """What the logs of a workload complain of, in a word that is known."""
    grouped: dict[tuple[str, str], list[Record]] = {}
    where: dict[tuple[str, str], tuple[str, str]] = {}
    for record in (record for item in logs for record in records(item)):
        kind, line = record.told
        if kind:
            host, port = _address(record, line)
            grouped.setdefault((kind, host), []).append(record)
            where.setdefault((kind, host), (host, port))
    return [
        Complaint(owner, kind, *where[kind, host], tuple(sorted(rows, key=lambda r: r.first.at)))
        for (kind, host), rows in grouped.items()
    ]


def _address(record: Record, line: Line) -> tuple[str, str]:
    """The address in the line that tells, else in any line of the same record."""
    for one in (line, *record.lines):
        host, port = address(one.text)
        if host:
            return host, port
    return "", ""


@dataclass(frozen=True)
class Grumble:
    """Warnings and errors of one log that no stem names, and the template most of them share."""

    records: tuple[Record, ...]
    template: Template

    @property
    def same(self) -> list[Record]:
        """The records that say the most frequent thing."""
        return [self.records[place] for place in self.template.rows]


def grumbles(logs: Iterable[Evidence]) -> Iterator[Grumble]:
    """The logs that complain of something unknown, each with its most frequent template."""
    for item in logs:
        bad = tuple(row for row in records(item) if row.level in ("error", "warn"))
        if bad:
            said = [readable(row.told[1].text) for row in bad]
            yield Grumble(bad, templates(said)[0])
