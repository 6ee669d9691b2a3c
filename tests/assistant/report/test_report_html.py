from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from assistant.report.drawing import topology_svg
from assistant.report.html import html
from tests.assistant.report.ledger_incident import METRICS, answer
from tests.assistant.report.samples import CAUSE_FOUND, HOSTILE, RECOVERED, SAMPLES


class Page(HTMLParser):
    """Collects what a browser would see: elements with attributes, and whether all are closed."""

    void = frozenset({"meta", "link", "img", "br", "hr", "input", "base"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def source(text: str, tag: str) -> str:
    return re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1]


@pytest.mark.parametrize("report", SAMPLES.values(), ids=SAMPLES)
def test_every_report_is_a_well_formed_page(report) -> None:
    assert Page(html(report)).open == []


@pytest.mark.parametrize("report", SAMPLES.values(), ids=SAMPLES)
def test_nothing_is_fetched_from_anywhere(report) -> None:
    page = Page(html(report))
    for tag, attributes in page.elements:
        assert not {"src", "srcset", "data", "action", "style"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    links = {attributes["href"] for attributes in page.all("a")}
    assert all(link.startswith("#") or link == CAUSE_FOUND.alert.url for link in links)
    assert not re.search(r"url\(|@import", html(report))


def test_text_from_tools_becomes_no_element() -> None:
    hostile, tame = Page(html(HOSTILE)), Page(html(CAUSE_FOUND))
    assert len(hostile.all("script")) == 1
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in tame.elements}


def test_the_policy_allows_the_two_blocks_of_the_page_and_nothing_else() -> None:
    text = html(CAUSE_FOUND)
    policy = Page(text).all("meta")[1]["content"]
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(source(text, tag).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "http://[bad", ""])
def test_only_a_web_address_of_the_alert_becomes_a_link(url) -> None:
    alert = CAUSE_FOUND.alert.model_copy(update={"url": url})
    assert "Open the alert" not in html(CAUSE_FOUND.model_copy(update={"alert": alert}))
    assert "Open the alert" in html(CAUSE_FOUND)


def test_every_citation_leads_to_its_evidence() -> None:
    page = Page(html(CAUSE_FOUND))
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert all(link["href"][1:] in ids for link in page.all("a") if link["href"].startswith("#"))
    folded = [one for one in page.all("details") if one.get("class") == "evidence"]
    assert len(folded) == len(CAUSE_FOUND.evidence)


def test_the_quoted_words_are_marked_in_the_evidence() -> None:
    assert "<mark>couldn&#39;t find key DATABASE_URL</mark>" in html(CAUSE_FOUND)


def test_the_reason_of_a_refusal_stands_with_its_evidence() -> None:
    text = html(CAUSE_FOUND)
    assert "pods/log is forbidden" in text.split('<section id="evidence">')[1]


def test_a_huge_answer_is_cut_and_says_so() -> None:
    big = answer("kubernetes.list_pods", {"namespace": "shop"}, {"text": "x" * 1_000_000})
    text = html(CAUSE_FOUND.model_copy(update={"evidence": (big,)}))
    assert len(text) < 100_000
    assert "more characters, in the JSON report" in text


def test_charts_and_topology_are_drawn_inside_the_page() -> None:
    classes = [attributes.get("class") for attributes in Page(html(CAUSE_FOUND)).all("svg")]
    assert classes == ["chart", "chart", "topology"]


def test_a_recovered_page_marks_no_cause() -> None:
    main = html(RECOVERED).split("<main>")[1]
    assert '<g class="cause">' not in main
    assert 'class="chain claimed"' not in main


def test_the_drawing_keeps_things_apart_and_inside() -> None:
    drawn = topology_svg(HOSTILE)
    boxes = re.findall(r'<rect x="(\d+)" y="(\d+)"', drawn)
    assert len(boxes) == len(set(boxes)) == 24
    width = int(re.search(r'width="(\d+)"', drawn)[1])
    assert all(int(x) + 188 <= width for x, _ in boxes)


def test_evidence_data_is_shown_as_it_was_answered() -> None:
    shown = html(RECOVERED).split(f'id="{METRICS.id}"')[1]
    assert json.dumps("error_ratio").replace('"', "&#34;") in shown.replace("<mark>", "").replace(
        "</mark>", ""
    )
