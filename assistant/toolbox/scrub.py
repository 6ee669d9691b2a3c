"""Takes the secrets that this host itself handed to servers out of what comes back.

The guard redacts inside each server of ours; this is the host's own second lock, for other
people's servers and for the error texts of transports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from assistant.settings import ServerSettings
from assistant.toolbox.answer import Answer

MASK = "[redacted]"
_SHORTEST = 6
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|CREDENTIAL", re.IGNORECASE)


def secrets_of(server: ServerSettings, environment: Mapping[str, str]) -> set[str]:
    """The secret values a server is given: in variables, in files they name, in its token file."""
    named = {name: value for name, value in environment.items() if _SECRET_NAME.search(name)}
    files = [Path(value) for name, value in named.items() if name.endswith("_FILE")]
    values = [value for name, value in named.items() if not name.endswith("_FILE")]
    values += [value.get_secret_value() for value in server.env.values()]
    values += [_content(path) for path in (*files, *filter(None, [server.token_file]))]
    return {value for value in values if len(value) >= _SHORTEST}


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""  # the server that needs the file will say so


class Scrubber:
    """Replaces known secrets in an answer."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: a secret may be part of another. Without any, nothing matches.
        ordered = sorted(set(secrets), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered)) or r"(?!)")
        escaped = [json.dumps(secret, ensure_ascii=False)[1:-1] for secret in ordered]
        self._written = re.compile("|".join(map(re.escape, escaped)) or r"(?!)")

    def clean(self, answer: Answer) -> Answer:
        """`answer` without any known secret, in whatever field it stands."""
        # A quick look at the whole first: nearly every answer is clean, and some are large.
        if not self._written.search(to_json(answer).decode()):
            return answer
        return type(answer).model_validate(self._scrubbed(answer.model_dump()))

    def text(self, text: str) -> str:
        """`text` without any known secret."""
        return self._pattern.sub(MASK, text)

    def _scrubbed(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self._scrubbed(key): self._scrubbed(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._scrubbed(inner) for inner in value]
        return value
