"""Reads a live cluster into what a world holds of it: objects and logs, never the value of a Secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any
from urllib.parse import quote

import urllib3
from kubernetes import client, config

from eval.lab.world import Json, LogName, rfc3339

_PAGE = 500
_WORKERS = 6
_LOG_LINES = 5_000
_LOG_BYTES = 5_000_000
_TIMEOUT = (5, 30)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_CLUSTER_WIDE = ("namespaces", "nodes", "persistentvolumes", "storageclasses", "priorityclasses")
_LEFT_OUT = ("events.k8s.io/", "metrics.k8s.io/")
"""The core's events once more; and measurements of a moment, which Prometheus holds."""


@dataclass(slots=True)
class Cluster:
    """What was read, and in words what could not be."""

    objects: list[Json] = field(default_factory=list)
    logs: dict[LogName, bytes] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Resource:
    api_version: str
    plural: str
    kind: str
    namespaced: bool

    def path(self, namespace: str) -> str:
        root = "/api/v1" if self.api_version == "v1" else f"/apis/{self.api_version}"
        place = f"/namespaces/{quote(namespace)}" if namespace else ""
        return f"{root}{place}/{self.plural}"


class ReadFailed(Exception):  # noqa: N818 - ends up as a sentence among what was missed
    """The cluster answered with an error; `status` is 0 where it did not answer."""

    def __init__(self, path: str, status: int, said: str) -> None:
        super().__init__(f"{path}: {status or 'no answer'}: {said.strip()[:300]}")
        self.status = status


Get = Callable[[str, Mapping[str, Any]], bytes]


def read_cluster(
    kubeconfig: str | None, context: str | None, namespaces: Sequence[str], since: datetime
) -> Cluster:
    """All kinds of the namespaces, the nodes, and the logs since then. Blocks: call it in a thread."""
    with _client(kubeconfig, context) as api:
        return _read(_getter(api), namespaces, since)


def _client(kubeconfig: str | None, context: str | None) -> client.ApiClient:
    """A client of the kubeconfig's context, or of the cluster that this process runs in."""
    configuration = client.Configuration()
    if kubeconfig:
        load: Callable[..., None] = config.load_kube_config
        load(kubeconfig, context, client_configuration=configuration)
    else:
        load_own: Callable[..., None] = config.load_incluster_config
        load_own(client_configuration=configuration)
    # What fails is told, not tried again: an incident is being handled meanwhile.
    configuration.retries = False
    return client.ApiClient(configuration)


def _getter(api: client.ApiClient) -> Get:
    def get(path: str, query: Mapping[str, Any]) -> bytes:
        request = api.param_serialize(
            "GET", path, query_params=list(query.items()), auth_settings=["BearerToken"]
        )
        try:
            response = api.call_api(*request, _request_timeout=_TIMEOUT)
            body: bytes = response.response.data
        except urllib3.exceptions.HTTPError as error:
            raise ReadFailed(path, 0, str(error)) from error
        if response.status >= 400:  # noqa: PLR2004 - HTTP's own border
            raise ReadFailed(path, response.status, body.decode(errors="replace"))
        return body

    return get


def _read(get: Get, namespaces: Sequence[str], since: datetime) -> Cluster:
    cluster = Cluster()
    places = [
        (resource, namespace)
        for resource in _resources(get, cluster.missed)
        for namespace in (namespaces if resource.namespaced else [""])
    ]
    with ThreadPoolExecutor(_WORKERS) as pool:
        lists = pool.map(lambda place: _objects(get, place[0], place[1], cluster.missed), places)
        cluster.objects = [
            item for item in chain.from_iterable(lists) if _belongs(item, namespaces)
        ]
        wanted = list(chain.from_iterable(_log_names(item) for item in cluster.objects))
        texts = pool.map(lambda name: _log(get, name, since, cluster.missed), wanted)
        cluster.logs = {
            name: text for name, text in zip(wanted, texts, strict=True) if text is not None
        }
    return cluster


def _resources(get: Get, missed: list[str]) -> Iterator[_Resource]:
    """What can be listed: all namespaced kinds, and the few cluster-wide ones that bear on pods."""
    groups = json.loads(get("/apis", {}))["groups"]
    versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
    for version in versions:
        root = "/api/v1" if version == "v1" else f"/apis/{version}"
        try:
            listed = json.loads(get(root, {}))["resources"]
        except ReadFailed as failure:  # an aggregated API that is down takes only itself away
            missed.append(str(failure))
            continue
        yield from (
            _Resource(version, entry["name"], entry["kind"], entry["namespaced"])
            for entry in listed
            if _bears_on_pods(version, entry)
        )


def _bears_on_pods(version: str, entry: Json) -> bool:
    """Whether a resource is worth recording: no twin of another, nothing that cannot be listed."""
    if "/" in entry["name"] or "list" not in entry["verbs"] or version.startswith(_LEFT_OUT):
        return False
    return bool(entry["namespaced"]) or entry["name"] in _CLUSTER_WIDE


def _objects(get: Get, resource: _Resource, namespace: str, missed: list[str]) -> list[Json]:
    try:
        return [_cleaned(item, resource) for item in _pages(get, resource.path(namespace))]
    except ReadFailed as failure:
        missed.append(str(failure))
        return []


def _pages(get: Get, path: str) -> list[Json]:
    """A whole list, page by page; anew and in one piece where the pages expired under way."""
    items: list[Json] = []
    query: dict[str, Any] = {"limit": _PAGE}
    while True:
        try:
            page = json.loads(get(path, query))
        except ReadFailed as failure:
            if failure.status != 410 or "limit" not in query:  # noqa: PLR2004 - Gone
                raise
            items, query = [], {}
            continue
        items += page["items"]
        token = page["metadata"].get("continue")
        if not token:
            return items
        query = {"limit": _PAGE, "continue": token}


def _cleaned(item: Json, resource: _Resource) -> Json:
    """The object as a world holds it: named by kind, without bulk, a Secret by its keys alone."""
    metadata = dict(item["metadata"])
    metadata.pop("managedFields", None)
    annotations = dict(metadata.get("annotations") or {})
    if annotations.pop(_LAST_APPLIED, None):
        metadata["annotations"] = annotations
    whole = {
        **item,
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": metadata,
    }
    if resource.kind == "Secret":
        whole["data"] = dict.fromkeys(item.get("data") or {}, "")
        whole.pop("stringData", None)
    return whole


def _belongs(item: Json, namespaces: Sequence[str]) -> bool:
    """Namespaces and volumes of others are left out; all else was asked for by namespace."""
    if item["kind"] == "Namespace":
        return item["metadata"]["name"] in namespaces
    if item["kind"] == "PersistentVolume":
        claim = (item.get("spec") or {}).get("claimRef") or {}
        return claim.get("namespace") in (None, *namespaces)
    return True


def _log_names(item: Json) -> Iterable[LogName]:
    """The logs a pod can have: of each container's present run, and of the one before if any."""
    if item["kind"] != "Pod":
        return
    metadata, status = item["metadata"], item.get("status") or {}
    for key in ("initContainerStatuses", "containerStatuses"):
        for entry in status.get(key) or []:
            name = LogName(metadata["namespace"], metadata["name"], entry["name"])
            yield name
            if (entry.get("lastState") or {}).get("terminated"):
                yield name._replace(previous=True)


def _log(get: Get, name: LogName, since: datetime, missed: list[str]) -> bytes | None:
    """The log, or None where the kubelet has none (400: not started, or rotated away)."""
    path = f"/api/v1/namespaces/{quote(name.namespace)}/pods/{quote(name.pod)}/log"
    query: dict[str, Any] = {
        "container": name.container,
        "timestamps": "true",
        "tailLines": _LOG_LINES,
        "limitBytes": _LOG_BYTES,
    }
    # A run that ended before the window may be the very one that explains it.
    query |= {"previous": "true"} if name.previous else {"sinceTime": rfc3339(since)}
    try:
        return get(path, query)
    except ReadFailed as failure:
        if failure.status != 400:  # noqa: PLR2004 - the kubelet's refusal
            missed.append(str(failure))
        return None
