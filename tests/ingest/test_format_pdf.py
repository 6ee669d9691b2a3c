"""PDF text: headings and code by their letters; whatever is wrong with a file, a refusal in words."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.document import BrokenDocument, parse
from ingest.formats import confined, pdf
from ingest.formats.page import Unreadable
from ingest.sections import outline
from tests.ingest.fuzzing import damaged

BODY, CODE = "F1", "F2"
LINES = [
    (BODY, 20, "Disk full"),
    (BODY, 10, "A node has no space left, and the pods on it are evicted."),
    (BODY, 14, "Steps"),
    (BODY, 10, "1. Look at what is large on the node, and who wrote it there:"),
    (CODE, 9, "df -h"),
    (CODE, 9, "  # du -sh *"),
    (BODY, 10, "# is no heading, whatever Markdown says of such a line."),
]


def content(lines):
    """The operators that draw these lines one under the other."""
    at, drawn = 800, []
    for font, size, text in lines:
        at -= 25 if font == BODY else 12
        drawn.append(f"BT /{font} {size} Tf 1 0 0 1 50 {at} Tm ({text}) Tj ET")
    return "\n".join(drawn).encode()


def pdf_of(stream, *, extra=b"", trailer=b""):
    """A PDF of one page, by hand: its content is this stream, unpacked by zlib."""
    packed = zlib.compress(stream)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 850] /Contents 4 0 R /Resources "
        b"<< /Font << /F1 5 0 R /F2 6 0 R >> " + extra + b" >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(packed), packed),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
    ]
    out, starts = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root 1 0 R %b >>\n"
        b"startxref\n%d\n%%%%EOF" % (len(starts) + 1, table, len(starts) + 1, trailer, len(out))
    )


VALID = pdf_of(content(LINES))


def test_larger_lines_are_headings_and_lines_in_a_fixed_width_are_code():
    document = parse("a.pdf", VALID)
    assert outline(document, "a").headings == ("Disk full", "Steps")
    assert "```\ndf -h\n  # du -sh *\n```" in document.text
    assert "\\# is no heading" in document.text
    assert document.converted


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"plain", "is no PDF"),
        (b"%PDF-1.4 and nothing", "cannot be read as a PDF"),
        (pdf_of(b"0 0 10 10 re f"), "holds no text; it may be a scan"),
        (
            pdf_of(
                b"",
                trailer=b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O (%b) /U (%b) >> /ID [(a) (a)]"
                % (b"x" * 32, b"y" * 32),
            ),
            "is encrypted",
        ),
        (
            pdf_of(
                b"",
                trailer=b"/Encrypt << /Filter /Standard /V 5 /R 6 /Length 256 /P -4 /O (%b) /U (%b) "
                b"/OE (%b) /UE (%b) /Perms (%b) /CF << /StdCF << /CFM /AESV3 /Length 32 >> >> "
                b"/StmF /StdCF /StrF /StdCF >> /ID [(a) (a)]"
                % (b"x" * 48, b"y" * 48, b"o" * 32, b"u" * 32, b"p" * 16),
            ),
            "is encrypted",
        ),
    ],
)
def test_what_cannot_be_read_says_why(raw, words):
    with pytest.raises(Unreadable) as caught:
        pdf.read(raw)
    assert words in str(caught.value)


def test_a_stream_that_unpacks_to_gigabytes_is_refused():
    with pytest.raises(BrokenDocument, match=r"a\.pdf: "):
        parse("a.pdf", pdf_of(b" " * 200_000_000))


def test_work_without_end_is_stopped():
    endless = pdf_of(b"BT /F1 9 Tf " + b"(a) Tj 1 0 0 1 0 9 Tm " * 1_000_000 + b"ET")
    with pytest.raises(Unreadable, match="needs more than 1 s"):
        confined.read("pdf", endless, seconds=1)


def readable(raw):
    """Whether it is read; being refused in words is the other right outcome."""
    try:
        return pdf.read(raw) is not None
    except Unreadable as error:
        return bool(str(error))


@settings(deadline=None, max_examples=60)
@given(damaged(VALID))
def test_a_damaged_file_is_read_or_refused(raw):
    assert readable(raw)


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    assert readable(b"%PDF-1.4\n" + raw)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.sampled_from(
            [
                b"BT",
                b"ET",
                b"Tj",
                b"(a)",
                b"/F1",
                b"/F9",
                b"9",
                b"Tf",
                b"Tm",
                b"Do",
                b"cm",
                b"q",
                b"Q",
                b"[(a) 9]",
                b"TJ",
                b"-1e99",
                b"<<",
            ]
        ),
        max_size=30,
    )
)
def test_any_order_of_operators_is_read_or_refused(operators):
    assert readable(pdf_of(b" ".join(operators)))
