"""Which ConfigMaps, Secrets and claims a pod template names, and with which keys. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mcp_servers.kubernetes.fields import Object, object_at, objects_at, text_at

SOURCES = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
BULK_SOURCES = {"configMapRef": "ConfigMap", "secretRef": "Secret"}


@dataclass(frozen=True, slots=True)
class Use:
    """One place of a template that names a configuration object."""

    kind: str
    name: str
    place: str
    keys: tuple[str, ...] = ()
    optional: bool = False


@dataclass(slots=True)
class Reference:
    """A configuration object, with all the places that name it."""

    kind: str
    name: str
    used_by: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    optional: bool = True


def references(spec: Object) -> list[Reference]:
    """Every configuration object that a pod spec names, once."""
    found: dict[tuple[str, str], Reference] = {}
    for use in _uses(spec):
        if not use.name:
            continue
        reference = found.setdefault((use.kind, use.name), Reference(use.kind, use.name))
        reference.used_by.append(use.place)
        reference.optional &= use.optional
        if not use.optional:
            reference.keys.update(use.keys)
    return list(found.values())


def _uses(spec: Object) -> Iterator[Use]:
    for group in ("initContainers", "containers"):
        for container in objects_at(spec, group):
            yield from _of_container(container, f"{group}[{text_at(container, 'name')}]")
    for volume in objects_at(spec, "volumes"):
        yield from _of_volume(volume)
    for secret in objects_at(spec, "imagePullSecrets"):
        yield Use("Secret", text_at(secret, "name"), "imagePullSecrets")
    account = text_at(spec, "serviceAccountName") or "default"
    yield Use("ServiceAccount", account, "serviceAccountName")


def _of_container(container: Object, place: str) -> Iterator[Use]:
    for entry in objects_at(container, "env"):
        for field_name, kind in SOURCES.items():
            source = object_at(entry, "valueFrom", field_name)
            if source:
                where = f"{place}.env[{text_at(entry, 'name')}]"
                keys = (text_at(source, "key"),)
                yield Use(kind, text_at(source, "name"), where, keys, bool(source.get("optional")))
    for entry in objects_at(container, "envFrom"):
        for field_name, kind in BULK_SOURCES.items():
            source = object_at(entry, field_name)
            if source:
                optional = bool(source.get("optional"))
                yield Use(kind, text_at(source, "name"), f"{place}.envFrom", (), optional)


def _of_volume(volume: Object) -> Iterator[Use]:
    place = f"volumes[{text_at(volume, 'name')}]"
    for source in (volume, *objects_at(volume, "projected", "sources")):
        for field_name, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            named = object_at(source, field_name)
            if named:
                keys = tuple(text_at(item, "key") for item in objects_at(named, "items"))
                # A Secret is named otherwise in a volume than in a projected source.
                name = text_at(named, "secretName") or text_at(named, "name")
                yield Use(kind, name, place, keys, bool(named.get("optional")))
