"""The demo worlds, end to end: real Prometheus, real servers in-process, the whole graph."""

import json
from pathlib import Path

import jsonschema
import pytest

from assistant.incident import Risk, Verdict
from assistant.report.schema import from_json
from assistant.triage.compose import unsupported
from eval.cases import CASES
from mcp_servers.guard.audit import read, verify
from tests.assistant.report.test_report_mermaid import parsed

pytestmark = pytest.mark.anyio
SCHEMA = Path(__file__).parents[3] / "docs" / "report.schema.json"


@pytest.fixture
def expected(request):
    return CASES[request.node.callspec.params["outcome"]].expected


async def test_the_verdict_and_the_cause_are_the_right_ones(outcome, expected):
    report = outcome.report
    assert report.verdict is expected.verdict, report.summary
    if expected.verdict is Verdict.CAUSE_FOUND:
        best = report.hypotheses[0]
        assert (best.kind, best.entity) == (expected.kind, expected.entity)
        assert len(report.hypotheses) == 1
    else:
        assert report.hypotheses == ()


async def test_everything_that_looks_guilty_is_ruled_out_by_name(outcome, expected):
    named = {row.entity: row for row in outcome.report.rivals}
    missing = [str(row.entity) for row in expected.rivals if row.entity not in named]
    assert missing == []
    assert all(row.ruled_out and row.against for row in named.values())
    guilty = {(row.kind, row.entity) for row in outcome.report.hypotheses}
    assert not guilty & {(row.kind, row.entity) for row in named.values()}


async def test_every_claim_is_cited_from_evidence_that_holds_it(outcome):
    assert unsupported(outcome.report) == []


async def test_nothing_stayed_unseen(outcome):
    assert [f"{spot.tool}: {spot.reason}" for spot in outcome.report.blind_spots] == []


async def test_the_json_is_what_the_published_schema_promises(outcome):
    text = outcome.forms["json"]
    jsonschema.validate(json.loads(text), json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert from_json(text).model_dump(mode="json") == outcome.report.model_dump(mode="json")


async def test_the_three_diagrams_show_something(outcome):
    for name, head in (("cause chain", "flowchart"), ("timeline", ""), ("topology", "flowchart")):
        drawn = outcome.forms[name]
        assert head in drawn
        assert len(drawn.splitlines()) > 3, name


async def test_the_three_diagrams_parse_with_the_real_parser(outcome, tmp_path):
    for name in ("cause chain", "timeline", "topology"):
        (tmp_path / f"{name}.mmd").write_text(outcome.forms[name], encoding="utf-8")
    said = parsed(tmp_path)
    assert len(said) == 3
    assert [row for row in said if not row["ok"]] == []


async def test_no_form_of_the_report_holds_a_traceback_or_a_secret(outcome):
    for name, text in outcome.forms.items():
        assert "Traceback" not in text, name
        assert "object at 0x" not in text, name


async def test_the_first_action_only_reads_and_every_other_has_a_way_back(outcome):
    actions = outcome.report.actions
    if outcome.report.hypotheses:
        assert actions[0].risk is Risk.NONE
    assert all(action.rollback and action.verify for action in actions[1:])


async def test_a_runbook_is_found_and_its_steps_are_judged(outcome):
    if outcome.report.verdict is Verdict.CAUSE_FOUND:
        match = outcome.report.runbooks[0]
        assert match.steps
        assert all(step.why for step in match.steps)


async def test_the_audit_is_whole_and_has_one_line_a_call(outcome):
    audit = outcome.home / "audit.jsonl"
    assert verify(audit) == []
    assert len(list(read(audit))) == outcome.report.cost.calls == len(outcome.tools)


async def test_no_question_was_asked_twice(outcome):
    lines = list(read(outcome.home / "audit.jsonl"))
    asked = [(line["tool"], json.dumps(line["arguments"], sort_keys=True)) for line in lines]
    assert len(asked) == len(set(asked))


async def test_the_timeline_is_in_order_and_within_the_window(outcome):
    window, rows = outcome.report.scope.window, outcome.report.timeline
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert all(window.start <= row.at <= window.end for row in rows)
    assert any(row.kind == "alert" for row in rows)


async def test_somebody_is_on_call(outcome):
    assert outcome.report.on_call
