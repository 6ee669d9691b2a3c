"""A few of our own worlds, start to end: what the committed run got right is still right."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from eval.gate import SMOKE, baseline_of, located, read, regressions
from eval.labels import BUILTIN, read_labels
from eval.records import read_predictions
from eval.results import results
from eval.run import Plan, run
from tests.lab.small_world import needs_prometheus


@needs_prometheus
@pytest.mark.timeout(300)
def test_no_answer_is_worse_than_in_the_committed_run(tmp_path):
    out = tmp_path / "out.json"
    records = run(Plan(SMOKE, out, jobs=2), Console(file=StringIO()))
    labels = {world: label for world, label in read_labels(BUILTIN).items() if world in SMOKE}
    rows = results(read_predictions(out), labels, records)
    now = baseline_of(rows, whole=True)
    assert list(regressions(read(located(BUILTIN)), now, part=True)) == []
    assert {record.unsupported for record in records.values()} == {()}


def test_the_few_worlds_are_of_many_kinds():
    labels = read_labels(BUILTIN)
    assert len({labels[world].group for world in SMOKE}) >= len(SMOKE) - 1
    assert {labels[world].silent for world in SMOKE} == {True, False}
