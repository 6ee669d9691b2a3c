"""A report as one HTML file that needs no network: styles, charts and drawings are inside it.

Everything from outside is escaped by the template; the page's policy lets no other script run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from assistant.incident import Evidence, Report, Series
from assistant.report.charts import svg
from assistant.report.compose import compose
from assistant.report.document import Lookup, quotes
from assistant.report.drawing import topology_svg
from assistant.report.graph import chains
from assistant.report.records import how_many
from assistant.report.words import clean, clean_block

MOST_DATA = 16_000
SHORTEST_MARK = 3


def html(report: Report) -> str:
    """The whole report as one page."""
    style, script = _packaged("page.css"), _packaged("page.js")
    return _template().render(
        document=compose(report),
        report=report,
        verdict=report.verdict.name.lower(),
        chains=chains(report)[0],
        topology=Markup(topology_svg(report)),  # noqa: S704 - built of escaped parts
        evidence=[shown(one, words) for one, words in _by_citation(report)],
        known={one.id for one in report.evidence},
        when=Lookup(report).when,
        link=_link(report.alert.url),
        style=Markup(style),  # noqa: S704 - our own packaged file
        script=Markup(script),  # noqa: S704 - our own packaged file
        policy=_policy(style, script),
    )


@cache
def _template() -> Template:
    """Read and compiled once: a chat makes many pages, and compiling takes as long as the rest."""
    environment = Environment(
        loader=DictLoader({"page": _packaged("page.html.j2")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clean": clean, "lines": clean_block, "chart": _chart}
    return environment.get_template("page")


def _packaged(name: str) -> str:
    return files("assistant.report").joinpath("page", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing may load or run but the two blocks whose hashes stand here."""
    return (
        f"default-src 'none'; style-src {_hashed(style)}; script-src {_hashed(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashed(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _chart(series: Series) -> Markup:
    return Markup(svg(series))  # noqa: S704 - built of escaped parts


def _link(url: str) -> str:
    """The alert's own page, if it is a web address; a script is none."""
    try:
        return url if urlsplit(url).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _by_citation(report: Report) -> list[tuple[Evidence, tuple[str, ...]]]:
    words = quotes(report)
    ordered = sorted(report.evidence, key=lambda one: one.id not in words)
    return [(one, words.get(one.id, ())) for one in ordered]


def shown(one: Evidence, words: tuple[str, ...], most: int = MOST_DATA) -> dict[str, Any]:
    """One piece of evidence for a template: arguments and data in print, what is quoted marked."""
    data = "" if one.data is None else _pretty(one.data)
    return {
        "one": one,
        "cited": bool(words),
        "how_many": how_many(one),
        "arguments": clean_block(_pretty(dict(one.arguments))),
        "pieces": _marked(data[:most], words),
        "hidden": max(len(data) - most, 0),
    }


def _pretty(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return clean_block(text.encode("utf-8", "replace").decode())


def _marked(data: str, words: tuple[str, ...]) -> list[tuple[str, bool]]:
    """The data in pieces, each with whether the report quotes it."""
    quoted = [word for word in words if len(word) >= SHORTEST_MARK]
    if not quoted:
        return [(data, False)]
    pattern = "|".join(re.escape(word) for word in sorted(quoted, key=len, reverse=True))
    # Split with one group: every second piece is a quoted one.
    pieces = re.split(f"({pattern})", data)
    return [(piece, index % 2 == 1) for index, piece in enumerate(pieces) if piece]
