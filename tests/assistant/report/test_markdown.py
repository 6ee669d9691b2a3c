from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assistant.incident import Report
from assistant.report.markdown import code, escape, fenced, markdown
from tests.assistant.report.samples import (
    CAUSE_FOUND,
    EVERYTHING_BLIND,
    HEALTHY,
    HOSTILE,
    INCONCLUSIVE,
    NASTY,
    RECOVERED,
    SAMPLES,
    SEVERAL_CAUSES,
)

LABELS = [
    "What",
    "Where",
    "Since",
    "Cause",
    "Confidence",
    "Impact",
    "Do next",
    "On call",
    "Not seen",
    "Runbook",
]
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def headline(report: Report) -> dict[str, str]:
    top = markdown(report).split("\n## ")[0]
    return dict(re.findall(r"^- \*\*(.+?):\*\* (.+)$", top, re.MULTILINE))


def section(report: Report, title: str) -> str:
    return markdown(report).split(f"\n## {title}\n")[1].split("\n## ")[0]


def kinds(text: str) -> set[str]:
    tokens = PARSER.parse(text)
    inner = [child for token in tokens for child in token.children or []]
    return {token.type for token in (*tokens, *inner)}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_report_reads_as_it_was_reviewed(name, matches_snapshot) -> None:
    matches_snapshot(f"{name}.md", markdown(SAMPLES[name]))


@pytest.mark.parametrize("report", SAMPLES.values(), ids=SAMPLES)
def test_the_ten_lines_come_first_and_in_the_same_order(report) -> None:
    top = markdown(report).split("\n## ")[0].splitlines()
    assert [line.split(":**")[0].removeprefix("- **") for line in top[4:]] == LABELS


def test_a_found_cause_is_told_with_its_confidence_and_its_evidence() -> None:
    lines = headline(CAUSE_FOUND)
    assert "DATABASE_URL" in lines["Cause"]
    assert lines["Cause"].endswith(f"[{CAUSE_FOUND.hypotheses[0].citations[1].evidence}]")
    assert lines["Confidence"].startswith("93 % (high); nothing seen against it")
    assert lines["Since"] == "02:41 UTC, 19 min before this report (alert at 02:45)"
    assert "`kubectl -n payments describe secret ledger-db`" in lines["Do next"]


def test_several_causes_are_all_named_where_they_are() -> None:
    lines = headline(SEVERAL_CAUSES)
    assert "; and " in lines["Cause"]
    assert "Secret payments/ledger-db, StatefulSet shop/search" in lines["Where"]
    assert lines["Confidence"].startswith("93 % (high) and 81 % (high); 1 fact against it")


def test_an_inconclusive_report_blames_nothing_and_says_what_would_decide() -> None:
    lines = headline(INCONCLUSIVE)
    assert lines["Cause"].startswith("not decided; nearest guess:")
    assert lines["Do next"].startswith("find out: does the ledger database accept")
    assert "nothing is blamed" in section(INCONCLUSIVE, "Possible causes, none decided")


@pytest.mark.parametrize("report", [RECOVERED, HEALTHY], ids=["recovered", "healthy"])
def test_a_calm_report_accuses_nobody(report) -> None:
    assert headline(report)["Cause"].startswith("none")
    assert ":::cause" not in markdown(report)


def test_a_recovery_is_told_with_both_its_ends() -> None:
    since = headline(RECOVERED)["Since"]
    assert since == "02:43 to 02:52 UTC; recovered 8 min before this report"


def test_a_healthy_report_with_blind_spots_says_how_far_it_could_see() -> None:
    half_seen = HEALTHY.model_copy(update={"blind_spots": CAUSE_FOUND.blind_spots})
    assert headline(half_seen)["Cause"].endswith("in what could be seen")


def test_blind_spots_are_never_silent() -> None:
    assert headline(HEALTHY)["Not seen"] == "nothing: everything asked was answered"
    assert "Everything asked was answered" in section(HEALTHY, "What we could not see")
    assert headline(EVERYTHING_BLIND)["Not seen"].startswith("4 blind spots")
    unseen = section(EVERYTHING_BLIND, "What we could not see")
    assert all(
        spot.tool in unseen and spot.reason in unseen for spot in EVERYTHING_BLIND.blind_spots
    )


def test_when_nothing_answered_no_check_claims_to_have_looked() -> None:
    assert headline(EVERYTHING_BLIND)["Cause"] == "not known: none of 4 questions was answered"
    assert "no check could look" in section(EVERYTHING_BLIND, "Findings")


def test_an_outdated_runbook_says_so_before_anything_else() -> None:
    assert headline(CAUSE_FOUND)["Runbook"].startswith("OUT OF DATE")
    assert section(CAUSE_FOUND, "Runbook").strip().startswith("- **OUT OF DATE:**")


def test_old_trouble_stands_apart_from_the_incident() -> None:
    facts, noise = section(CAUSE_FOUND, "Findings").split("There before the incident")
    assert "worker-2" in noise
    assert "worker-2" not in facts


def test_evidence_that_is_cited_has_a_row_with_its_words_and_the_rest_is_counted() -> None:
    table = section(CAUSE_FOUND, "Evidence")
    idle = CAUSE_FOUND.evidence[7]
    assert all(f"`{one.id}`" in table for one in CAUSE_FOUND.evidence if one is not idle)
    assert f"And 1 more answer that nothing here rests on ({idle.tool} 1)" in table
    assert "“couldn't find key DATABASE_URL”" in table
    assert "| 412, cut |" in table


def test_every_citation_shown_can_be_looked_up_in_the_table() -> None:
    text = markdown(CAUSE_FOUND)
    shown = set(re.findall(r"\[(e[0-9a-f]{8})\]", text))
    assert shown == {one.id for one in CAUSE_FOUND.evidence} - {CAUSE_FOUND.evidence[7].id}


def test_hostile_text_forms_no_html_link_image_or_extra_heading() -> None:
    text = markdown(HOSTILE)
    assert not kinds(text) & {"html_block", "html_inline", "link_open", "image", "s_open"}
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert len(headings) == len(
        [line for line in markdown(SEVERAL_CAUSES).splitlines() if line.startswith("#")]
    )


def test_no_control_or_bidirectional_character_is_left() -> None:
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", markdown(HOSTILE)
    )


@given(st.text(max_size=80))
@example(NASTY)
@example("1. not a list")
@example("--- not a rule")
@example("&lt;b&gt; _a_ *b* ~~c~~ [x]: http://y")
def test_escaped_text_is_one_paragraph_of_the_same_words(text) -> None:
    assert kinds(escape(text)) <= {
        "paragraph_open",
        "inline",
        "paragraph_close",
        "text",
        "text_special",
    }


@given(st.text("`a \n", max_size=40))
def test_code_cannot_be_ended_from_inside(text) -> None:
    assert kinds(code(text)) <= {"paragraph_open", "inline", "paragraph_close", "code_inline"}
    assert kinds(fenced(text)) == {"fence"}


def test_a_long_list_says_how_many_it_left_out() -> None:
    many = CAUSE_FOUND.model_copy(update={"findings": CAUSE_FOUND.findings * 20})
    assert "and 40 more, in the JSON report" in section(many, "Findings")


def test_less_likely_guesses_beside_a_found_cause_are_called_that() -> None:
    both = CAUSE_FOUND.model_copy(update={"hypotheses": SEVERAL_CAUSES.hypotheses})
    assert "Also possible, and less likely:" in section(both, "Cause")
    assert "; and " not in headline(both)["Cause"]
