"""Words as runbooks and alerts write them: identifiers whole and in their parts. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
SENTENCE_END = re.compile(r'[.;!?](?:\s|$)|["\n]')
TOKEN = re.compile(r"[^\W_]+")
# checkout-api-6f9c7d5b8-x2k4q: a name made by a controller is in no runbook.
GENERATED = re.compile(r"\b[a-z0-9-]+-[a-f0-9]{6,10}-[a-z0-9]{5}\b")
NUMBER = re.compile(r"\b\d+(?:\.\d+)?(?:%|[a-z]{1,3})?(?![\w.])")
LABEL = re.compile(r"(?P<key>[A-Za-z_][\w.]*)=\"(?P<value>[^\"]*)\"")
FIRING = re.compile(r"\s*\[(?:FIRING|RESOLVED)[^\]]*\]\s*(?P<alert>[\w.:-]+)", re.IGNORECASE)
ALERT_HEADING = re.compile(
    r"(?:alert(?:\s+name)?\s*:\s*)?[\"'`*]*(?P<name>[A-Za-z][A-Za-z0-9_]{5,})[\"'`*]*",
    re.IGNORECASE,
)
PARTS_OF_A_NAME = 3
"""Words of an alert's name in running text: with two, every product (`ClickHouse`) would be an alert."""
# Labels that say what a thing is; the others (cluster, pod, job of the scrape) only say where.
TELLING_LABELS = frozenset({"service", "type", "component", "namespace", "reason", "name"})
STOP_WORDS = frozenset(
    """
    a an and are as at be been being but by could did do does for from had has have how i if in into
    is it its me my of on or our so that the their them then there these they this to us was we were
    what when where which while who why will with would you your
    """.split()  # noqa: SIM905 - words read better than a hundred quotes
)
"""`no`, `not`, `out`, `over` and their like are none of them: they tell one alert from another."""


def identifier_parts(token: str) -> list[str]:
    """`KubePodCrashLooping` -> Kube, Pod, Crash, Looping; a plain word has no parts."""
    parts = PARTS.findall(token)
    return parts if len(parts) > 1 else []


def identifiers(text: str) -> list[str]:
    """What in a running text may be the name of an alert, lower case."""
    return [
        one.lower()
        for one in IDENTIFIER.findall(text)
        if len(identifier_parts(one)) >= PARTS_OF_A_NAME
    ]


def with_parts(text: str) -> str:
    """The text, followed by the parts of every identifier in it: both ways can be found."""
    parts = [part for token in IDENTIFIER.findall(text) for part in identifier_parts(token)]
    return f"{text}\n{' '.join(parts)}" if parts else text


def terms(text: str) -> list[str]:
    """The distinct words worth searching for, lower case, in order; identifiers in both forms."""
    found = (token.lower() for token in TOKEN.findall(with_parts(_meaningful(text))))
    return list(dict.fromkeys(t for t in found if t not in STOP_WORDS and len(t) > 1))


def pairs(text: str) -> list[str]:
    """The distinct pairs of words that follow each other within a sentence, neither of them a stop word."""
    said = SENTENCE_END.split(GENERATED.sub(" ", text))
    sentences = ([token.lower() for token in TOKEN.findall(sentence)] for sentence in said)
    found = (
        f"{one} {other}"
        for sentence in sentences
        for one, other in pairwise(sentence)
        if not {one, other} & STOP_WORDS
    )
    return list(dict.fromkeys(found))


def _meaningful(text: str) -> str:
    """The text without generated names and bare numbers, which no runbook can know."""
    return NUMBER.sub(" ", GENERATED.sub(" ", text))


def alert_in(heading: str) -> str:
    """The alert a heading or file name is: `KubePodNotReady`, `Alert name: "KubePodNotReady"`; else ""."""
    match = ALERT_HEADING.fullmatch(heading.strip())
    name = match["name"] if match else ""
    return name if len(identifier_parts(name)) > 1 and not name.islower() else ""


def key(heading: str) -> str:
    """A heading, an anchor or an alert's name as letters and digits alone, to compare them by."""
    plain = "".join(character for character in heading.lower() if character.isalnum())
    return plain.removeprefix("alertname") or plain


def alert_and_words(line: str) -> tuple[str, str, dict[str, str]]:
    """A pager line as (alert name, words worth searching, its labels).

    Any other text comes back as ("", the text, {}).
    """
    labels = {match["key"]: match["value"] for match in LABEL.finditer(line)}
    firing = FIRING.match(line)
    if firing is None:
        return "", LABEL.sub(lambda match: match["value"], line), labels
    telling = [value for key, value in labels.items() if key in TELLING_LABELS]
    rest = LABEL.sub(" ", line[firing.end() :])
    return firing["alert"], " ".join([firing["alert"], *telling, rest]), labels
