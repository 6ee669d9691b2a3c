"""The bench of the runbook search, over a small index without a model. It measures, it judges nothing."""

import json

import pytest
from anyio import to_thread

from eval.bench import search as bench
from eval.bench.multiplied import multiplied
from eval.bench.search import Took, figures
from ingest.generations import Generations
from ingest.job import ingest
from ingest.lookup import Lookup
from ingest.settings import IngestSettings

pytestmark = pytest.mark.anyio
PAGE = "# The disk of {0} is full\n\nLook at it.\n\n## Fix\n\n1. Free some space of {0}.\n"


@pytest.fixture
async def index(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("ledger", "tariffs", "waybills"):
        (source / f"{name}.md").write_text(PAGE.format(name), encoding="utf-8")
    await ingest(IngestSettings(source, tmp_path / "index", embedding="none"))
    return tmp_path / "index"


async def test_an_index_is_multiplied_until_it_has_as_many_sections(index, tmp_path):
    made = multiplied(index, 20, tmp_path / "many", "")
    lookup = Lookup(Generations(tmp_path / "many").current())
    assert made == len(lookup.sections(range(1000))) >= 20
    assert len({runbook.path for runbook in lookup.runbooks()}) == lookup.count()
    lookup.close()


async def test_every_question_is_asked_in_every_round(index):
    questions = [
        bench.Question("1", "full", "disk of ledger"),
        bench.Question("2", "full", "lunch"),
    ]
    took = await bench.asked({str(index): ""}, questions)
    assert [len(own) for own in took[str(index)]] == [2] * bench.ROUNDS


def test_the_fastest_of_a_question_is_that_of_its_best_round():
    rounds = [[Took(0.2, 0.1), Took(0.4, 0.1)], [Took(0.1, 0.1), Took(0.6, 0.1)]]
    found = figures(rounds)
    assert (found["first_p50_ms"], found["fastest_p50_ms"], found["cpu_ms"]) == (300, 250, 100)


async def test_figures_are_printed_as_json(index, tmp_path, capsys):
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"id": "1", "kind": "full", "query": "disk of ledger"}\n', encoding="utf-8")
    await to_thread.run_sync(bench.main, [str(index), str(asked), "--sections", "10"])
    found = json.loads(capsys.readouterr().out)
    assert found["chroma"] == "embedded"
    assert found["sections"] >= 10
    assert found["all_p95_ms"] > 0
