"""The index with its vectors in a real Chroma server."""

import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import anyio
import httpx2
import pytest

from ingest import catalogue, vectors
from ingest.candidates import Query
from ingest.embedding import DEFAULT_MODEL
from ingest.errors import VectorsUnavailable
from ingest.export import find_model
from ingest.generations import Generations
from ingest.job import ingest
from ingest.search import RunbookSearch
from tests.ingest.conftest import write

pytestmark = pytest.mark.anyio

CHROMA = shutil.which("chroma", path=str(Path(sys.executable).parent)) or shutil.which("chroma")
READY_SECONDS = 20


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(url, process):
    """Bounded: a server that does not come up fails the test."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{url}/api/v2/heartbeat", timeout=1).is_success:
                return
        except httpx2.TransportError:
            process.poll()
    raise TimeoutError(f"chroma at {url} did not answer in {READY_SECONDS} s")


@pytest.fixture(scope="module")
def chroma(tmp_path_factory):
    if CHROMA is None:
        pytest.skip("the program `chroma` is not on PATH")
    folder, port = tmp_path_factory.mktemp("chroma"), free_port()
    command = [CHROMA, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as server,
    ):
        try:
            wait_for(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def in_chroma(settings):
    told = catalogue.facts(Generations(settings.index).current())
    with closing(vectors.open_server(settings.chroma_url, told["collection"])) as opened:
        return opened.ids()


async def test_the_server_holds_what_the_catalogue_does_after_every_change(settings, chroma):
    settings = replace(settings, chroma_url=chroma)
    await ingest(settings)
    write(settings.source, {"new.md": "# New\n\nwords\n"})
    (settings.source / "playbooks.md").unlink()
    await ingest(settings)
    held = catalogue.section_ids(Generations(settings.index).current())
    assert in_chroma(settings) == held
    assert not (Generations(settings.index).current() / vectors.FOLDER).exists()


async def test_a_search_uses_the_server_and_says_when_it_is_gone(settings, chroma):
    pytest.importorskip("sentence_transformers", reason="the extra `embeddings` is not installed")
    if find_model(DEFAULT_MODEL, None) is None:
        pytest.skip("no model on this machine, none is downloaded")
    settings = replace(settings, chroma_url=chroma, embedding=DEFAULT_MODEL)
    await ingest(settings)
    asked = Query("disk of the node will be full soon")
    search = RunbookSearch(settings.index, chroma)
    assert (await search.search(asked)).mode == "lexical and dense"
    await search.close()
    for url, words in (("", "set CHROMA_URL"), (f"http://127.0.0.1:{free_port()}", "Chroma at")):
        without = RunbookSearch(settings.index, url)
        found = await without.search(asked)
        await without.close()
        assert found.mode == "lexical"
        assert words in found.missing


def test_moving_to_a_server_makes_the_index_anew_there(settings, chroma):
    anyio.run(ingest, settings)
    moved = replace(settings, chroma_url=chroma)
    report = anyio.run(ingest, moved)
    assert report.notes == ("the vectors move to another place: made anew there",)
    assert in_chroma(moved) == catalogue.section_ids(Generations(settings.index).current())


def test_what_a_killed_run_left_on_the_server_goes_with_the_next_run_even_without_changes(
    settings, chroma
):
    settings = replace(settings, chroma_url=chroma)
    anyio.run(ingest, settings)
    generations = Generations(settings.index)
    assert not generations.untidy.exists()
    collection = catalogue.facts(generations.current())["collection"]
    with closing(vectors.open_server(chroma, collection)) as opened:
        opened.put([vectors.Vector("stray", vectors.LEXICAL_ONLY, "words", "hash", {"path": "x"})])
    with closing(vectors.open_server(chroma, "runbooks-earlier", create=True)):
        generations.untidy.write_text("runbooks-earlier")
    report = anyio.run(ingest, settings)
    assert (report.added, report.changed) == ((), ())
    assert in_chroma(settings) == catalogue.section_ids(generations.current())
    with pytest.raises(VectorsUnavailable):
        vectors.open_server(chroma, "runbooks-earlier")
    assert not generations.untidy.exists()
