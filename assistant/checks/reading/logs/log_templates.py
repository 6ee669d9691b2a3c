"""Which lines of a log say the same thing: the fixed-depth tree of Drain (He et al., ICWS 2017). Pure.

Our own, of that algorithm: the library `drain3` has had no release since 2022, pins two other
libraries to versions of 2021, and its import alone (70 ms) takes as long as all the mining here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

ANY = "<*>"
ALIKE = 0.5
"""Share of words in which a line must agree with a template to be one of its own (Drain's default)."""

MOST_WORDS = 60
"""Words of a line that are looked at: what comes behind is a payload."""

_VARYING = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,]*(?:Z|[+-]\d\d:?\d\d)?"  # a time
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b|\b0x[0-9a-f]+\b|\b[0-9a-f]{12,}\b"  # an id
    r"|\b\d+(?:[.:]\d+)*\b",
    re.IGNORECASE,
)


@dataclass
class Template:
    """A line with what varies left open, and how often it was said."""

    words: list[str]
    rows: list[int] = field(default_factory=list)
    """The places, in the lines given, of those that say it."""

    @property
    def text(self) -> str:
        """The template in one line."""
        return " ".join(self.words)

    def agrees(self, words: list[str]) -> float:
        """Share of the words in which a line of the same length is like this one."""
        same = sum(one == other != ANY for one, other in zip(self.words, words, strict=True))
        return same / len(words)

    def take(self, place: int, words: list[str]) -> None:
        """Make a line one of its own: where they differ, the template is open."""
        pairs = zip(self.words, words, strict=True)
        self.words = [one if one == other else ANY for one, other in pairs]
        self.rows.append(place)


def templates(lines: Iterable[str]) -> list[Template]:
    """The templates of these lines, the most frequent first."""
    tree: dict[tuple[int, str], list[Template]] = defaultdict(list)
    for place, line in enumerate(lines):
        words = masked(line).split()[:MOST_WORDS] or [ANY]
        leaf = tree[len(words), words[0]]
        best = max(leaf, key=lambda template: template.agrees(words), default=None)
        if best is None or best.agrees(words) < ALIKE:
            best = Template(words)
            leaf.append(best)
        best.take(place, words)
    found = [template for leaf in tree.values() for template in leaf]
    return sorted(found, key=lambda template: (-len(template.rows), template.rows[0]))


def masked(line: str) -> str:
    """A line with numbers, times, addresses and ids left open."""
    return _VARYING.sub(ANY, line)
