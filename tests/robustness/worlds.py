"""Worlds made from a demo world by changing some of it, in memory."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.lab.world import Denial, LogName, World, rfc3339

Json = dict[str, Any]


def denying(world: World, resource: str, namespace: str = "*") -> World:
    """The world, with a user who may not read this resource (there)."""
    return replace(world, denied=(Denial(resource=resource, namespace=namespace),))


def without_namespace(world: World, name: str) -> World:
    """The world after somebody deleted a namespace."""
    return replace(world, objects=tuple(one for one in world.objects if not _lies_in(one, name)))


def around(world: World, *names: str) -> World:
    """The world with these workloads and what belongs to them, and without their neighbours."""

    def belongs(item: Json) -> bool:
        about = item.get("involvedObject") or item["metadata"]
        return not about.get("namespace") or about["name"].startswith(names)

    kept = tuple(one for one in world.objects if belongs(one))
    pods = {one["metadata"]["name"] for one in kept if one["kind"] == "Pod"}
    logs = {name: log for name, log in world.logs.items() if name.pod in pods}
    return replace(world, objects=kept, logs=logs)


def _lies_in(item: Json, namespace: str) -> bool:
    metadata = item["metadata"]
    own = item["kind"] == "Namespace" and metadata["name"] == namespace
    return own or metadata.get("namespace") == namespace


def changed(world: World, change: Callable[[list[Json]], None]) -> World:
    """The world with a copy of its objects that `change` has altered in place."""
    objects = copy.deepcopy(list(world.objects))
    change(objects)
    return replace(world, objects=tuple(objects))


def paged(world: World, change: Callable[[Json, Json], None]) -> World:
    """The world after `change` altered its PagerDuty account, of which it gets the world's incident
    and the whole.
    """
    pager = copy.deepcopy(world.pager)
    change(next(one for one in pager["incidents"] if one["id"] == world.alert_id), pager)
    return replace(world, pager=pager)


def logging(world: World, logs: Mapping[LogName, bytes]) -> World:
    """The world with other logs of some containers."""
    return replace(world, logs={**world.logs, **logs})


def of(objects: list[Json], kind: str, name: str = "") -> Json:
    """The first object of a kind (whose name begins like this)."""
    return next(
        one for one in objects if one["kind"] == kind and one["metadata"]["name"].startswith(name)
    )


def written(world: World, folder: Path) -> Path:
    """The folder, after the world was written into it as a world is kept."""
    named = {
        name: getattr(world, name) for name in ("id", "cluster", "namespace", "alert_id", "told")
    }
    files = {
        "world.json": json.dumps({**named, "as_of": rfc3339(world.as_of)}),
        "kubernetes/objects.json": json.dumps({"items": world.objects}),
        "pagerduty/incidents.json": json.dumps(world.pager),
        "prometheus/metrics.om": world.metrics,
    }
    for name, log in world.logs.items():
        end = ".previous.log" if name.previous else ".log"
        files[f"kubernetes/logs/{name.namespace}/{name.pod}/{name.container}{end}"] = log
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content.read_bytes() if isinstance(content, Path) else content or b""
        path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    return folder
