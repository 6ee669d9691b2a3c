"""Log lines without secrets, whatever a library puts into them."""

from __future__ import annotations

import logging
import re

TOKEN = re.compile(r"\bx(?:ox[a-z]|app|oxe)-[\w.-]+|(?<=ticket=)[^&\s\"']+|(?<=Bearer )\S+")
HIDDEN = "…"


class Redacted(logging.Formatter):
    """A formatter that leaves out the given secrets and whatever looks like a token of Slack."""

    def __init__(self, form: str, secrets: tuple[str, ...]) -> None:
        super().__init__(form)
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """The line, its traceback included."""
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, HIDDEN)
        return TOKEN.sub(HIDDEN, line)


def to_standard_error(secrets: tuple[str, ...]) -> logging.Handler:
    """Where the lines go. Keep the level above DEBUG, at which Slack's library writes whole messages."""
    handler = logging.StreamHandler()
    handler.setFormatter(Redacted("%(asctime)s %(levelname)s %(message)s", secrets))
    return handler
