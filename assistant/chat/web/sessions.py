"""Who is logged in: a signed cookie that names a person and dies with their token."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from itsdangerous import BadData, URLSafeTimedSerializer

from assistant.chat.web.settings import WebSettings, digest

HOURS = 12
SECONDS = HOURS * 3600


class Sessions:
    """Makes and reads cookies. Nothing is kept: a restart logs nobody out."""

    def __init__(self, key: str, settings: WebSettings) -> None:
        self._signer = URLSafeTimedSerializer(key, salt="assistant web session")
        self._marks = {one: _mark(key, one) for one in settings.people}
        self._people = {self._marks[one]: name for one, name in settings.people.items()}

    def begin(self, token: str) -> str | None:
        """The cookie for whoever holds this token; None for nobody's token."""
        given = digest(token.strip())
        # All are compared: the time tells neither how many there are nor which is near.
        known = [self._marks[one] for one in self._marks if hmac.compare_digest(one, given)]
        return str(self._signer.dumps(known[0])) if known else None

    def person(self, cookie: str) -> str | None:
        """Whose cookie this is; None for one that is forged, old, or of a token that is gone."""
        try:
            known = self._signer.loads(cookie, max_age=SECONDS)
        except BadData:
            return None
        return self._people.get(known) if isinstance(known, str) else None


def _mark(key: str, known: str) -> str:
    """What a cookie says of a token, from which nothing can be learned of it."""
    return hmac.new(key.encode(), known.encode(), "sha256").hexdigest()[:32]


def key_at(path: Path) -> str:
    """The signing key of this home, made where it is missing; for the user alone."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text("ascii")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    return path.read_text("ascii")
