"""Our drawings as pictures that stand alone, outside the page that styles them."""

from __future__ import annotations

from importlib.resources import files

DRAWN = (".chart", ".topology")
"""The classes of our own drawings, as the report's page styles them."""
NAMESPACE = "http://www.w3.org/2000/svg"


def drawing_style() -> str:
    """The page's rules for our drawings: one place says how they look."""
    page = files("assistant.report").joinpath("page", "page.css").read_text("utf-8")
    return "\n".join(line for line in page.splitlines() if line.startswith(DRAWN))


def standalone(svg: str) -> str:
    """The drawing with its own namespace and style, for a browser to show as an image."""
    head, tag, rest = svg.partition("<svg")
    if not tag:
        return svg
    named = "" if "xmlns=" in rest.partition(">")[0] else f' xmlns="{NAMESPACE}"'
    attributes, end, body = rest.partition(">")
    return f"{head}<svg{named}{attributes}{end}<style>{drawing_style()}</style>{body}"
