"""Who points where: a `runbook_url` or an alert's exact name straight to its runbook, before any search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from ingest.addresses import FOLDER_PAGES
from ingest.lookup import Lookup, Runbook

URL = "the alert's runbook_url points here"
NAME = "it is about exactly this alert"
MANY = 5
"""A name that more topics than this answer to routes to none of them."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Topic number -> why; and the sections that are named themselves."""

    topics: Mapping[int, str]
    sections: frozenset[int]


def routes(lookup: Lookup, alert: str, url: str) -> Routes:
    """Where the alert itself says to look; its URL goes before its name."""
    named = lookup.sections_under(alert) if alert else []
    about = (lookup.topics_about(alert) if alert else set()) | {one.topic for one in named}
    if len(about) > MANY:
        about, named = set(), []
    topics = dict.fromkeys(about, NAME)
    sections = {section.number for section in named}
    for topic, pointed in _pointed(lookup, url).items():
        topics[topic] = URL
        sections |= pointed
    return Routes(topics, frozenset(sections))


def _pointed(lookup: Lookup, url: str) -> dict[int, set[int]]:
    """Topic -> sections under the URL's fragment; without one, all topics of the page."""
    path, fragment = address(url)
    found: dict[int, set[int]] = {}
    for runbook in best_ending(path, url, lookup.ending_like(path)) if path else []:
        under = lookup.sections_under(fragment) if fragment else []
        here = [section for section in under if section.runbook == runbook.number]
        for section in here:
            found.setdefault(section.topic, set()).add(section.number)
        if not here:
            found |= {topic: set() for topic in lookup.topics_of(runbook.number)}
    return found


def address(url: str) -> tuple[str, str]:
    """A URL as (path, fragment). Bad ones give what can be read of them."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url, ""
    return unquote(parts.path), unquote(parts.fragment)


def best_ending(path: str, url: str, runbooks: Sequence[Runbook]) -> list[Runbook]:
    """Those whose path agrees with the address on most of its last parts; a declared URL wins."""
    declared = [runbook for runbook in runbooks if runbook.url and runbook.url == url]
    if declared:
        return declared
    lengths = [_agreement(path, runbook.path) for runbook in runbooks]
    longest = max(lengths, default=0)
    return [one for one, length in zip(runbooks, lengths, strict=True) if length == longest > 0]


def _agreement(one: str, other: str) -> int:
    """How many parts two paths share, counted from their ends."""
    pairs = zip(reversed(_parts(one)), reversed(_parts(other)), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _parts(path: str) -> list[str]:
    names = [part.lower() for part in path.split("/") if part]
    if names:
        names[-1] = PurePosixPath(names[-1]).stem if "." in names[-1] else names[-1]
    return names[:-1] if names and names[-1] in FOLDER_PAGES else names
