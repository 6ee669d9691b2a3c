"""Which names call their value a secret, and which values under such a name are none.

`DB_PASSWORD` is one; `secretName`, `tokenExpirationSeconds` and `password_file` are not.
"""

from __future__ import annotations

import re
from functools import lru_cache

MARKER = "[redacted"
"""What every marker in place of a secret begins with."""

_NAME_LENGTH = 200
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_STRONG = frozenset(
    {"password", "passwd", "pwd", "passphrase", "pass", "apikey", "authorization", "cookie",
     "dockerconfigjson", "dockercfg", "accountkey", "secretkey", "privatekey", "accesskey"}
)  # fmt: skip
_WEAK = frozenset({"token", "secret", "credential", "credentials", "auth", "tokens", "passwords"})
_KEY_OWNERS = frozenset(
    {"api", "access", "private", "secret", "signing", "encryption", "auth", "account", "master",
     "shared", "storage", "license", "service", "ssh", "hmac", "session", "integration", "routing"}
)  # fmt: skip
_NOT_THE_SECRET = frozenset(
    {"name", "names", "ref", "refs", "id", "ids", "file", "files", "path", "paths", "type", "types",
     "version", "expiry", "expires", "expiration", "ttl", "age", "count", "total", "seconds", "url",
     "uri", "endpoint", "enabled", "required", "length", "policy", "mount", "mounts", "volume",
     "namespace", "kind", "hash", "status", "reason", "message", "mode", "provider", "issuer",
     "audience", "audiences", "review", "class", "method", "at", "date", "limit", "usage", "error",
     "errors", "state", "rotation", "store", "selector", "label", "labels", "template", "keys"}
)  # fmt: skip
_VARIANTS = frozenset(
    {"prod", "production", "dev", "staging", "stage", "test", "live", "value", "string", "primary",
     "secondary", "old", "new", "base", "base64", "b64", "plain", "text", "default", "current",
     "previous", "root", "admin", "user"}
)  # fmt: skip
_PLAIN_VALUES = frozenset(
    {"", "true", "false", "yes", "no", "none", "null", "nil", "<none>", "<nil>", "<set>", "<unset>",
     "enabled", "disabled", "required", "optional", "unset", "bearer", "basic", "missing", "changed", "not set"}
)  # fmt: skip
_REFERENCE = re.compile(
    r"\$\([\w.]+\)|\$\{[\w.:-]+\}|\$\w+|\{\{[^{}]*\}\}|\*+|<[\w -]+>"
    r"|/(?:var/)?run/secrets/[\w./-]*|(?:Opaque|kubernetes\.io/[\w-]+)"
)
_MARKED = re.compile(r"\[redacted(?::[a-z-]+)?\]")
_TELLTALE = ("pass", "pwd", "token", "secret", "credential", "auth", "key", "cookie", "docker")


def may_hold_secret_name(text: str) -> bool:
    """Whether some secret's name can occur in a text at all."""
    lowered = text.lower()
    return any(word in lowered for word in _TELLTALE)


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Whether a value of this name is a secret."""
    if len(name) > _NAME_LENGTH or MARKER in name or not may_hold_secret_name(name):
        return False
    words = [word.lower() for word in _WORDS.findall(name)]
    while words and (words[-1].isdigit() or words[-1] in _VARIANTS):
        words.pop()
    if not words or words[-1] in _NOT_THE_SECRET:
        return False
    if words[-1] == "key":
        return len(words) > 1 and words[-2] in _KEY_OWNERS
    return words[-1] in _WEAK or any(_is_strong(word) for word in words)


def is_weak_name(name: str) -> bool:
    """Whether a secret's name is also a word of ordinary sentences (`token: expired`)."""
    return name.lower().strip("_-.") in _WEAK


def _is_strong(word: str) -> bool:
    return word in _STRONG or word.endswith(("password", "passwd", "apikey", "secretkey"))


def is_secret_value(text: str) -> bool:
    """Whether a text under a secret name has something to hide: not a reference, flag or marker."""
    stripped = text.strip()
    return not (
        stripped.lower() in _PLAIN_VALUES
        or _REFERENCE.fullmatch(stripped)
        or _MARKED.fullmatch(stripped)
    )
