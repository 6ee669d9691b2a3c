"""Text as it was typed -> plain lower-case words with the same meaning. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from assistant.chat.understanding.commands import spelled_out
from assistant.chat.understanding.everyday import PLACES, WORLD
from assistant.chat.understanding.vocabulary import KEYWORDS, ORDINARY

_REWRITES = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"[\u2018\u2019\u00b4`]", "'"),
        (r"\[firing:\d+\]", " firing "),
        (r"\bi(?: am|.?m) (?=(?:in|on|at) (?:the )?[a-z0-9]+-)", ""),
        (r"\b(?:lol|lmao|omg|tbh|imo|imho|fyi|afaik|iirc|btw|ffs|jfc|smh|ugh+|argh+|hm+|uhm*|erm*|damn(?:ed)?|bloody|f[u*]+cking?|freaking|goddamn(?:ed)?|pray|um)\b[,!]*", " "),
        (r"\b(what|why|who|where|how|when) (?:the|in the|on) (?:bloody )?(?:hell|heck|fuck|devil|f|world|earth)\b", r"\1"),
        (r"\bwhat'?s\b", "what is"),
        (r"\bwho'?s\b", "who is"),
        (r"\b(where|when|how|why|it|that|there|here|everything|anything|something|nothing)'s\b", r"\1 is"),
        (r"\b(how|where|when|that|there|here)s\b", r"\1 is"),
        (r"\bits\b(?= (?:not|been|the|a|an|still|def\w*|because|due|about|so|down|slow|failing|broken|dead)\b)", "it is"),
        (r"\bi'?m\b", "i am"),
        (r"\b(i|we|you|they)(?:'ve|'d)\b", r"\1"),
        (r"\bive\b", "i"),
        (r"\b(is|are|was|were|do|does|did|has|have|had|should|would|could)nt\b", r"\1 not"),
        (r"\b(?:wat|wut|wht|wtf)\b(?: is)?(?= (?:is|are|was|\w+ed|\w+ing)\b)", "what"),
        (r"\b(?:wat|wut|wht)\b", "what"),
        (r"\bwtf\b", " "),
        (r"\b(?:rn|atm)\b", "now"),
        (r"\b(?:sth|smth|somthing|smthing|sumthin|somethin)\b", "something"),
        (r"\b(?:anythng|anyting|nething|anythin)\b", "anything"),
        (r"\bdepl\b", "deploy"),
        (r"\bpics?\b", "picture"),
        (r"\brb\b(?= (?:for|about|on|says?)\b)", "runbook"),
        (r"\bpm\b(?= (?:docs?|document|draft|template|for|of)\b)", "postmortem"),
        (r"\b(?:blameless|incident|a|the) pm\b(?! (?:or|and|called|asked|wants|is)\b)", "postmortem"),
        (r"\bcan't\b|\bcannot\b|\bcant\b", "can not"),
        (r"\bwon't\b|\bwont\b", "will not"),
        (r"\bain'?t\b", "is not"),
        (r"n't\b", " not"),
        (r"\b(i|we|you|they)'(re|ll|m)\b", r"\1"),
        (r"(?<=\w)'s\b", ""),
        (r"(?<=s)'(?=\s)", ""),
        (r"\by(?= (?:did|is|does|do|was|are|has|the|so|it|that|would)\b)", "why"),
        (r"\bcuz\b|\bcoz\b|\bbcause\b", "because"),
        (r"\bu\b", "you"), (r"\bur\b", "your"), (r"\br\b(?= (?:the|you|we|there|they|these|all|any|our)\b)", "are"),
        (r"\bcn\b(?= (?:you|i|we)\b)", "can"), (r"\bfrm\b", "from"), (r"\bteh\b", "the"), (r"\bshwo\b|\bshw\b", "show"),
        (r"\bb4\b", "before"), (r"\bw/o\b", "without"), (r"(?<=\s)w/(?=\s|[a-z])", "with "),
        (r"\bwanna\b", "want to"), (r"\bgonna\b", "going to"), (r"\bgimm?e\b", "give me"), (r"\blemm?e\b", "let me"), (r"\bdunno\b", "do not know"),
        (r"\bdef(?:fo|initely|initly|inately|o)?\b(?= (?:not|the|a|it|is)\b)", "definitely"),
        (r"\b(?:pls|plz|plox|kindly|pleas)\b", "please"),
        (r"\bgood (?:morning|evening|day|afternoon|night)\b", "hello"), (r"\bthrough the roof\b", "high"), (r"\bnoisy neighbou?rs?\b", "noisy workload"),
        (r"\bin order to\b", "to"), (r"\btmr+o?w?\b", "tomorrow"), (r"\bmem\b", "memory"), (r"\berrs?\b", "errors"), (r"\b(?:re)\b(?=:? [a-z0-9]+-)", "regarding"),
        (r"\bon[- ]?call(?:er)?\b", "on call"),
        (r"\broll(ed|ing|s)?[- ]?back\b", "roll back"),
        (r"\bpost[- ]?mort[aeiou]?\w{0,3}\b|\bpostmortens?\b|\bpost[- ]?mertems?\b", "postmortem"),
        (r"\brun[- ]?bo?o?ks?\b", "runbook"),
        (r"\bplay[- ]?books?\b", "playbook"),
        (r"\bcrash[- ]?loop(?:s|ing|ed)?(?:[- ]?back[- ]?off)?\b", "crash loop"),
        (r"\boom[- ]?kill(?:ed|s|ing)?\b", "oom killed"),
        (r"\broot[- ]?causes?\b", "root cause"),
        (r"\brul(?:e|ed|ing)[- ]?out\b", "ruled out"),
        (r"\btime[- ]?outs?\b(?! of)", "timeouts"),
        (r"\btime[- ]?line\b", "timeline"),
        (r"\bhand[- ]?(?:over|off)\b", "handover"),
        (r"\bk8s?\b|\bkube\b", "kubernetes"),
        (r"\btl;?dr\b", "tldr"),
        (r"\bo'clock\b", ""),
    )
)  # fmt: skip
_BREAKS = re.compile(r"(?<=[.!?;\n])\s+|\n+|\s+[-\u2013\u2014]+\s+")
_CLAUSES = re.compile(
    r"[,:;?!)]+\s+|\s+\(|\.{2,}|\s(?=(?:but|because|so that|and (?:then|also)|although|however|since (?:i|we|it))\b)"
)
_WORD = re.compile(r"[a-z0-9#%][a-z0-9#%./:_-]*")
_MENTION = re.compile(r"<[@!#][^>\s]{1,80}>")
_LEAST_TYPO = 5
_LONGEST_NAME = 253
_ELLIPTIC = re.compile(
    r"^(?:and |so |but |ok |hmm )*(?:(?:why|how come|what for)(?: (?:is|was) (?:that|it|this))?|any (?:ideas?|clues?|thoughts?)(?: why)?|(?:do )?(?:you |anyone )?know why"
    r"|what (?:is|was) the (?:actual |real )?(?:reason|cause)(?: (?:for|behind|of) (?:it|this|that))?|what happen(?:ed|s)?|for (?:what|which) reason|what is going on|(?:please )?help(?: me| please| out)*|(?:please )?explain(?: why| please)*)(?: (?:please|here|there|then|again|now))*$"
)


@dataclass(frozen=True)
class Sentence:
    """Plain words, by clause; whether a question mark ended it."""

    clauses: tuple[str, ...]
    asks: bool = False

    @property
    def text(self) -> str:
        """All of it, without the marks between clauses."""
        return " ".join(self.clauses)


def sentences(text: str, names: Iterable[str] = ()) -> list[Sentence]:
    """Each sentence as plain words; typing slips in words that matter are put right."""
    lower = unicodedata.normalize("NFKC", _visible(text))
    lower = spelled_out(_MENTION.sub(" ", lower).lower())
    for pattern, words in _REWRITES:
        lower = pattern.sub(words, lower)
    known = frozenset(names)
    read = (_sentence(part, known) for part in _BREAKS.split(lower))
    return _joined(one for one in read if one.clauses)


def _visible(text: str) -> str:
    return "".join(" " if unicodedata.category(c)[0] == "C" and c != "\n" else c for c in text)


def _sentence(part: str, known: frozenset[str]) -> Sentence:
    clauses = (" ".join(_words(clause, known)) for clause in _CLAUSES.split(part))
    return Sentence(tuple(clause for clause in clauses if clause), "?" in part)


def _joined(read: Iterable[Sentence]) -> list[Sentence]:
    """A question that only says "why?" belongs to the sentence before it."""
    joined: list[Sentence] = []
    for one in read:
        if joined and _ELLIPTIC.match(one.text):
            joined[-1] = Sentence((*joined[-1].clauses, *one.clauses), asks=True)
        else:
            joined.append(one)
    return joined


def is_elliptic(clause: str) -> bool:
    """Whether a clause asks, and leaves what it asks about to the words around it."""
    return bool(_ELLIPTIC.match(clause))


def _words(sentence: str, known: frozenset[str]) -> list[str]:
    found = (word.rstrip("./:_-") for word in _WORD.findall(sentence))
    return [_corrected(word, known) for word in found if 0 < len(word) <= _LONGEST_NAME]


def _corrected(word: str, known: frozenset[str]) -> str:
    """The keyword that this was meant to be, where only one slip lies between."""
    if word in ORDINARY or word in known or word in WORLD or word in PLACES:
        return word
    if len(word) < _LEAST_TYPO - 1 or not word.isalpha():
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
