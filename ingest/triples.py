"""Which words of a text follow one another, as numbers: what tells near copies from like subjects. Pure.

An index keeps them: a search compares many texts, and to take each apart again is slow.
"""

from __future__ import annotations

from array import array
from typing import Final
from zlib import crc32

NUMBER: Final = "I"
"""32 bits: that two triples of a pair of pages get one number by chance moves their likeness by .001."""


def triples(text: str) -> frozenset[int]:
    """Every three words that follow one another, in lower case; of a shorter text, all its words."""
    words = text.lower().split()
    three = zip(words, words[1:], words[2:], strict=False)
    found = frozenset(crc32(" ".join(one).encode("utf-8", "surrogatepass")) for one in three)
    return found or frozenset({crc32(" ".join(words).encode("utf-8", "surrogatepass"))})


def packed(numbers: frozenset[int]) -> bytes:
    """As an index keeps them."""
    return array(NUMBER, sorted(numbers)).tobytes()


def unpacked(kept: bytes) -> frozenset[int]:
    """What was packed."""
    return frozenset(memoryview(kept).cast(NUMBER))


def likeness(one: frozenset[int], other: frozenset[int]) -> float:
    """Which part of all their triples two texts share (Jaccard)."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
