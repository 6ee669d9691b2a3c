"""What the templates are given: rows of the list, turns, evidence. No I/O but the packaged templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from assistant.chat.contract import Attachment, Reply
from assistant.chat.web.memory import Turn
from assistant.chat.web.places import Place, incident_at
from assistant.chat.web.showing import CITED, diagram, rendered, rendered_reply
from assistant.incident import Evidence
from assistant.report.html import shown
from assistant.report.words import clean, clean_block, clock, count, utc

SVG, MERMAID, MARKDOWN, HTML = (
    "image/svg+xml",
    "text/vnd.mermaid",
    "text/markdown",
    "text/html",
)
LONG_QUESTION = 600
MOST_DATA = 200_000
"""Characters of evidence in the drawer: what is cited may stand far down."""


@dataclass(frozen=True)
class File:
    """Something that came with an answer."""

    name: str
    path: str
    size: str
    picture: bool = False
    wide: int = 0
    high: int = 0
    drawn: str = ""
    read: bool = False


@dataclass(frozen=True)
class Shown:
    """One turn, as the page shows it."""

    turn: Turn
    path: str
    at: str
    question: str
    long: bool
    answer: str = ""
    cites: tuple[tuple[str, tuple[str, ...]], ...] = ()
    files: tuple[File, ...] = ()
    report: str = ""
    incident: str = ""
    """Where the thread of the incident is that this speaks of, if it is another one."""
    seconds: float | None = None
    """Since when it is being worked on; None where it is not, at least not by this process."""


def shown_turn(turn: Turn, place: Place, now: datetime, seconds: float | None = None) -> Shown:
    """The turn, all text of it harmless."""
    reply = turn.reply
    path = f"{place.path}/turns/{turn.number}"
    return Shown(
        turn=turn,
        path=path,
        at=clock(turn.at, utc(now).date()),
        question=clean_block(turn.text),
        long=len(turn.text) > LONG_QUESTION,
        answer=rendered_reply(reply, f"{place.path}/evidence") if reply else "",
        cites=_cites(reply) if reply else (),
        files=tuple(_files(reply, path)) if reply else (),
        report=_full(reply) if reply else "",
        incident=_elsewhere(reply, place) if reply else "",
        seconds=seconds,
    )


def _elsewhere(reply: Reply, place: Place) -> str:
    own = incident_at(reply.incident)
    return own.path if own and own != place else ""


def _full(reply: Reply) -> str:
    """The id of the report that came whole: it is shown as a page, not as a file."""
    whole = any(one.media_type == HTML for one in reply.attachments)
    return reply.report if whole else ""


def _cites(reply: Reply) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, dict[str, None]] = {}
    for one in reply.citations:
        found.setdefault(one.evidence, {})
        if one.quote:
            found[one.evidence][clean(one.quote)[:120]] = None
    return tuple((id, tuple(quotes)) for id, quotes in found.items())


def _files(reply: Reply, path: str) -> Iterable[File]:
    drawn = {PurePath(one.name).stem for one in reply.attachments if one.media_type == SVG}
    for place, one in enumerate(reply.attachments):
        picture = one.media_type == SVG
        ours = one.media_type == MERMAID and PurePath(one.name).stem not in drawn
        yield File(
            name=clean(one.name),
            path=f"{path}/files/{place}",
            size=count(len(one.text), "character"),
            picture=picture,
            wide=_measure(one.text, "width") if picture else 0,
            high=_measure(one.text, "height") if picture else 0,
            drawn=diagram(one.text, clean(one.name)) if ours else "",
            read=one.media_type == MARKDOWN,
        )


def _measure(svg: str, name: str) -> int:
    """The width or height that a drawing says it has, so that its place is kept for it."""
    said = re.search(rf'<svg[^>]*\s{name}="(\d{{1,5}})"', svg)
    return int(said.group(1)) if said else 0


def read(attachment: Attachment, place: Place) -> Markup:
    """A Markdown file, to be read on the page, with its citations to click."""
    cited = frozenset(CITED.findall(attachment.text))
    return rendered(attachment.text, f"{place.path}/evidence", cited)


def evidence_view(one: Evidence, quotes: Iterable[str]) -> Mapping[str, Any]:
    """One piece of evidence, its quoted words marked."""
    return shown(one, tuple(quotes), MOST_DATA) | {
        "taken": f"{utc(one.taken_at):%d %b %Y %H:%M:%S} UTC"
    }


class Templates:
    """The packaged templates, filled in."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("assistant.chat.web", "page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"clean": clean, "lines": clean_block}
        self._environment.globals["version"] = _version()

    def page(self, name: str, **values: Any) -> str:
        """The template `name`, with these values."""
        return self._environment.get_template(f"{name}.html.j2").render(values)


def _version() -> str:
    """Changes with the packaged files, so that a browser keeps none of an older release."""
    folder = files("assistant.chat.web").joinpath("page")
    sent = ("page.css", "page.js", "drawing.js", "vendor/htmx.min.js", "vendor/mermaid.tiny.js.gz")
    text = b"".join(folder.joinpath(*name.split("/")).read_bytes() for name in sent)
    return sha256(text).hexdigest()[:12]
