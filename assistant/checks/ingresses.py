"""Ingresses that nobody serves, or that lead wrong: class, port, TLS Secret, the same host twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from assistant.checks.case import Case
from assistant.checks.reading.objects.written import last_written
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import Object, Snapshot, dig, listing, mapping

OLD_CLASS = "kubernetes.io/ingress.class"
DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
BUILT_IN = ("gce", "gce-internal")
"""Google's controllers take these names without an IngressClass."""

TLS_KEYS = ("tls.crt", "tls.key")


async def check(case: Case) -> list[Finding]:
    """What is wrong with the Ingresses in scope."""
    rows = case.namespaced("Ingress")
    found = [finding for ingress in rows for finding in _of_ingress(case, ingress)]
    found += _twice(case, rows)
    unserved = [row for row in rows if not listing(row.status, "loadBalancer", "ingress")]
    if unserved:
        arguments = {"kind": "IngressClass", "view": "full", "limit": 500}
        answer = await case.ask(
            "kubernetes.list_resources", arguments, "which classes of Ingress are served"
        )
        found += [f for ingress in unserved for f in _class(ingress, answer)]
    return found


def _of_ingress(case: Case, ingress: Object) -> Iterator[Finding]:
    yield from _refused(case, ingress)
    yield from _secrets(case, ingress)
    yield from _root_only(ingress)
    for backend in _backends(ingress):
        yield from _port(case, ingress, backend)


def _backends(ingress: Object) -> Iterator[Mapping[str, Any]]:
    yield mapping(ingress.spec, "defaultBackend", "service")
    for path in _paths(ingress):
        yield mapping(path[2], "backend", "service")


def _paths(ingress: Object) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(host, path, rule) of every path."""
    for rule in listing(ingress.spec, "rules"):
        for path in listing(rule, "http", "paths"):
            yield str(dig(rule, "host") or "*"), str(dig(path, "path") or "/"), mapping(path)


def _refused(case: Case, ingress: Object) -> Iterator[Finding]:
    """What the controller says it could not do."""
    for event in case.snapshot.events_of(ingress):
        if event.type == "Warning" and case.in_window(event.last):
            yield Finding(
                kind="ingress_refused",
                entity=ingress.entity,
                statement=f"{ingress.entity}: {event.reason}: {event.message}"[:400],
                citations=(event.cite(),),
                began=event.first,
                strength=0.85,
                details={"reason": event.reason},
            )
            return


def _port(case: Case, ingress: Object, backend: Mapping[str, Any]) -> Iterator[Finding]:
    """A backend whose Service is there and does not have the port."""
    service = case.snapshot.get("Service", ingress.namespace, str(backend.get("name") or ""))
    wanted = dig(backend, "port", "name") or dig(backend, "port", "number")
    rows = listing(service.spec, "ports") if service else []
    have = [part for row in rows for part in (dig(row, "name"), dig(row, "port")) if part]
    if service and wanted and have and wanted not in have:
        listed = ", ".join(str(dig(row, "port")) for row in rows)
        yield Finding(
            kind="ingress_backend_port_missing",
            entity=ingress.entity,
            statement=f"{ingress.entity} routes to port {wanted} of {service.entity}, which has {listed}",
            citations=(*ingress.cite(ingress.name, str(wanted)), *service.cite()),
            began=_new(case, ingress),
            strength=0.95,
            details={"service": service.name, "port": str(wanted), "declared": listed},
            about=(service.entity,),
        )


def _new(case: Case, ingress: Object) -> Any:
    written = last_written(ingress)
    return written if case.in_window(written) else None


def _secrets(case: Case, ingress: Object) -> Iterator[Finding]:
    """TLS Secrets that are not there, or that hold no certificate."""
    listed = case.snapshot.listing_of("Secret", ingress.namespace)
    for name in {str(dig(row, "secretName") or "") for row in listing(ingress.spec, "tls")} - {""}:
        secret = case.snapshot.get("Secret", ingress.namespace, name)
        entity = Entity(kind="Secret", name=name, namespace=ingress.namespace)
        lacking = [key for key in TLS_KEYS if secret and key not in mapping(secret.raw, "data")]
        if not secret and listed and case.snapshot.listed("Secret", ingress.namespace):
            words, kind, cited = "does not exist", "tls_secret_missing", (listed.cite_absence(),)
        elif secret and lacking:
            words, kind = f"has no key {' and no '.join(lacking)}", "tls_secret_wrong"
            cited = (secret.cite()[0],)
        else:
            continue
        yield Finding(
            kind=kind,
            entity=ingress.entity,
            statement=f"{ingress.entity} takes its certificate from {entity}, which {words}",
            citations=(*ingress.cite(ingress.name, name), *cited),
            began=_new(case, ingress),
            strength=0.9,
            details={"secret": name},
            about=(entity,),
        )


def _root_only(ingress: Object) -> Iterator[Finding]:
    """A host of which only the very root is routed: every other path of it gets 404."""
    hosts: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for host, path, rule in _paths(ingress):
        hosts[host].append((path, rule))
    for host, rows in hosts.items():
        if all(path == "/" and rule.get("pathType") == "Exact" for path, rule in rows):
            yield Finding(
                kind="ingress_path_type",
                entity=ingress.entity,
                statement=f"{ingress.entity} routes / of {host} with pathType Exact: no other path of it",
                citations=ingress.cite(ingress.name, "Exact"),
                began=last_written(ingress),
                strength=0.7,
                details={"host": host},
            )


def _twice(case: Case, rows: list[Object]) -> Iterator[Finding]:
    """The same host and path in two Ingresses of one class that lead to different Services."""
    taken: dict[tuple[str, str, str], Object] = {}
    for ingress in sorted(rows, key=lambda row: (str(row.created or ""), row.name)):
        for host, path, rule in _paths(ingress):
            first = taken.setdefault((_class_name(ingress), host, path), ingress)
            if first is not ingress and not _agree(first, host, path, rule):
                yield Finding(
                    kind="ingress_host_conflict",
                    entity=ingress.entity,
                    statement=f"{ingress.entity} routes {host}{path}, which {first.entity} routes elsewhere",
                    citations=(*ingress.cite(ingress.name, path), *first.cite()),
                    began=last_written(ingress),
                    strength=0.85 if case.in_window(last_written(ingress)) else 0.5,
                    details={"host": host, "path": path},
                    about=(first.entity,),
                )


def _agree(first: Object, host: str, path: str, rule: Mapping[str, Any]) -> bool:
    """Whether the older Ingress leads that path to the same Service, or it is a canary of it."""
    own = [row for h, p, row in _paths(first) if (h, p) == (host, path)]
    return any(mapping(row, "backend") == mapping(rule, "backend") for row in own)


def _class_name(ingress: Object) -> str:
    annotations = mapping(ingress.raw, "metadata", "annotations")
    canary = any(key.endswith("/canary") for key in annotations)
    name = ingress.spec.get("ingressClassName") or annotations.get(OLD_CLASS) or ""
    return f"{name} canary of {ingress.name}" if canary else str(name)


def _class(ingress: Object, answer: Evidence) -> Iterator[Finding]:
    """An Ingress whose class nobody has; with no class at all, one that no default takes."""
    if not answer.status.seen or answer.truncated:
        return
    classes = Snapshot.made_of([answer]).of("IngressClass")
    annotated = mapping(ingress.raw, "metadata", "annotations").get(OLD_CLASS)
    name = str(ingress.spec.get("ingressClassName") or annotated or "")
    default = any(
        str(mapping(row.raw, "metadata", "annotations").get(DEFAULT_CLASS)) == "true"
        for row in classes
    )
    there = {row.name for row in classes}
    if name in there or name in BUILT_IN or annotated or (not name and (default or not classes)):
        return
    have = ", ".join(sorted(there)) or "none"
    words = f"names the class {name}, which does not exist" if name else "names no class, and no class is the default"  # fmt: skip
    yield Finding(
        kind="ingress_class_missing",
        entity=ingress.entity,
        statement=f"{ingress.entity} {words} (there are: {have}): no controller serves it",
        citations=(*ingress.cite(*([name] if name else [])), answer.cite_absence()),
        began=last_written(ingress),
        strength=0.95,
        details={"class": name, "classes": have},
    )
