"""Where the runbooks fail those on call: alerts that had none, and pages that are out of date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from assistant.incident import Report, Status

SEARCH = "runbooks.search_runbooks"
LONGEST = 300


class GapKind(StrEnum):
    """What is missing."""

    NO_RUNBOOK = "no runbook"
    OUT_OF_DATE = "out of date"


@dataclass(frozen=True, slots=True)
class Gap:
    """An alert without a runbook (`subject` is its name), or a page that is out of date (its path).

    `detail` is the latest: what came closest, or what contradicts the page.
    """

    kind: GapKind
    subject: str
    title: str
    detail: str
    count: int
    last: datetime


COUNTED = (
    "SELECT kind, subject, title, detail, count(*) AS times, max(at) AS last FROM runbook_gaps"
    " GROUP BY kind, subject ORDER BY times DESC, last DESC, kind, subject LIMIT ?"
)
"""With `max`, SQLite takes the other columns from the row that has it: the latest."""


def gaps_in(report: Report) -> Iterator[Gap]:
    """The gaps that one triage showed. A search that could not be asked shows none."""
    for match in report.runbooks:
        if match.outdated:
            yield _gap(GapKind.OUT_OF_DATE, match.path, match.title, match.outdated, report)
    asked = [
        item for item in report.evidence if item.tool == SEARCH and item.status is Status.EMPTY
    ]
    if asked and not report.runbooks:
        alert = report.alert
        name = alert.labels.get("alertname") or alert.title
        yield _gap(GapKind.NO_RUNBOOK, name, alert.title, " ".join(asked[-1].suggestions), report)


def _gap(kind: GapKind, subject: str, title: str, detail: str, report: Report) -> Gap:
    return Gap(kind, subject[:LONGEST], title[:LONGEST], detail[:LONGEST], 1, report.made_at)
