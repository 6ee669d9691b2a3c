"""Which sections the model reads in a run, with a model of a few kilobytes."""

from contextlib import closing
from dataclasses import replace

import pytest

from eval.bench.kills import NotTheSame, refuse_difference, state
from ingest import catalogue, vectors
from ingest.embedding import Embedder, cached_model
from ingest.errors import IngestError, ModelMismatch
from ingest.generations import Generations
from ingest.job import IngestSettings, ingest
from ingest.schema import FILE
from tests.ingest.conftest import write
from tests.ingest.shelf import Shelf
from tests.ingest.tiny_model import NAME, write_tiny_model

pytest.importorskip("onnx", reason="the extra `embeddings` is not installed")

pytestmark = pytest.mark.anyio

PAGE = "# Crash loop\n\n## Diagnosis\n\nLook at the log.\n\n## Mitigation\n\nRoll back.\n"


@pytest.fixture
def tiny(settings):
    write_tiny_model(settings.index / "models")
    return replace(settings, embedding=NAME)


def current(settings):
    return Generations(settings.index).current()


def in_chroma(settings):
    folder = current(settings)
    collection = catalogue.facts(folder)["collection"]
    with closing(vectors.open_folder(folder, collection)) as opened:
        return opened.all()


async def test_a_section_whose_page_has_a_new_title_gets_a_new_vector(tiny):
    await ingest(tiny, sources=[Shelf("wiki", {"a.md": PAGE})])
    before = in_chroma(tiny)
    renamed = PAGE.replace("# Crash loop", "# Zebras on the loose")
    report = await ingest(tiny, sources=[Shelf("wiki", {"a.md": renamed})])
    assert (len(report.changed), report.embedded) == (1, 2)
    after = in_chroma(tiny)
    assert before.keys() == after.keys()
    assert all(before[id] != after[id] for id in before)


async def test_an_index_that_grew_is_the_one_that_is_made_at_once(tiny, tmp_path):
    for text in (PAGE, PAGE.replace("Roll back.", "Roll forward.\n\n### Then\n\nWait.")):
        await ingest(tiny, sources=[Shelf("wiki", {"a.md": text, "b.md": PAGE})])
    once = IngestSettings(None, tmp_path / "once", embedding=NAME)
    write_tiny_model(once.index / "models")
    await ingest(once, sources=[Shelf("wiki", {"a.md": text, "b.md": PAGE})])
    one, other = in_chroma(tiny), in_chroma(once)
    assert one.keys() == other.keys()
    assert all(one[id] == pytest.approx(other[id], abs=1e-6) for id in one)


async def test_a_twin_of_a_section_is_read_once(tiny):
    twin = "# Same\n\nEverything here is the same.\n"
    report = await ingest(tiny, sources=[Shelf("wiki", {"a.md": twin, "b.md": twin})])
    assert (report.sections, report.embedded) == (2, 1)


async def test_an_index_of_another_revision_is_refused_with_the_command_that_rebuilds(tiny):
    await ingest(tiny)
    old = tiny.index / "models" / f"{NAME}-{'1' * 12}"
    old.rename(tiny.index.parent / "old-model")
    write_tiny_model(tiny.index / "models", revision="2" * 64, seed=2)
    with pytest.raises(ModelMismatch) as told:
        await ingest(tiny)
    command = f"`python -m ingest --source {tiny.source} --index {tiny.index} --rebuild`"
    assert command in str(told.value)
    before = current(tiny)
    rebuilt = await ingest(replace(tiny, rebuild=True))
    assert rebuilt.model == f"{NAME}@{'2' * 64}"
    assert (rebuilt.embedded, before.is_dir()) == (7, True)


async def test_a_page_keeps_its_id_in_an_index_that_is_made_anew(tiny):
    write(tiny.source, {"a/b.md": "# One\n\nx\n"})
    await ingest(tiny)
    write(tiny.source, {"a.b.md": "# Two\n\ny\n"})
    await ingest(tiny)
    ids = {path: id for path, (id, _) in catalogue.ledger(current(tiny)).items()}
    await ingest(replace(tiny, rebuild=True))
    assert {path: id for path, (id, _) in catalogue.ledger(current(tiny)).items()} == ids


async def test_a_damaged_catalogue_is_an_error_with_the_way_out(tiny):
    await ingest(tiny)
    (current(tiny) / FILE).write_bytes(b"damaged " * 1000)
    with pytest.raises(IngestError, match=r"cannot be read .*--rebuild"):
        await ingest(tiny)
    assert len((await ingest(replace(tiny, rebuild=True))).added) == 3


async def test_two_indexes_that_differ_are_told_apart(tiny, tmp_path):
    other = replace(tiny, index=tmp_path / "other")
    write_tiny_model(other.index / "models", seed=2)
    await ingest(tiny)
    await ingest(other)
    with pytest.raises(NotTheSame, match="the vector of"):
        refuse_difference(state(tiny.index), state(other.index))
    write(tiny.source, {"new.md": "# New\n\nx\n"})
    await ingest(tiny)
    with pytest.raises(NotTheSame, match="the rows of"):
        refuse_difference(state(tiny.index), state(other.index))


def test_batches_cover_every_text_once_and_agree_with_one_at_a_time(tiny):
    embedder = Embedder(cached_model(tiny.index / "models", NAME))
    texts = ["pods restart"[n % 9 :] * (n // 2 + 1) for n in range(30)]
    batches = list(embedder.batches(texts))
    assert sorted(place for batch in batches for place in batch) == list(range(30))
    lengths = [max(len(texts[place]) for place in batch) for batch in batches]
    assert lengths == sorted(lengths, reverse=True)
    for text, vector in zip(texts, embedder.embed_all(texts), strict=True):
        assert vector == pytest.approx(embedder.embed(text), abs=1e-6)
