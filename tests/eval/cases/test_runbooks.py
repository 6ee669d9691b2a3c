"""The sample runbooks: complete, and true to the demo shop but for the one that is out of date."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from eval.cases import CASES, DEMO

FOLDER = Path(__file__).parents[3] / "examples" / "runbooks"
RUNBOOKS = sorted(FOLDER.glob("*.md"))
KEYS = {"title", "services", "alerts", "owner", "last_reviewed", "severity"}
SECTIONS = ["Symptoms", "Check", "Fix", "Verify", "Escalate"]
OUT_OF_DATE = "routes-restarts.md"


def front_matter(path):
    return yaml.safe_load(path.read_text().split("---\n")[1])


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda p: p.stem)
def test_a_runbook_says_what_it_is_for_and_has_all_sections(path):
    said = front_matter(path)
    assert said.keys() >= KEYS
    assert isinstance(said["last_reviewed"], date)
    headings = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
    assert [h for h in headings if h in SECTIONS] == SECTIONS


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda p: p.stem)
def test_links_lead_to_runbooks_that_exist(path):
    for name in re.findall(r"\]\(([a-z-]+\.md)\)", path.read_text()):
        assert (FOLDER / name).exists(), name


def strange_names(path):
    """Namespaces and Deployments in a runbook's commands that the demo shop does not have."""
    shop = CASES["amber"].build()
    workloads = {f"{w.namespace}/{w.name}" for w in shop.workloads.values()}
    text = path.read_text()
    spaces = {n for n in re.findall(r"-n ([a-z][a-z-]+)", text) if n not in shop.namespaces}
    named = re.findall(r"-n ([a-z-]+)[^\\n`]*? deployment[/ ]([a-z][a-z-]+)", text)
    return spaces | {f"{n}/{w}" for n, w in named if f"{n}/{w}" not in workloads}


def test_exactly_one_runbook_names_what_is_no_longer_there():
    strange = {path.name: names for path in RUNBOOKS if (names := strange_names(path))}
    assert set(strange) == {OUT_OF_DATE}
    assert "routing" in strange[OUT_OF_DATE]


@pytest.mark.parametrize("name", DEMO)
def test_each_world_has_a_runbook_for_its_alert(name):
    page = CASES[name].build().page
    matching = [path.name for path in RUNBOOKS if page.alert in front_matter(path)["alerts"]]
    slug = page.runbook_url.rpartition("/")[2] + ".md"
    assert slug in matching


@pytest.mark.parametrize("name", DEMO)
def test_a_runbook_was_reviewed_before_the_incident(name):
    as_of = CASES[name].build().as_of.date()
    assert all(front_matter(path)["last_reviewed"] < as_of for path in RUNBOOKS)
