"""The measure of the runbook search, over a few pages: real index, real search."""

import json
from io import StringIO

import pytest
from rich.console import Console

from assistant.errors import AssistantError
from eval.retrieval import figures, page
from eval.retrieval_questions import near_strangers, read_questions, strangers
from eval.retrieval_run import DENSE, FUSED, STRICT, WAYS, ask, indexed
from tests.ingest.conftest import CHECKOUT, DISK, ETCD, write

LINES = (
    {"id": "a", "kind": "summary", "difficulty": "named", "query": "unused images and journal files",
     "relevant": ["one/NodeFilesystemSpaceFillingUp.md", "two/NodeFilesystemSpaceFillingUp.md"],
     "alert": "NodeFilesystemSpaceFillingUp"},
    {"id": "b", "kind": "pager", "difficulty": "named", "query": '[FIRING:1] EtcdNoLeader pod="x"',
     "relevant": ["one/playbooks.md#etcdnoleader"], "alert": "EtcdNoLeader"},
    {"id": "c", "kind": "cross", "difficulty": "foreign", "query": "unused images and journal files",
     "relevant": ["two/NodeFilesystemSpaceFillingUp.md"], "exclude_source": "one"},
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("retrieval")
    pages = {"crash.md": CHECKOUT, "playbooks.md": ETCD, "NodeFilesystemSpaceFillingUp.md": DISK}
    write(folder / "corpora", {f"one/{path}": text for path, text in pages.items()})
    write(folder / "corpora", {"two/NodeFilesystemSpaceFillingUp.md": DISK})
    (folder / "questions.jsonl").write_text("\n".join(json.dumps(line) for line in LINES))
    indexed(folder / "corpora", folder / "index", Console(file=StringIO()), "none")
    return folder


@pytest.fixture(scope="module")
def asked(place):
    return list(ask(place / "index", read_questions(place / "questions.jsonl")))


def test_near_copies_in_one_match_count_as_found_with_it(asked):
    copies = next(one for one in asked if one.question.id == "a")
    assert copies.slots[FUSED][0] == {0, 1}
    assert [len(slot) for slot in copies.slots[STRICT][:2]] == [1, 1]


def test_a_section_is_the_answer_where_a_section_is_meant(asked):
    pager = next(one for one in asked if one.question.id == "b")
    assert pager.right
    assert sum(map(len, pager.slots[FUSED])) == 1


def test_a_source_that_is_left_out_is_in_no_ranking(asked):
    cross = next(one for one in asked if one.question.id == "c")
    assert {one.runbook.path.split("/")[0] for one in cross.ranked} == {"two"}
    assert cross.right


def test_without_vectors_the_dense_side_ranks_nothing_by_meaning(asked):
    assert all(one.evidence.meaning == 0 for row in asked for one in row.ranked)
    assert all(set(row.slots) == set(WAYS) and DENSE in row.slots for row in asked)


def test_the_page_has_every_group_every_side_and_the_abstention(asked):
    found = figures(asked, [0.1, 0.2], [0.3])
    assert [group["group"] for group in found["kinds"]] == [
        "foreign cross",
        "named pager",
        "named summary",
    ]
    assert [group["group"] for group in found["sources"]] == ["one", "two"]
    text = "\n".join(page(found))
    assert "nDCG@10 of each side" in text
    assert "AUROC" in text
    json.dumps(found)


def test_the_corpora_are_ingested_once(place):
    said = StringIO()
    indexed(place / "corpora", place / "index", Console(file=said), "none")
    assert "4 unchanged" in said.getvalue()


def test_a_line_that_is_no_question_is_named(tmp_path):
    file = tmp_path / "bad.jsonl"
    file.write_text('{"id": "a", "kind": "x", "query": "y"}\n{"id": "b"}\n')
    with pytest.raises(AssistantError, match=r"bad.jsonl:2: not a question"):
        read_questions(file)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AssistantError, match="holds no question"):
        read_questions(tmp_path / "empty")
    with pytest.raises(AssistantError, match="cannot be read"):
        read_questions(tmp_path / "nothing")


def test_there_are_two_hundred_strangers_and_sixty_near_ones():
    far, near = strangers(), near_strangers()
    assert (len(far), len(near)) == (200, 60)
    assert len({one.id for one in far + near}) == 260
    assert {one.kind for one in far} == {"summary", "full", "pager", "talk"}
    assert not any(one.relevant for one in far + near)
    named = [one for one in far if one.kind in ("summary", "full")]
    assert not [one.id for one in named if one.alert in one.text]
