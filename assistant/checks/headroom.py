"""What a node or a volume has run out of, as its own gauges say: one question for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assistant.checks.case import Case
from assistant.checks.reading.metrics.whose import owner
from assistant.incident import Entity, Evidence, Finding
from assistant.snapshot import listing, mapping

DISKS = 'fstype!~"tmpfs|overlay|squashfs|ramfs|iso9660|nsfs|autofs"'


@dataclass(frozen=True)
class Bound:
    """A condition that is ill by itself, whatever its past: a query that gives series only then."""

    name: str
    kind: str
    query: str
    says: str
    """How it is said; `{value}` is the figure."""


BOUNDS = (
    Bound("clock", "node_clock_skew", "abs(node_timex_offset_seconds) > 1",
          "its clock is {value:.0f} s wrong"),
    Bound("clock sync", "node_clock_skew",
          "node_timex_sync_status == 0 and node_timex_maxerror_seconds > 16",
          "its clock is not kept in time by anybody"),
    Bound("inodes", "inodes_exhausted",
          f"node_filesystem_files_free{{{DISKS}}} / (node_filesystem_files{{{DISKS}}} > 0) < 0.03",
          "{value:.1%} of the inodes of {mountpoint} are free"),
    Bound("node disk", "node_disk_full",
          f"node_filesystem_avail_bytes{{{DISKS}}} / (node_filesystem_size_bytes{{{DISKS}}} > 0) < 0.03",
          "{value:.1%} of {mountpoint} is free"),
    Bound("volume", "volume_full",
          "kubelet_volume_stats_available_bytes / (kubelet_volume_stats_capacity_bytes > 0) < 0.03",
          "{value:.1%} of it is free"),
    Bound("volume inodes", "volume_full",
          "kubelet_volume_stats_inodes_free / (kubelet_volume_stats_inodes > 0) < 0.03",
          "{value:.1%} of its inodes are free"),
    Bound("connections", "conntrack_full",
          "node_nf_conntrack_entries / (node_nf_conntrack_entries_limit > 0) > 0.95",
          "its table of connections is {value:.0%} full"),
    Bound("processes", "pids_exhausted",
          "node_processes_pids / (node_processes_max_processes > 0) > 0.95",
          "{value:.0%} of the process numbers are in use"),
    Bound("served certificate", "certificate_expired",
          "probe_ssl_earliest_cert_expiry - time() < 0", "its certificate has expired"),
    Bound("certificate", "certificate_expired",
          "certmanager_certificate_expiration_timestamp_seconds - time() < 0", "it has expired"),
)  # fmt: skip
LABEL = "bound"
LEAST_LABELS = ("mountpoint", "persistentvolumeclaim", "instance", "name")


async def check(case: Case) -> list[Finding]:
    """What has run out now; nothing where nobody exports such gauges."""
    query = " or ".join(
        f'label_replace({bound.query}, "{LABEL}", "{bound.name}", "", "")' for bound in BOUNDS
    )
    end = case.scope.window.end.isoformat(timespec="seconds").replace("+00:00", "Z")
    asked = {"query": query, "time": end}
    answer = await case.ask("prometheus.query", asked, "what nodes and volumes have run out of")
    rows = [mapping(row) for row in listing(answer.data, "series")] if answer.status.seen else []
    found: dict[str, Finding] = {}
    for row in rows:
        for finding in _finding(case, answer, mapping(row, "labels"), row.get("value")):
            found.setdefault(f"{finding.kind} {finding.entity}", finding)
    return list(found.values())


def _finding(
    case: Case, answer: Evidence, labels: Mapping[str, Any], value: Any
) -> Iterator[Finding]:
    bound = next((one for one in BOUNDS if one.name == labels.get(LABEL)), None)
    entity = _entity(case, labels)
    if bound is None or entity is None or not isinstance(value, int | float):
        return
    told = {"mountpoint": "", **{str(key): str(word) for key, word in labels.items()}}
    said = bound.says.format(**{**told, "value": value})
    quote = next((str(labels[key]) for key in LEAST_LABELS if labels.get(key)), bound.name)
    yield Finding(
        kind=bound.kind,
        entity=entity,
        statement=f"{entity}: {said}",
        citations=(answer.cite(quote), answer.cite(bound.name)),
        strength=0.95,
    )


def _entity(case: Case, labels: Mapping[str, Any]) -> Entity | None:
    """The claim, certificate or node that a series is about; of a probe, what was probed."""
    namespace = str(labels.get("namespace") or labels.get("exported_namespace") or "")
    claim = str(labels.get("persistentvolumeclaim") or "")
    if claim:
        return Entity(kind="PersistentVolumeClaim", name=claim, namespace=namespace)
    if labels.get("bound") == "certificate":
        return Entity(kind="Certificate", name=str(labels.get("name") or ""), namespace=namespace)
    if labels.get("bound") == "served certificate":
        return Entity(kind="Address", name=str(labels.get("instance") or ""))
    node = owner(case, labels)
    if node is not None and node.kind == "Node":
        return node
    named = str(labels.get("instance") or "")
    return Entity(kind="Node", name=named.partition(":")[0]) if named else None
