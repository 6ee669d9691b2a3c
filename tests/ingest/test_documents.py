"""What a document says of itself, and how broken ones are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.document import BrokenDocument, parse
from ingest.errors import IngestError
from ingest.sources import markdown_files


def test_front_matter_is_read_whatever_its_spelling():
    document = parse(
        "a.md", b"---\nTitle: Disk full\nservice: a, b\nlast-reviewed: 2026-01-02\n---\ntext\n"
    )
    said = document.metadata
    assert (said.title, said.services, said.last_reviewed) == (
        "Disk full",
        ("a", "b"),
        "2026-01-02",
    )


def test_line_numbers_stay_true_below_front_matter():
    document = parse("a.md", b"---\ntitle: x\n---\nfourth line\n")
    assert document.body.split("\n")[3] == "fourth line"


def test_a_rule_at_the_top_is_not_front_matter():
    assert parse("a.md", b"---\n\nno end").metadata.title == ""


def test_an_index_page_is_called_by_its_folder():
    assert parse("etcd/README.md", b"x").name == "etcd"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"ok \xff\xfe", "a.md: not UTF-8 (byte 3)"),
        (b"---\ntitle: [x\n---\n", "a.md: bad front matter"),
        (b"---\njust words\n---\n", "a.md: bad front matter: it is not a list of `key: value`"),
        (b"---\nwhen: 2026-13-45 00:00:00\n---\n", "a.md: bad front matter"),
        (b"a\x00b", "a.md: holds NUL bytes"),
    ],
)
def test_a_broken_document_says_what_is_wrong_with_it(raw, words):
    with pytest.raises(BrokenDocument) as caught:
        parse("a.md", raw)
    assert words in str(caught.value)


def refusal(raw):
    """What `parse` says against these bytes; "" where it reads them."""
    try:
        parse("a.md", raw)
    except BrokenDocument as error:
        return str(error)
    return ""


@given(st.binary(max_size=300))
def test_any_bytes_are_a_document_or_a_broken_one(raw):
    assert refusal(raw).startswith("a.md: " if refusal(raw) else "")


@given(st.text(max_size=200))
def test_any_front_matter_is_read_or_refused(text):
    words = refusal(f"---\n{text}\n---\nbody".encode("utf-8", "surrogatepass"))
    assert words.startswith("a.md: " if words else "")


def test_hidden_folders_and_links_that_lead_outside_are_left_out(tmp_path):
    outside = tmp_path / "secret.md"
    outside.write_text("secret")
    root = tmp_path / "root"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "a.md").write_text("x")
    (root / "b.md").write_text("x")
    (root / "link.md").symlink_to(outside)
    assert [file.path for file in markdown_files(root)] == ["b.md"]


def test_a_source_that_is_no_folder_is_named(tmp_path):
    with pytest.raises(IngestError, match="is not a folder"):
        list(markdown_files(tmp_path / "absent"))
