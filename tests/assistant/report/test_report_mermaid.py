from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant.incident import Alert, Edge, Entity, Report
from assistant.report.mermaid import cause_chain, label, timeline, topology
from tests.assistant.report.ledger_incident import entry
from tests.assistant.report.samples import (
    CAUSE_FOUND,
    EVERYTHING_BLIND,
    HOSTILE,
    INCONCLUSIVE,
    NASTY,
    RECOVERED,
    SAMPLES,
    SEVERAL_CAUSES,
)

DIAGRAMS = {"cause": cause_chain, "timeline": timeline, "topology": topology}
PARSER = Path(__file__).parents[2] / "fixtures" / "mermaid_parse.mjs"

# Pieces that mean something to Mermaid, HTML or Markdown, in any order, between any characters.
PIECES = st.sampled_from(
    [
        *('"', "'", "`", "#", ";", ":", "::", ":::", "%%", "%%{init: {}}%%", "---", "-->", "|"),
        *("[", "]", "(", ")", "{", "}", "<", ">", "&", "\\", "/", "\n", "\r", "\t", "@{", "$$"),
        *("end", "subgraph", "graph", "click", "style", "classDef", "section", "title", "class"),
        *("accTitle:", "linkStyle", "default", "href", "<br/>", "<script>", "#quot;", "#35;"),
        *("1. ", "- ", "* ", "_a_", "**b**", "👩‍💻", "日本", "e\u0301", "\u202e", "\u2028", "\x00"),
        *("style x:y#z;", "ﬂ°°35¶ß", "x" * 300),
    ]
)
HOSTILE_TEXT = st.lists(PIECES | st.text(max_size=6), max_size=12).map("".join)


def with_text(text: str) -> Report:
    thing = Entity(kind=text or "Pod", name=text, namespace=text)
    finding = CAUSE_FOUND.findings[0].model_copy(update={"entity": thing, "statement": text})
    cause = CAUSE_FOUND.hypotheses[0].model_copy(
        update={"entity": thing, "chain": (thing,), "findings": (finding.id,), "statement": text}
    )
    against = cause.against or CAUSE_FOUND.rivals[0].against
    against = tuple(reason.model_copy(update={"text": text}) for reason in against)
    return CAUSE_FOUND.model_copy(
        update={
            "alert": Alert(id=text, title=text, created_at=CAUSE_FOUND.alert.created_at),
            "findings": (finding,),
            "hypotheses": (cause,),
            "rivals": (cause.model_copy(update={"against": against}),),
            "topology": (Edge(source=thing, relation=text, target=CAUSE_FOUND.topology[0].target),),
            "timeline": tuple(
                entry(fact.at, text, text, *fact.citations) for fact in CAUSE_FOUND.timeline
            ),
        }
    )


def real_parser() -> tuple[str, str]:
    modules, node = os.environ.get("MERMAID_MODULES", ""), shutil.which("node")
    if not node or not modules:
        pytest.skip(
            "needs node on PATH, and MERMAID_MODULES: a node_modules with mermaid and jsdom"
        )
    return node, modules


def parsed(folder: Path) -> list[dict]:
    node, modules = real_parser()
    run = subprocess.run(
        [node, str(PARSER), modules, str(folder)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.stdout, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_every_sample_parses_with_the_real_parser(tmp_path) -> None:
    for name, report in SAMPLES.items():
        for kind, draw in DIAGRAMS.items():
            (tmp_path / f"{name}-{kind}.mmd").write_text(draw(report), encoding="utf-8")
    results = parsed(tmp_path)
    assert len(results) == len(SAMPLES) * len(DIAGRAMS)
    assert [result for result in results if not result["ok"]] == []
    assert {result["type"] for result in results} == {"flowchart-v2", "timeline"}


def test_any_text_at_all_parses_with_the_real_parser(tmp_path) -> None:
    real_parser()
    texts = []

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(HOSTILE_TEXT)
    @example(NASTY)
    @example("end")
    @example("\u202e\x00")
    @example("")
    def draw_all(text: str) -> None:
        texts.append(text)
        for kind, draw in DIAGRAMS.items():
            path = tmp_path / f"{len(texts):04}-{kind}.mmd"
            path.write_text(draw(with_text(text)), encoding="utf-8")

    draw_all()
    broken = [result for result in parsed(tmp_path) if not result["ok"]]
    assert [(texts[int(Path(r["file"]).name[:4]) - 1], r["error"]) for r in broken] == []


@given(HOSTILE_TEXT | st.text(max_size=200))
@example(NASTY)
def test_a_label_leaves_nothing_that_is_syntax(text) -> None:
    escaped = label(text)
    assert not re.search(r"""["`\[\]{}<>|:%&*~^$@\\\n\r]""", escaped)
    assert not re.search(r"#(?!\d+;)", escaped)
    assert ";" not in re.sub(r"#\d+;", "", escaped)


def test_labels_are_cut() -> None:
    assert label("x" * 500, 40) == "x" * 39 + "…"


def test_the_chain_runs_from_the_cause_to_the_alert_with_its_evidence() -> None:
    drawn = cause_chain(CAUSE_FOUND)
    assert ":::cause" in drawn
    assert [f"n{i} --> n{j}" in drawn for i, j in ((1, 2), (2, 3), (3, 4), (4, 0))] == [True] * 4
    assert "#91;ed97a9387#93;" in drawn


def test_rivals_are_dashed_and_say_what_ruled_them_out() -> None:
    dashed = [line for line in cause_chain(CAUSE_FOUND).splitlines() if "-.->" in line]
    assert len(dashed) == len(CAUSE_FOUND.rivals)
    assert all("ruled out#58; " in line for line in dashed)


def test_two_causes_both_lead_to_the_one_alert() -> None:
    assert cause_chain(SEVERAL_CAUSES).count(":::cause") == 2


def test_guesses_are_dashed_and_marked_as_such() -> None:
    drawn = cause_chain(INCONCLUSIVE)
    assert ":::cause" not in drawn
    assert '-.->|"perhaps"|' in drawn


def test_a_recovery_is_drawn_as_one() -> None:
    assert "recovered at 02#58;52 UTC" in cause_chain(RECOVERED)


def test_the_timeline_splits_at_the_alert_and_joins_what_shares_a_minute() -> None:
    drawn = timeline(CAUSE_FOUND)
    assert drawn.index("section Before the alert") < drawn.index("section From the alert on")
    assert drawn.count("02\u223642 :") == 1
    assert "20 Nov 16\u223620 :" in drawn
    assert "Timeline, 21 Nov 2026, UTC" in drawn


def test_with_nothing_seen_the_diagrams_still_stand() -> None:
    assert "the alert" in timeline(EVERYTHING_BLIND)
    assert "shop/checkout" in topology(EVERYTHING_BLIND)
    nowhere = EVERYTHING_BLIND.scope.model_copy(update={"entities": ()})
    assert "no topology was seen" in topology(
        EVERYTHING_BLIND.model_copy(update={"scope": nowhere})
    )


def test_the_topology_marks_the_fault_and_what_is_unhealthy() -> None:
    drawn = topology(CAUSE_FOUND)
    assert drawn.count(":::cause") == 1
    assert "! unhealthy" not in drawn.split(":::cause")[0].splitlines()[-1]
    assert '-->|"reads"|' in drawn


def test_large_reports_stay_small_diagrams_that_say_what_they_left_out() -> None:
    for draw in DIAGRAMS.values():
        drawn = draw(HOSTILE)
        assert len(re.findall(r"^    n\d+\[", drawn, re.MULTILINE)) <= 25
        assert len(drawn) < 50_000
    assert "17 more not shown" in topology(HOSTILE)
    assert "6 more facts left out" in timeline(HOSTILE)
