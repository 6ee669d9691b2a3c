"""Valid documents, damaged: cut, changed, doubled. What is read from them is a document or a refusal."""

from hypothesis import strategies as st

from ingest.document import BrokenDocument, Document, parse
from ingest.sections import outline

PIECES = (
    b"<",
    b"&#0;",
    b"\xff",
    b"\x00",
    b"[[",
    b"|",
    b"```",
    b"----\n",
    b"  ",
    b"{a}",
    b"\n\n",
    b"<!--",
)


@st.composite
def damaged(draw, valid: bytes) -> bytes:
    raw = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        kind = draw(st.sampled_from(("cut", "drop", "insert", "random", "double")))
        if kind == "cut":
            del raw[at:]
        elif kind == "drop":
            del raw[at : at + draw(st.integers(1, 20))]
        elif kind == "insert":
            raw[at:at] = draw(st.sampled_from(PIECES)) * draw(st.integers(1, 5))
        elif kind == "random":
            raw[at:at] = draw(st.binary(max_size=8))
        else:
            raw[at:at] = raw[max(0, at - 60) : at]
    return bytes(raw)


def read_or_refused(path: str, raw: bytes) -> Document | None:
    """The document, its sections looked at, or None where it was refused by its name."""
    try:
        document = parse(path, raw)
    except BrokenDocument:
        return None
    count = document.text.count("\n") + 1
    assert document.body.count("\n") + 1 == count
    assert all(section.last_line <= count for section in outline(document, "a").sections)
    return document
