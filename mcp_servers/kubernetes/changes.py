"""What changed between two pod templates, path by path, list entries known by name. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mcp_servers.kubernetes.fields import Object, as_list, as_object, at, objects, text_at, words
from mcp_servers.kubernetes.trimming import REDACTED, is_secret_name, masked, masked_flag

# What tells an entry of a list from the others; lists not named here are compared as a whole.
KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "protocol"),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "items": ("key",),
    "topologySpreadConstraints": ("topologyKey",),
}
USUAL = {"protocol": "TCP"}
IGNORED = ("labels[pod-template-hash]", "labels[controller-revision-hash]")
# What the API server fills in itself: present on one side only, it is no change.
DEFAULTS = {
    "defaultMode": 420,
    "dnsPolicy": "ClusterFirst",
    "failureThreshold": 3,
    "initialDelaySeconds": 0,
    "optional": False,
    "periodSeconds": 10,
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "scheme": "HTTP",
    "successThreshold": 1,
    "terminationGracePeriodSeconds": 30,
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "timeoutSeconds": 1,
}
REDACTED_AFTER = "[redacted, another value]"
FIRST = ("image", "env", "command", "args", "resources", "Probe", "ports")

Change = dict[str, Any]


def changes(before: Object, after: Object) -> list[Change]:
    """Every path whose value differs; `before` or `after` is None where it was not there."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    differing = [
        path
        for path in {**old, **new}
        if old.get(path) != new.get(path) and not _filled_in(path, old.get(path), new.get(path))
    ]
    found = [_change(path, old.get(path), new.get(path)) for path in differing]
    return sorted(found, key=lambda change: (_importance(change["path"]), change["path"]))


def _filled_in(path: str, before: Any, after: Any) -> bool:
    default = DEFAULTS.get(path.rpartition(".")[2])
    return default is not None and default in (before, after) and None in (before, after)


def _leaves(template: Object) -> Iterator[tuple[str, Any]]:
    """(path, value) of a pod template; `spec.` is left out of the paths, for it says nothing."""
    for path, value in _walk("", template):
        path = path.removeprefix("spec.")  # noqa: PLW2901 - the same path, shorter
        if value is not None and not path.endswith(IGNORED) and path != "creationTimestamp":
            yield path.removeprefix("metadata."), value


def _walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _field(path, key, inner)
    elif isinstance(value, list):
        yield path, json.dumps(value, sort_keys=True, ensure_ascii=False)
    else:
        yield path, value


def _field(path: str, key: str, value: Any) -> Iterator[tuple[str, Any]]:
    here = f"{path}.{key}" if path else key
    if key == "$patch":
        return
    if key in ("labels", "annotations", "nodeSelector", "limits", "requests") and value:
        bracketed = key in ("labels", "annotations", "nodeSelector")
        for name, inner in as_object(value).items():
            yield f"{here}[{name}]" if bracketed else f"{here}.{name}", inner
    elif key in ("command", "args"):
        yield here, " ".join(str(part) for part in as_list(value)) or None
    elif key == "envFrom":
        for entry in as_list(value):
            yield f"{here}[{_source(entry)}]", text_at(entry, "prefix") or "all keys"
    elif key in KEYS and isinstance(value, list):
        yield from _entries(here, key, value)
    else:
        yield from _walk(here, value)


def _entries(here: str, key: str, entries: list[Any]) -> Iterator[tuple[str, Any]]:
    for entry in objects(entries):
        name = "/".join(text_at(entry, field) or USUAL.get(field, "") for field in KEYS[key])
        place = f"{here}[{name}]"
        if key == "env":
            yield place, variable(entry)
            continue
        rest = {field: inner for field, inner in entry.items() if field not in KEYS[key]}
        yield place, "present"
        yield from _walk(place, rest)


def variable(entry: Any) -> str:
    """An environment variable's value, or where it comes from."""
    for field, words_for in (("secretKeyRef", "secret"), ("configMapKeyRef", "configmap")):
        reference = at(entry, "valueFrom", field)
        if isinstance(reference, dict):
            return f"from {words_for} {text_at(reference, 'name')} key {text_at(reference, 'key')}"
    for field in ("fieldRef", "resourceFieldRef"):
        reference = at(entry, "valueFrom", field)
        if isinstance(reference, dict):
            return (
                f"from {field} {text_at(reference, 'fieldPath') or text_at(reference, 'resource')}"
            )
    return text_at(entry, "value")


def _source(entry: Any) -> str:
    for field, word in (("secretRef", "secret"), ("configMapRef", "configmap")):
        if at(entry, field):
            return f"{word} {text_at(entry, field, 'name')}"
    return "?"


def _change(path: str, before: Any, after: Any) -> Change:
    name = path.rpartition("[")[2].rstrip("]") if ".env[" in path else ""
    return {"path": path, **_shown(name, before, after)}


def _shown(name: str, before: Any, after: Any) -> Change:
    if not (name and is_secret_name(name)):
        return {"before": _bounded(before), "after": _bounded(after)}
    old, new = (_secret(name, value) for value in (before, after))
    return {"before": old, "after": REDACTED_AFTER if (old, new) == (REDACTED, REDACTED) else new}


def _secret(name: str, value: Any) -> Any:
    """References to a Secret are shown; what stands in the place of one is not."""
    if isinstance(value, str) and value.startswith("from "):
        return value
    return masked(name, value)


def _bounded(value: Any) -> Any:
    return words(masked_flag(value)) if isinstance(value, str) else value


def _importance(path: str) -> int:
    found = (index for index, word in enumerate(FIRST) if f".{word}" in path or word in path[-20:])
    return next(found, len(FIRST))
