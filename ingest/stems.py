"""Words as the index counts them: lower case, stemmed. SQLite's own tokenizer does it, on both sides."""

from __future__ import annotations

import sqlite3
import threading

TOKENIZER = "porter unicode61 remove_diacritics 2"
REMEMBERED = 20_000
"""Texts whose stems are kept: the words of queries come again and again."""


class Stemmer:
    """Gives the stems of a text. Safe to share between threads."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, ...]] = {}
        self._connection.executescript(
            f"CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = '{TOKENIZER}');"
            "CREATE VIRTUAL TABLE stems USING fts5vocab(texts, instance);"
        )

    def stems(self, text: str) -> tuple[str, ...]:
        """The distinct stems, in the order of the text."""
        with self._lock:
            if text not in self._known:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[text] = self._made(text)
            return self._known[text]

    def _made(self, text: str) -> tuple[str, ...]:
        self._connection.execute("DELETE FROM texts")
        self._connection.execute("INSERT INTO texts VALUES (?)", (text,))
        rows = self._connection.execute("SELECT term FROM stems ORDER BY offset").fetchall()
        return tuple(dict.fromkeys(term for (term,) in rows))

    def close(self) -> None:
        """Lets go of the memory."""
        self._connection.close()
