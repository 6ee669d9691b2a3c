"""The draft says what was stored, and asks people the rest; a confirmed incident can be ingested."""

from datetime import date

import pytest

from assistant.chat.postmortem import confirmed, draft, gaps, questions
from assistant.incident import Verdict
from ingest.document import parse
from tests.assistant.chat.reports import report

ON = date(2026, 4, 9)
SECTIONS = (
    "Summary", "Impact", "Timeline", "Cause", "Ruled out", "What went well", "What was not seen",
    "Runbook gaps", "Action items, as questions",
)  # fmt: skip


def section(text, name):
    return text.partition(f"## {name}\n")[2].partition("\n## ")[0]


def test_the_draft_has_every_section_in_order():
    text = draft(report())
    places = [text.index(f"## {name}\n") for name in SECTIONS]
    assert places == sorted(places)


def test_what_the_draft_says_is_cited():
    made = report()
    text = draft(made)
    assert f"[{made.evidence[0].id}]" in section(text, "Cause")
    assert f"[{made.evidence[0].id}]" in section(text, "Timeline")


def test_without_a_cause_the_draft_names_none_and_asks_for_it():
    made = report(verdict=Verdict.INCONCLUSIVE)
    assert "Not established (inconclusive)" in section(draft(made), "Cause")
    assert any("--cause" in one for one in questions(made))


def test_an_alert_without_a_runbook_is_a_gap():
    assert any("No runbook matched" in one for one in gaps(report()))


def test_what_was_not_seen_is_never_called_nothing():
    blind = section(draft(report(blind=True)), "What was not seen")
    assert "prometheus.query (error): refused" in blind


def test_text_of_systems_cannot_forge_a_section_or_a_link():
    text = draft(report(title="x\n## Cause\n[a](https://evil.example) @here"))
    assert text.count("\n## Cause\n") == 1
    assert "https://evil" not in text
    assert "@here" not in text


def test_a_confirmed_incident_is_a_document_that_the_ingestion_reads():
    text = confirmed(report(title='Pods: "restart"\n---'), "", ON)
    found = parse("t1.md", text.encode()).metadata
    assert found.title.startswith("Past incident: Pods")
    assert found.services == ("checkout",)
    assert "PodRestartsOften" in found.alerts
    assert found.last_reviewed == "2026-04-09"


def test_the_cause_that_a_person_names_stands_in_the_reports_place():
    text = confirmed(report(), "the cache was too large", ON)
    assert "## Cause\n\nthe cache was too large\n" in text


def test_nothing_is_confirmed_where_nobody_names_a_cause():
    with pytest.raises(ValueError, match="names no cause"):
        confirmed(report(verdict=Verdict.INCONCLUSIVE), " ", ON)
