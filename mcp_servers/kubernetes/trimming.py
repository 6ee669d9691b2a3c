"""Raw objects made fit to be shown: bookkeeping shortened, secret values replaced. Pure.

Nothing of spec or status is dropped: checks program against these objects.
"""

from __future__ import annotations

import re
from typing import Any

from mcp_servers.kubernetes.fields import Object, as_object, metadata
from mcp_servers.kubernetes.writes import last_writes

REDACTED = "[redacted]"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
SECRET_NAME = re.compile(
    r"""(?:passw(?:or)?d|passphrase|(?<=.)pwd|secret|token|credentials?|key|key[_.-]?base|dsn
    |basic[_.-]?auth|connection[_.-]?string)(?:[_.-]?\d+)?$""",
    re.IGNORECASE | re.VERBOSE,
)
# Settings whose name ends like a secret's but whose value is none.
PLAIN_VALUE = re.compile(r"(?:true|false|yes|no|on|off|enabled|disabled|none|null)?", re.IGNORECASE)
SECRET_FLAG = re.compile(
    r"(--?[\w.-]*(?:password|passwd|secret|token|api-?key|credentials?)[= ])(\S+)", re.IGNORECASE
)


def is_secret_name(name: str) -> bool:
    """Whether a variable or key of this name is likely to hold a secret."""
    return bool(SECRET_NAME.search(name))


def masked(name: str, value: Any) -> Any:
    """The value of a variable or key, or a marker where its name says that it is a secret."""
    if isinstance(value, str) and is_secret_name(name) and not PLAIN_VALUE.fullmatch(value):
        return REDACTED
    return value


def trimmed(item: Object) -> Object:
    """An object as `kubectl get -o json` shows it, without secret values.

    In the place of the managed fields stands `metadata.lastWrites`, where anybody wrote it since.
    """
    shown = {**item, "metadata": _metadata(item)} if "metadata" in item else dict(item)
    if item.get("kind") == "Secret":
        for field in ("data", "stringData"):
            if field in shown:
                shown[field] = dict.fromkeys(as_object(shown[field]), REDACTED)
        return shown
    if item.get("kind") == "ConfigMap":
        data = as_object(item.get("data"))
        return {**shown, **({"data": {k: masked(k, v) for k, v in data.items()}} if data else {})}
    return as_object(_without_secrets(shown))


def _metadata(item: Object) -> Object:
    kept = {key: value for key, value in metadata(item).items() if key != "managedFields"}
    annotations = as_object(kept.get("annotations"))
    if LAST_APPLIED in annotations:
        kept["annotations"] = {k: v for k, v in annotations.items() if k != LAST_APPLIED}
    written = last_writes(item)
    return {**kept, "lastWrites": written} if written else kept


def _without_secrets(value: Any) -> Any:
    """Mask the values of environment variables and flags, wherever a pod spec is nested."""
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    shown = {key: _without_secrets(inner) for key, inner in value.items()}
    for field in ("command", "args"):
        if isinstance(shown.get(field), list):
            shown[field] = [masked_flag(part) for part in shown[field]]
    if isinstance(shown.get("env"), list):
        shown["env"] = [_masked_variable(entry) for entry in shown["env"]]
    return shown


def _masked_variable(entry: Any) -> Any:
    if not isinstance(entry, dict) or "value" not in entry:
        return entry
    return {**entry, "value": masked(str(entry.get("name", "")), entry["value"])}


def masked_flag(part: Any) -> Any:
    """A command-line argument with the value of `--password=…` and the like replaced."""
    return SECRET_FLAG.sub(rf"\1{REDACTED}", part) if isinstance(part, str) else part
