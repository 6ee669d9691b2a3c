"""Reads tool descriptions as an attacker would have written them. Pure; decides nothing by itself.

Rows 1 to 6 of the threat table of Hou, Zhao, Wang and Wang (arXiv 2503.23278): look-alike names,
doubled names, preference manipulation, hidden instructions, and tools that speak of other servers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from assistant.incident import scalars
from assistant.settings import look_alike
from assistant.toolbox.pins import Difference
from assistant.toolbox.surface import Surface

_LONGEST = 16_000
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PREFERENCE = re.compile(
    r"\b(always (use|call|prefer|choose)|(use|call|prefer|choose) (this|it) (instead|over)\b"
    r"|instead of (the|any|every|all|other|using|calling)|the best (tool|choice|way|option)"
    r"|better than (the |any |all )?other|(must|should) (be )?(call|use)d? (this )?(before|first)"
    r"|do not (use|call) (the |any )?other)\b",
    re.IGNORECASE,
)
_HIDDEN = re.compile(
    r"<\s*/?\s*(important|system|instructions?|secret|hidden)\b|<!--"
    r"|\b(ignore|disregard|forget) (all |any |the |your )*(previous|prior|above|earlier)\b"
    r"|\b(do not|don't|never) (tell|mention|inform|reveal|show) ?(this|it|that|about)? ?(to )?"
    r"(the |any )?(user|human|person|operator|engineer|anyone|anybody)\b"
    r"|\b(system prompt|without (telling|asking|informing) the user)\b",
    re.IGNORECASE,
)


def lint(surface: Surface, servers: Iterable[str]) -> list[Difference]:
    """What is suspicious about a server's definitions; `servers` are the names of all servers."""
    others = {name for name in servers if name != surface.server}
    found = [Difference(surface.server, what, why) for what, why in _of_surface(surface, others)]
    for name, tool in sorted(surface.tools.items()):
        problems = _of_text("\n".join(scalars(tool.wire)), others)
        found += [Difference(surface.server, f"tool {name}", problem) for problem in problems]
    return found


def suspicious_tools(surface: Surface, servers: Iterable[str]) -> frozenset[str]:
    """The tools that `lint` has something to say about."""
    said = {found.what.removeprefix("tool ") for found in lint(surface, servers)}
    return frozenset(said & set(surface.tools))


def _of_surface(surface: Surface, others: set[str]) -> Iterator[tuple[str, str]]:
    if twin := look_alike(surface.server, others):
        yield "name", f"looks like the name of server {twin!r}"
    for name in sorted(surface.tools):
        if not _NAME.fullmatch(name):
            yield f"tool {name}", "has a name with unusual characters"
    for name in sorted(surface.duplicates):
        yield f"tool {name}", "is offered twice under one name"
    for problem in _of_text(surface.instructions, others):
        yield "instructions", problem


def _of_text(text: str, others: set[str]) -> Iterator[str]:
    if len(text) > _LONGEST:
        yield f"is very long ({len(text)} characters): read it before you approve it"
    if match := _PREFERENCE.search(text):
        yield f"tells the reader what to prefer ({match.group()!r})"
    if match := _HIDDEN.search(text):
        yield f"speaks to the model behind the person's back ({match.group()!r})"
    if hidden := sorted({f"U+{ord(sign):04X}" for sign in text if _invisible(sign)}):
        yield f"holds invisible characters ({', '.join(hidden[:5])})"
    for other in sorted(others):
        if match := re.search(rf"\b{re.escape(other)}\.(?!io\b)[a-z_]+", text):
            yield f"speaks of another server's tool ({match.group()!r})"


def _invisible(sign: str) -> bool:
    """Control, bidirectional, tag, private and zero-width characters, but for line and tab."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cs") and sign not in "\n\t\r"
