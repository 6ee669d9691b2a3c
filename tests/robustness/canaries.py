"""Secrets that can be told apart, one of each kind for each place they are planted in."""

from __future__ import annotations

KINDS = ("aws", "github", "jwt", "key", "url", "pair", "bearer", "slack")


class Canaries:
    """Makes secrets, and remembers the part of each that may never be seen again."""

    def __init__(self) -> None:
        self._planted: dict[bytes, str] = {}

    def every(self, place: str) -> list[str]:
        """A text of each kind of secret, as they stand in logs and configurations."""
        return [self.one(place, kind) for kind in KINDS]

    def one(self, place: str, kind: str) -> str:
        """A text that holds a secret of this kind."""
        return _text(kind, self.bare(f"{kind} in {place}"))

    def bare(self, what: str) -> str:
        """A secret that only its place or its name gives away."""
        number = len(self._planted)
        canary = f"Zq{number:03d}xK{number * 7919 % 997:03d}v"
        self._planted[canary.lower().encode()] = what
        return canary

    def seen_in(self, text: str | bytes) -> list[str]:
        """Which of the secrets stand in a text."""
        raw = (text if isinstance(text, bytes) else text.encode()).lower()
        return [what for canary, what in self._planted.items() if canary in raw]


def _text(kind: str, canary: str) -> str:
    body = canary + "A1b2C3d4" * 5
    return {
        "aws": f"AWS_SECRET_ACCESS_KEY={body[:40]} AKIA{canary.upper()}ABCDE",
        "github": f"cloning with ghp_{body[:36]}",
        "jwt": f"session eyJhbGciOiJIUzI1NiJ9.eyJ{canary}c3ViIjoiMTIzNCJ9.{body[:43]}",
        "key": f"-----BEGIN RSA PRIVATE KEY-----\nMIIE{body}\n{canary}==\n-----END RSA PRIVATE KEY-----",
        "url": f"cannot connect to postgres://app:{canary}@db.internal:5432/orders",
        "pair": f"login failed with password={canary}-hunter2 for user app",
        "bearer": f"Authorization: Bearer {canary}.{body[:20]}",
        "slack": f"posting with xoxb-123456789012-{canary}abcdef",
    }[kind]
