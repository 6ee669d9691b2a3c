from __future__ import annotations

import json
import math
from pathlib import Path

import jsonschema
import pytest

from assistant.report.schema import ID, VERSION, from_json, schema, schema_text, to_json
from tests.assistant.report.ledger_incident import METRICS, answer
from tests.assistant.report.samples import CAUSE_FOUND, HOSTILE, SAMPLES

PUBLISHED = Path(__file__).parents[3] / "docs" / "report.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_the_published_schema_is_the_one_the_model_makes(matches_snapshot) -> None:
    matches_snapshot(str(PUBLISHED), schema_text())


def test_the_schema_is_one_with_an_id_and_a_version() -> None:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    assert published["$id"] == ID
    assert published["version"] == VERSION


@pytest.mark.parametrize("report", SAMPLES.values(), ids=SAMPLES)
def test_every_report_validates_against_the_published_schema(report) -> None:
    VALIDATOR.validate(json.loads(to_json(report)))


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "hostile"])
def test_a_report_comes_back_equal_from_its_json(name) -> None:
    assert from_json(to_json(SAMPLES[name])) == SAMPLES[name]


def test_a_document_with_something_else_in_it_does_not_validate() -> None:
    document = json.loads(to_json(CAUSE_FOUND))
    assert not VALIDATOR.is_valid(document | {"note": "x"})
    assert not VALIDATOR.is_valid(document | {"verdict": "guilty"})


def test_hypotheses_name_findings_that_the_document_holds() -> None:
    document = json.loads(to_json(CAUSE_FOUND))
    held = {found["id"] for found in document["findings"] + document["noise"]}
    named = {id for guess in document["hypotheses"] for id in guess["findings"]}
    assert named <= held


def test_what_json_cannot_hold_is_left_out_or_replaced() -> None:
    odd = answer("prometheus.query", {"query": "up"}, {"value": math.nan, "text": "half \ud83d"})
    document = json.loads(to_json(HOSTILE.model_copy(update={"evidence": (odd,)})))
    assert document["evidence"][0]["data"] == {"value": None, "text": "half ?"}
    assert [value for _, value in document["series"][0]["points"]] == [1.0]


def test_the_schema_says_what_a_reader_needs_to_resolve_a_citation() -> None:
    assert METRICS.id in to_json(CAUSE_FOUND)
    assert schema()["$defs"]["Finding"]["required"][0] == "id"
