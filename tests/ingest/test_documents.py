"""What a document says of itself, and how broken ones are refused."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.document import BrokenDocument, Metadata, parse


def said(text, path="a.md"):
    return parse(path, text.encode()).metadata


def test_front_matter_is_read_whatever_its_spelling():
    found = said("---\nTitle: Disk full\nservice: a, b\nlast-reviewed: 2026-01-02\n---\ntext\n")
    assert (found.title, found.services, found.last_reviewed) == (
        "Disk full",
        ("a", "b"),
        "2026-01-02",
    )


def test_front_matter_in_toml_is_read():
    found = said('+++\ntitle = "Disk full"\nalerts = ["A", "B"]\nlast_reviewed = 2026-01-02\n+++\n')
    assert (found.title, found.alerts, found.last_reviewed) == (
        "Disk full",
        ("A", "B"),
        "2026-01-02",
    )


@pytest.mark.parametrize("mark", ["---", "+++"])
def test_line_numbers_stay_true_below_front_matter(mark):
    document = parse("a.md", f"{mark}\n# a remark\n{mark}\nfourth line\n".encode())
    assert document.body.split("\n")[3] == "fourth line"
    assert not document.converted


def test_a_rule_at_the_top_is_not_front_matter():
    assert said("---\n\nno end").title == ""


def test_an_index_page_is_called_by_its_folder():
    assert parse("etcd/README.md", b"x").name == "etcd"


@pytest.mark.parametrize(
    "lead",
    [
        "| Owner | team-a |\n|---|---|\n| Severity | critical |\n| Last reviewed | 1 Oct 2026 |",
        "|  |  |\n| --- | --- |\n| **Owner** | [team-a](https://x.example) |\n| Severity | `critical` |\n| Last reviewed | 2026-10-01 |",
        "**Owner:** team-a\n**Severity:** critical\n**Last reviewed:** 2026/10/01",
        "- Owner: team-a\n- Severity: critical\n- Last reviewed: October 1, 2026",
        "* **Team**: team-a\n* *Severity*: critical\n* Reviewed: 2026-10-01",
    ],
)
def test_the_first_table_or_list_is_metadata(lead):
    found = said(f"# Disk full\n\n{lead}\n\n## Steps\n\n**Owner:** somebody else\n")
    assert (found.owner, found.severity, found.last_reviewed) == (
        "team-a",
        "critical",
        "2026-10-01",
    )


@pytest.mark.parametrize(
    "lead",
    [
        "| Severity | Meaning |\n|---|---|\n| critical | call |",
        "| Service | Owner |\n|---|---|\n| checkout | team-a |",
        "Service: this page is about what to do when the service is down for long, and why.",
        "Alert: fires when it is slow.",
        "Last reviewed: 01/02/2026",
        "```\nOwner: team-a\n```",
        "## Meaning\n\nOwner: team-a",
        "Owner:",
    ],
)
def test_what_only_looks_like_metadata_is_none(lead):
    assert said(f"# Disk full\n\n{lead}\n") == Metadata()


def test_front_matter_goes_before_the_first_list_and_that_before_what_the_source_knows():
    raw = b"---\nowner: header\n---\n# T\n\n- Owner: list\n- Severity: critical\n"
    given_by_source = Metadata(owner="source", severity="source", services=("checkout",))
    found = parse("a.md", raw, given=given_by_source).metadata
    assert (found.owner, found.severity, found.services) == ("header", "critical", ("checkout",))


@pytest.mark.parametrize(
    ("path", "text"), [("x/KubePodCrashLooping.md", "text"), ("a.md", "# KubePodCrashLooping\n")]
)
def test_an_alert_in_a_name_is_inferred_and_marked_so(path, text):
    found = said(text, path)
    assert (found.alerts, found.inferred) == (("KubePodCrashLooping",), ("alerts",))


def test_declared_alerts_are_not_marked_inferred():
    found = said("---\nalerts: DiskFull\n---\n", "KubePodCrashLooping.md")
    assert (found.alerts, found.inferred) == (("DiskFull",), ())


def test_nothing_is_inferred_about_its_date():
    assert said("# Disk full 2026-10-01\n").last_reviewed == ""


@pytest.mark.parametrize(
    ("path", "media_type", "converted"),
    [
        ("a.md", "", False),
        ("a", "", False),
        ("a.html", "", True),
        ("a.md", "text/html; charset=utf-8", True),
        ("a.html", "text/plain", True),
        ("a", "text/plain", False),
        ("a.adoc", "application/octet-stream", True),
    ],
)
def test_the_media_type_tells_the_format_or_else_the_ending(path, media_type, converted):
    assert parse(path, b"<b>x</b>", media_type).converted is converted


def test_in_plain_text_a_line_of_capitals_is_a_heading_and_lines_stay():
    document = parse("a.txt", b"first\n\nHOW TO FIX:\n\n1. NOT THIS\n")
    assert document.body.split("\n")[2] == "## HOW TO FIX"
    assert document.text.split("\n")[2] == "HOW TO FIX:"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"ok \xff\xfe", "a.md: not UTF-8 (byte 3)"),
        (b"---\ntitle: [x\n---\n", "a.md: bad front matter"),
        (b"---\njust words\n---\n", "a.md: bad front matter: it is not a list of `key: value`"),
        (b"---\nwhen: 2026-13-45 00:00:00\n---\n", "a.md: bad front matter"),
        (b"+++\ntitle = \n+++\n", "a.md: bad front matter"),
        (b"---\na: " + b"[" * 5_000 + b"\n---\n", "a.md: bad front matter"),
        (b"---\n" + b"a: b\n" * 20_000 + b"---\n", "a.md: bad front matter: more than 64000"),
        (b"a\x00b", "a.md: holds NUL bytes"),
    ],
)
def test_a_broken_document_says_what_is_wrong_with_it(raw, words):
    with pytest.raises(BrokenDocument) as caught:
        parse("a.md", raw)
    assert words in str(caught.value)


def test_aliases_that_hold_themselves_are_no_metadata():
    found = said("---\nservices: &a [*a, checkout]\ntitle: *a\nowner: &o {o: *o}\n---\n")
    assert (found.services, found.owner) == (("checkout",), "")


@pytest.mark.parametrize("line", ["{<<: [%s]}", "[%s]"])
def test_aliases_that_multiply_are_refused(line):
    grown = "".join(f"b{n}: &b{n} {line % ', '.join([f'*b{n - 1}'] * 9)}\n" for n in range(1, 30))
    with pytest.raises(BrokenDocument, match="more than 20 aliases"):
        said(f"---\nb0: &b0 {{k: v}}\n{grown}---\n")


def test_numbers_too_long_to_write_down_are_no_text():
    assert said(f"---\ntitle: 0x{'f' * 20_000}\n---\n").title == ""


def test_markdown_alone_loads_no_other_reader():
    program = (
        "import sys; from ingest.document import parse; parse('a.md', b'---\\ntitle: x\\n---\\n'); "
        "print([name for name in ('bs4', 'lxml', 'docutils', 'pypdf', 'markdownify') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


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


@given(st.sampled_from(["---", "+++"]), st.text(max_size=200))
def test_any_front_matter_is_read_or_refused(mark, text):
    words = refusal(f"{mark}\n{text}\n{mark}\nbody".encode("utf-8", "surrogatepass"))
    assert words.startswith("a.md: " if words else "")


@given(st.text(alphabet="|*_-:# \nOwnerTamevisd,1<>[]()`", max_size=300))
def test_any_lead_is_read(text):
    assert said(text).inferred in {(), ("alerts",)}


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_path_and_media_type_lead_to_a_reader(path, media_type):
    assert (
        parse(f"{path}.md", b"x", media_type if "pdf" not in media_type else "").path
        == f"{path}.md"
    )
