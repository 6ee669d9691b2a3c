"""A source's secret, by the name of the environment variable that holds it. Never shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.errors import IngestError


@dataclass(frozen=True, slots=True)
class Secret:
    """What `variable` holds, or the file that `variable`_FILE names; read when it is needed."""

    variable: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def value(self) -> str:
        """The secret; empty where no variable was named. Raises `IngestError` where it is not set."""
        if not self.variable:
            return ""
        found = self.environment.get(self.variable, "").strip() or self._of_file()
        if not found:
            raise IngestError(
                f"the environment variable {self.variable} is not set, and {self.variable}_FILE "
                "names no file; set one of them, or leave out the setting that names it"
            )
        return found

    def hidden_in(self, text: str) -> str:
        """The text without the secret."""
        try:
            secret = self.value()
        except IngestError:
            return text
        return text.replace(secret, "***") if secret else text

    def _of_file(self) -> str:
        path = self.environment.get(f"{self.variable}_FILE", "").strip()
        if not path:
            return ""
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise IngestError(
                f"{self.variable}_FILE names {path!r}, which cannot be read: {error}"
            ) from error
