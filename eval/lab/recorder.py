"""Turns a real incident into a world folder, by reading the systems that the incident happened in.

Reads only. The values of Secrets are never written; what could not be read is told, not left out silently.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import httpx2
from kubernetes.config import ConfigException

from assistant.errors import SettingsError
from eval.lab.record_cluster import Cluster, ReadFailed, read_cluster
from eval.lab.record_metrics import read_metrics, selectors
from eval.lab.record_pager import Pager
from eval.lab.world import Json, LogName, rfc3339

_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What to record: one incident, its namespaces, and the window that ends at the world's now."""

    incident_id: str
    namespaces: tuple[str, ...]
    start: datetime
    end: datetime
    match: tuple[str, ...] = ()
    """Prometheus selectors; empty: the series of the namespaces and those of no namespace."""


async def record(environment: Mapping[str, str], folder: Path, scope: Recorded) -> tuple[str, ...]:
    """Write the incident as a world into `folder`; returns in words what could not be read.

    A system whose variables are not set is left out. Raises SettingsError where the folder
    already holds a world.
    """
    if (folder / "world.json").exists():
        raise SettingsError(f"{str(folder)!r} already holds a world; record into an empty folder")
    cluster, metrics, pager = Cluster(), b"", dict[str, Any]()
    missed: list[str] = []

    async def read_kubernetes() -> None:
        nonlocal cluster
        cluster = await _cluster(environment, scope)
        missed.extend(cluster.missed)

    async def read_prometheus() -> None:
        nonlocal metrics
        metrics, failures = await _metrics(environment, scope)
        missed.extend(failures)

    async def read_pagerduty() -> None:
        nonlocal pager
        pager, failures = await _pager(environment, scope)
        missed.extend(failures)

    async with anyio.create_task_group() as group:
        for read in (read_kubernetes, read_prometheus, read_pagerduty):
            group.start_soon(read)
    about = _about(environment, scope, pager)
    await anyio.to_thread.run_sync(_write, folder, about, cluster, metrics, pager)
    return tuple(sorted(missed))


async def _cluster(environment: Mapping[str, str], scope: Recorded) -> Cluster:
    path, context = environment.get("KUBECONFIG"), environment.get("KUBERNETES_CONTEXT")
    if not path and "KUBERNETES_SERVICE_HOST" not in environment:
        return Cluster()
    try:
        return await anyio.to_thread.run_sync(
            read_cluster, path or None, context or None, scope.namespaces, scope.start
        )
    except (ConfigException, ReadFailed) as error:
        return Cluster(missed=[f"kubernetes: {error}"])


async def _metrics(environment: Mapping[str, str], scope: Recorded) -> tuple[bytes, list[str]]:
    url = environment.get("PROMETHEUS_URL")
    if not url:
        return b"", []
    token = await _secret(environment, "PROMETHEUS_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    match = scope.match or selectors(scope.namespaces)
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT) as client:
        return await read_metrics(client, match, scope.start, scope.end)


async def _pager(environment: Mapping[str, str], scope: Recorded) -> tuple[Json, list[str]]:
    token = await _secret(environment, "PAGERDUTY_TOKEN")
    if not token:
        return {}, []
    url = environment.get("PAGERDUTY_API_URL") or "https://api.pagerduty.com"
    headers = {"Authorization": f"Token token={token}", "Accept": "application/json"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT) as client:
        pager = Pager(client)
        return await pager.read(scope.incident_id, scope.start, scope.end), pager.missed


async def _secret(environment: Mapping[str, str], name: str) -> str:
    """The value of a variable, or of the file that its `_FILE` twin names."""
    if path := environment.get(f"{name}_FILE"):
        return (await anyio.Path(path).read_text("utf-8")).strip()
    return environment.get(name, "")


def _about(environment: Mapping[str, str], scope: Recorded, pager: Json) -> Json:
    title = pager["incidents"][0].get("title", "") if pager else ""
    return {
        "id": f"recorded-{scope.incident_id}",
        "as_of": rfc3339(scope.end),
        "cluster": environment.get("KUBERNETES_CONTEXT") or "recorded",
        "namespace": scope.namespaces[0] if scope.namespaces else "",
        "alert_id": scope.incident_id,
        "told": title,
    }


def _write(folder: Path, about: Json, cluster: Cluster, metrics: bytes, pager: Json) -> None:
    """The folder; `world.json` last, so that half a recording is no world."""
    if cluster.objects:
        items = {"apiVersion": "v1", "kind": "List", "items": cluster.objects}
        _write_json(folder / "kubernetes" / "objects.json", items)
    for name, text in cluster.logs.items():
        _write_bytes(_log_path(folder, name), text)
    if metrics:
        _write_bytes(folder / "prometheus" / "metrics.om", metrics)
    if pager:
        _write_json(folder / "pagerduty" / "incidents.json", pager)
    _write_json(folder / "world.json", about)


def _log_path(folder: Path, name: LogName) -> Path:
    suffix = ".previous.log" if name.previous else ".log"
    place = folder / "kubernetes" / "logs" / name.namespace / name.pod
    return place / f"{name.container}{suffix}"


def _write_json(path: Path, value: Any) -> None:
    _write_bytes(path, (json.dumps(value, indent=1) + "\n").encode())


def _write_bytes(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
