"""Rows of what a workload hangs together with: services, configs, volumes, scaling. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from mcp_servers.kubernetes.fields import (
    Object,
    as_list,
    as_object,
    conditions,
    metadata,
    name_of,
    object_at,
    objects_at,
    text_at,
)
from mcp_servers.kubernetes.gathering import failed
from mcp_servers.kubernetes.models import Row
from mcp_servers.kubernetes.references import Reference
from mcp_servers.kubernetes.refusals import Absent
from mcp_servers.kubernetes.selectors import selects

SERVICE_NAME = "kubernetes.io/service-name"
Addresses = dict[str, tuple[list[str], list[str]]]


def slice_addresses(slices: Iterable[Object]) -> Addresses:
    """Ready and not ready addresses of each service, from its EndpointSlices."""
    found: Addresses = defaultdict(lambda: ([], []))
    for one in slices:
        ready, unready = found[text_at(one, "metadata", "labels", SERVICE_NAME)]
        for endpoint in objects_at(one, "endpoints"):
            # A missing `ready` means ready, says the API.
            good = object_at(endpoint, "conditions").get("ready") is not False
            (ready if good else unready).extend(map(str, as_list(endpoint.get("addresses"))))
    return found


def endpoint_addresses(endpoints: Iterable[Object]) -> Addresses:
    """The same from Endpoints, for clusters without EndpointSlices."""
    found: Addresses = {}
    for one in endpoints:
        subsets = objects_at(one, "subsets")
        found[name_of(one)] = (
            [text_at(a, "ip") for subset in subsets for a in objects_at(subset, "addresses")],
            [
                text_at(a, "ip")
                for subset in subsets
                for a in objects_at(subset, "notReadyAddresses")
            ],
        )
    return found


def service_rows(
    services: Iterable[Object], addresses: Addresses | None, labels: Object, name: str
) -> list[Row]:
    """Services that select these labels, or that bear the workload's name and do not."""
    rows = []
    for service in services:
        selector = object_at(service, "spec", "selector")
        matches = bool(selector) and selects({"matchLabels": selector}, labels)
        if not matches and name_of(service) != name:
            continue
        ready, unready = (addresses or {}).get(name_of(service), ([], []))
        rows.append(
            {
                "name": name_of(service),
                "selector": selector,
                "matches": matches,
                "type": text_at(service, "spec", "type"),
                "ports": objects_at(service, "spec", "ports"),
                "ready_addresses": None if addresses is None else ready,
                "not_ready_addresses": None if addresses is None else unready,
            }
        )
    return rows


def config_row(reference: Reference, read: Any) -> Row:
    """A named configuration object: whether it exists, and which used keys it lacks."""
    row: Row = {
        "kind": reference.kind,
        "name": reference.name,
        "exists": None if failed(read) and not isinstance(read, Absent) else not failed(read),
        "keys": [],
        "missing_keys": [],
        "used_by": reference.used_by,
        "optional": reference.optional,
    }
    if failed(read):
        return row
    keys = {*as_object(read.get("data")), *as_object(read.get("binaryData"))}
    row["keys"] = sorted(keys)
    row["missing_keys"] = sorted(reference.keys - keys)
    row["changed_at"] = changed_at(read)
    return row


def changed_at(item: Object) -> str:
    """When an object was last written, as far as its managed fields tell."""
    stamps = [text_at(entry, "time") for entry in objects_at(item, "metadata", "managedFields")]
    return max([*stamps, text_at(metadata(item), "creationTimestamp")])


def volume_rows(workload: Object, spec: Object, claims: list[Object] | None) -> list[Row]:
    """The volumes of a pod template, and the claims of a StatefulSet's own templates."""
    by_name = {name_of(claim): claim for claim in claims or []}
    rows = [
        _volume(volume, by_name, known=claims is not None) for volume in objects_at(spec, "volumes")
    ]
    for template in objects_at(workload, "spec", "volumeClaimTemplates"):
        prefix = f"{name_of(template)}-{name_of(workload)}-"
        made = [name for name in by_name if name.removeprefix(prefix).isdecimal()]
        rows += [_claim(name_of(template), name, by_name, known=True) for name in sorted(made)]
        if not made:
            rows.append(
                {
                    "name": name_of(template),
                    "type": "claim template",
                    "claim": f"{prefix}0",
                    "phase": None if claims is None else "missing",
                }
            )
    return rows


def _volume(volume: Object, claims: dict[str, Object], *, known: bool) -> Row:
    name = text_at(volume, "name")
    claim = text_at(volume, "persistentVolumeClaim", "claimName")
    if claim:
        return _claim(name, claim, claims, known=known)
    kind = next((key for key in volume if key != "name"), "unknown")
    return {"name": name, "type": kind, "claim": "", "phase": "", **_detail(volume, kind)}


def _detail(volume: Object, kind: str) -> Row:
    shown = {
        key: value
        for key, value in object_at(volume, kind).items()
        if key in ("name", "secretName", "path", "sizeLimit", "medium", "driver", "server")
    }
    return {"source": shown} if shown else {}


def _claim(name: str, claim: str, claims: dict[str, Object], *, known: bool) -> Row:
    row: Row = {"name": name, "type": "persistentVolumeClaim", "claim": claim}
    found = claims.get(claim)
    if found is None:
        return {**row, "phase": "missing" if known else None}
    return {
        **row,
        "phase": text_at(found, "status", "phase"),
        "storage_class": found.get("spec", {}).get("storageClassName"),
        "access_modes": as_list(object_at(found, "spec").get("accessModes")),
        "requested": text_at(found, "spec", "resources", "requests", "storage"),
        "capacity": text_at(found, "status", "capacity", "storage"),
        "volume": text_at(found, "spec", "volumeName"),
    }


def autoscaler_row(scaler: Object) -> Row:
    """A HorizontalPodAutoscaler: its bounds, where it stands, and why it does not move."""
    spec, status = object_at(scaler, "spec"), object_at(scaler, "status")
    return {
        "name": name_of(scaler),
        "min": spec.get("minReplicas", 1),
        "max": spec.get("maxReplicas"),
        "current": status.get("currentReplicas"),
        "desired": status.get("desiredReplicas"),
        "metrics": objects_at(spec, "metrics"),
        "current_metrics": objects_at(status, "currentMetrics"),
        "conditions": conditions(scaler),
    }


def scales(scaler: Object, kind: str, name: str) -> bool:
    """Whether an autoscaler's target is this workload."""
    target = object_at(scaler, "spec", "scaleTargetRef")
    return (target.get("kind"), target.get("name")) == (kind, name)


def budget_row(budget: Object) -> Row:
    """A PodDisruptionBudget: what it demands, and how many disruptions it allows now."""
    spec, status = object_at(budget, "spec"), object_at(budget, "status")
    return {
        "name": name_of(budget),
        "min_available": spec.get("minAvailable"),
        "max_unavailable": spec.get("maxUnavailable"),
        "disruptions_allowed": status.get("disruptionsAllowed"),
        "healthy": status.get("currentHealthy"),
        "desired_healthy": status.get("desiredHealthy"),
    }
