"""Secrets, ConfigMaps and keys that a pod needs and that are not there; what is there under a like name."""

from __future__ import annotations

import re
from difflib import get_close_matches

from assistant.checks.case import Case
from assistant.incident import Citation, Entity, Finding
from assistant.snapshot import Object, mapping
from assistant.topology import references

_MISSING_KEY = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>Secret|ConfigMap) (?P<ns>[^/\s]+)/(?P<name>[\w.-]+)"
)
_MISSING = re.compile(r'(?P<kind>secret|configmap) "(?P<name>[\w.-]+)" not found', re.IGNORECASE)
_KEY_IN_VOLUME = re.compile(r"references non-existent (?P<kind>secret|config) key: (?P<key>\S+)")
_KINDS = {"secret": "Secret", "configmap": "ConfigMap", "config": "ConfigMap"}
_SEPARATORS = re.compile(r"[-_. ]")
ALIKE = 0.6


def missing_reference(
    case: Case, words: str, pod: Object, owner: Object, said: tuple[Citation, ...]
) -> Finding | None:
    """The finding for a Secret, ConfigMap or key that kubelet says is missing."""
    named = _named(words, pod)
    return missing(case, *named, pod, owner, said) if named else None


def _named(words: str, pod: Object) -> tuple[Entity, str] | None:
    """The object that kubelet's words mean, and the key if it is a key that is missing."""
    key = _MISSING_KEY.search(words)
    if key:
        return Entity(kind=key["kind"], name=key["name"], namespace=key["ns"]), key["key"]
    whole = _MISSING.search(words)
    if whole:
        kind = _KINDS[whole["kind"].lower()]
        return Entity(kind=kind, name=whole["name"], namespace=pod.namespace), ""
    in_volume = _KEY_IN_VOLUME.search(words)
    if in_volume:
        kind, wanted = _KINDS[in_volume["kind"]], in_volume["key"]
        rows = references(pod.spec)
        name = next((n for k, n, key, _ in rows if k == kind and key == wanted), "")
        return Entity(kind=kind, name=name, namespace=pod.namespace), wanted
    return None


def missing(
    case: Case, target: Entity, key: str, pod: Object, owner: Object, said: tuple[Citation, ...]
) -> Finding:
    """What is missing, who needs it, and under which like name it may be found."""
    what = f"{target} has no key {key}" if key else f"{target} does not exist"
    like, shown = alike(case, target, key)
    instead = f"; there is {'the key' if key else 'one named'} {like}" if like else ""
    return Finding(
        kind="missing_key" if key else f"missing_{target.kind.lower()}",
        entity=target,
        statement=f"{what}, which {owner.entity} needs to start{instead}",
        citations=(*said, *shown),
        began=pod.created,
        details={"key": key, "workload": owner.name, "workload_kind": owner.kind}
        | ({"like": like} if like else {}),
        about=tuple(dict.fromkeys((owner.entity, pod.entity))),
    )


def alike(case: Case, target: Entity, key: str) -> tuple[str, tuple[Citation, ...]]:
    """The key (or the object) that is there and was probably meant: a renamed or mistyped one."""
    there = case.snapshot.find(target)
    if key:
        names = list(keys_of(there)) if there else []
        found = _like(key, names) or (names[0] if len(names) == 1 else "")
        return found, there.cite(found) if there and found else ()
    others = case.snapshot.of(target.kind, target.namespace)
    found = _like(target.name, [other.name for other in others], 0.8)
    return found, next((other.cite() for other in others if other.name == found), ())


def _like(wanted: str, names: list[str], least: float = ALIKE) -> str:
    """The nearest of these names; case and separators count for nothing, and a part may be left out."""
    plain = {_plain(name): name for name in names}
    close = get_close_matches(_plain(wanted), list(plain), 1, least)
    return plain[close[0]] if close else ""


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name.lower())


def keys_of(item: Object) -> dict[str, object]:
    """The keys that a Secret or ConfigMap holds."""
    return {**mapping(item.raw, "data"), **mapping(item.raw, "binaryData")}
