"""Text as it was typed -> plain lower-case words with the same meaning. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from assistant.chat.understanding.vocabulary import KEYWORDS, ORDINARY

_REWRITES: tuple[tuple[str, str], ...] = (
    (r"[\u2018\u2019\u00b4`]", "'"),
    (r"\bwhat'?s\b", "what is"),
    (r"\bwho'?s\b", "who is"),
    (
        r"\b(where|when|how|why|it|that|there|here|everything|anything|something|nothing)'s\b",
        r"\1 is",
    ),
    (r"\bhows\b", "how is"),
    (r"\bits\b(?= (?:not|been|the|a|an|still)\b)", "it is"),
    (r"\b(is|are|was|were|do|does|did|has|have|had|should|would|could)nt\b", r"\1 not"),
    (r"\b(?:wat|wut|wtf)\b(?: is)?(?= (?:is|are|was|\w+ed|\w+ing)\b)", "what"),
    (r"\b(?:rn|atm)\b", "now"),
    (r"\bsth\b", "something"),
    (r"\bdepl(?:oys?)?\b", "deploy"),
    (r"\bpics?\b", "picture"),
    (r"\brb\b(?= (?:for|about|on|says?)\b)", "runbook"),
    (r"\bpm\b(?= (?:docs?|document|draft|template)\b)", "postmortem"),
    (r"\bcan't\b|\bcannot\b", "can not"),
    (r"\bwon't\b", "will not"),
    (r"n't\b", " not"),
    (r"\b(i|we|you|they)'(ve|re|d|ll|m)\b", r"\1"),
    (r"(?<=\w)'s\b", ""),
    (r"(?<=s)'(?=\s)", ""),
    (r"\by(?= (?:did|is|does|do|was|are|has|the)\b)", "why"),
    (r"\bu\b", "you"),
    (r"\b(?:pls|plz|kindly)\b", "please"),
    (r"\bon[- ]?call\b", "on call"),
    (r"\boncaller?\b", "on call"),
    (r"\broll(ed|ing|s)?[- ]?back\b", "roll back"),
    (r"\bpost[- ]?mortems?\b", "postmortem"),
    (r"\brun[- ]books?\b|\brunbooks\b", "runbook"),
    (r"\bplay[- ]?books?\b", "playbook"),
    (r"\bcrash[- ]?loop(?:s|ing|ed)?(?:back-?off)?\b", "crash loop"),
    (r"\broot[- ]cause\b", "root cause"),
    (r"\brule[- ]?out\b|\bruling out\b", "ruled out"),
    (r"\bk8s?\b", "kubernetes"),
    (r"\btl;?dr\b", "tldr"),
    (r"\bo'clock\b", ""),
)
_BREAKS = re.compile(r"(?<=[.!?;\n])\s+|\n+|\s+[-\u2013\u2014]+\s+")
_WORD = re.compile(r"[a-z0-9#%][a-z0-9#%./:_-]*")
_MENTION = re.compile(r"<[@!#][^>\s]{1,80}>")
_LEAST_TYPO = 5


def sentences(text: str, names: Iterable[str] = ()) -> list[str]:
    """Each sentence as plain words; typing slips in words that matter are put right."""
    visible = "".join(" " if unicodedata.category(c)[0] == "C" and c != "\n" else c for c in text)
    lower = _MENTION.sub(" ", unicodedata.normalize("NFKC", visible)).lower()
    for pattern, words in _REWRITES:
        lower = re.sub(pattern, words, lower)
    known = frozenset(names)
    plain = (" ".join(_words(part, known)) for part in _BREAKS.split(lower))
    return [sentence for sentence in plain if sentence]


def _words(sentence: str, known: frozenset[str]) -> list[str]:
    found = (word.rstrip("./:_-") for word in _WORD.findall(sentence))
    return [_corrected(word, known) for word in found if word]


def _corrected(word: str, known: frozenset[str]) -> str:
    """The keyword that this was meant to be, where only one slip lies between."""
    if word in ORDINARY or word in KEYWORDS or word in known or not word.isalpha():
        return word
    if len(word) < _LEAST_TYPO - 1:
        return word
    return next((right for right in KEYWORDS if _one_slip(word, right)), word)


def _one_slip(word: str, right: str) -> bool:
    """Whether one letter is missing, too many or wrong, or two stand in the wrong order."""
    if len(right) < _LEAST_TYPO - 1 or word[0] != right[0] or abs(len(word) - len(right)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(word, right, strict=False)) if a != b), None)
    if at is None:
        return len(right) >= _LEAST_TYPO + 1 and word + "s" != right and right + "s" != word
    swapped = word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
    if swapped == right:
        return True
    if len(right) < _LEAST_TYPO:
        return False
    rest, wanted = word[at:], right[at:]
    return rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]
