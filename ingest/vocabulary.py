"""The query's words: how rare each is, and which topics hold it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.lookup import Lookup, most_holders

SHOWN_WORDS = 4
KIN = {"fail": "failur", "failur": "fail"}
"""Stems that the stemmer keeps apart: titles of alerts say *Failures*, their messages *is failing*."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A query's words; by stem, what each weighs and which topics hold it; and all weights by stem."""

    words: tuple[str, ...]
    stems: Mapping[str, str]
    """Stem -> the word it comes from."""
    holders: Mapping[str, frozenset[int]]
    """Stem -> topics, for those that are not too common to tell anything."""
    weights: Mapping[str, float]
    """Stem -> inverse document frequency over the topics; the unknown weigh most."""
    count: int
    """How many topics there are."""
    whole: float
    """The weights of the words that stand anywhere, together."""
    said: frozenset[str]
    """The stems and their kin, to hold titles against."""
    forms: Mapping[str, str]
    """Stem or kin -> stem, of those that are not too common to tell anything."""

    def coverage(self, topic: int) -> float:
        """Which part of the query's weight stands in this topic, of the words that stand anywhere."""
        found = sum(self.weights[stem] for stem, held in self.holders.items() if topic in held)
        return found / self.whole if self.whole else 0.0

    def rarest(self, count: int) -> tuple[str, ...]:
        """The words that tell the most, at most so many; all words where none tells anything."""
        stems = sorted(self.holders, key=lambda stem: -self.weights[stem])[:count]
        return tuple(dict.fromkeys(self.stems[stem] for stem in stems)) or self.words

    @property
    def known(self) -> float:
        """Which part of the query's weight stands anywhere."""
        whole = sum(self.weights[stem] for stem in self.stems)
        return self.whole / whole if whole else 0.0

    def weighed(self, held: Mapping[str, int]) -> dict[str, float]:
        """Stem -> weight, by how many topics hold each."""
        return {stem: weight(holders, self.count) for stem, holders in held.items()}

    def share(self, title: frozenset[str], weights: Mapping[str, float]) -> float:
        """Which part of a title's weight the query has. `weights`: of all stems of the title."""
        whole = sum(weights[stem] for stem in title)
        return sum(weights[stem] for stem in title & self.said) / whole if whole else 0.0

    def has_all(self, title: frozenset[str]) -> bool:
        """Whether the query has every word of a title."""
        return bool(title) and title <= self.stems.keys()

    def named_by(self, title: frozenset[str]) -> float:
        """Which part of the query's weight a title has, of the words that stand anywhere."""
        stems = {self.forms[form] for form in title & self.forms.keys()}
        return sum(self.weights[stem] for stem in stems) / self.whole if self.whole else 0.0

    def shared_with(self, topic: int) -> tuple[str, ...]:
        """The rarest of the query's words that stand in this topic."""
        rarest = sorted(self.holders, key=lambda stem: (-self.weights[stem], stem))
        return tuple(self.stems[s] for s in rarest if topic in self.holders[s])[:SHOWN_WORDS]


def with_kin(stems: Iterable[str]) -> dict[str, str]:
    """The stems, and those that are of the same word -> the stem."""
    return {form: stem for stem in stems for form in (KIN.get(stem, stem), stem)}


def weight(holders: int, count: int) -> float:
    """Inverse document frequency of a word that this many of `count` topics hold."""
    return math.log(1 + (count - holders + 0.5) / (holders + 0.5))


def vocabulary(lookup: Lookup, words: Sequence[str]) -> Vocabulary:
    """How rare each word is over the topics, and where the telling ones stand."""
    count = lookup.count_topics()
    stems = {stem: word for word in words for stem in lookup.stems([word])}
    held = lookup.holders(stems)
    weights = {stem: weight(held.get(stem, 0), count) for stem in stems}
    most = most_holders(count)
    telling = [stem for stem in stems if 0 < held.get(stem, 0) <= most]
    holders = {stem: frozenset(lookup.topics_with(stems[stem])) for stem in telling}
    whole = sum(weights[stem] for stem in holders)
    said, forms = frozenset(with_kin(stems)), with_kin(holders)
    return Vocabulary(tuple(words), stems, holders, weights, count, whole, said, forms)
