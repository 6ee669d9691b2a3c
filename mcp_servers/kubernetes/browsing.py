"""What can be opened and completed: live entries whose descriptions tell health, and names."""

from __future__ import annotations

import json
from functools import partial

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.kubernetes.gathering import BlindSpots, failed, side_by_side
from mcp_servers.kubernetes.kinds import BUILTINS, BY_NAME
from mcp_servers.kubernetes.models import WorkloadRow
from mcp_servers.kubernetes.reader import Reader
from mcp_servers.kubernetes.refusals import Absent
from mcp_servers.kubernetes.workloads import WORKLOAD_KINDS, Workloads
from mcp_servers.spec import Entry

ENTRIES = 200
COMPLETIONS = 100
NAMED = {"name": WORKLOAD_KINDS, "pod": ("Pod",)}


class Browsing:
    """Listings for people who browse rather than ask."""

    def __init__(self, reader: Reader, workloads: Workloads) -> None:
        self._reader = reader
        self._workloads = workloads

    async def listing(self) -> list[Entry]:
        """The workloads of the cluster, those with replicas missing first."""
        return await self._entries("")

    async def namespace(self, namespace: str) -> str:
        """The workloads of one namespace with their health, as JSON."""
        entries = await self._entries(namespace)
        if not entries:
            why, suggestions = await self._reader.why_empty(namespace)
            if why:
                raise ToolFailure(Status.EMPTY, why, suggestions)
        shown = [{"uri": one.uri, "description": one.description} for one in entries]
        return json.dumps({"namespace": namespace, "workloads": shown}, indent=1)

    async def complete(self, argument: str, typed: str) -> list[str]:
        """Values of a namespace, kind or name that begin as typed (or hold it)."""
        if argument == "kind":
            return _matching([kind.name for kind in BUILTINS], typed)
        kinds = ("Namespace",) if argument == "namespace" else NAMED.get(argument, ())
        reads = [partial(self._reader.cluster.names, BY_NAME[kind].path()) for kind in kinds]
        # Nothing to offer is all that a completion can say where names cannot be read.
        lists = [names for names in await side_by_side(*reads) if not failed(names)]
        return _matching([name for names in lists for name in names], typed)

    async def _entries(self, namespace: str) -> list[Entry]:
        blind = BlindSpots()
        try:
            rows = await self._workloads.rows(namespace, blind)
            blind.raise_if_blind()
        except Absent as absent:
            raise ToolFailure(Status.EMPTY, absent.reason) from absent
        return [_entry(row) for row in rows[:ENTRIES]]


def _entry(row: WorkloadRow) -> Entry:
    return Entry(
        uri=f"k8s://{row.namespace}/{row.kind}/{row.name}",
        name=row.name,
        description=f"{row.name} ({row.ready}/{row.desired} ready) in {row.namespace}",
    )


def _matching(names: list[str], typed: str) -> list[str]:
    wanted = typed.lower()
    beginning = sorted({name for name in names if name.lower().startswith(wanted)})
    holding = sorted({name for name in names if wanted in name.lower()} - {*beginning})
    return [*beginning, *holding][:COMPLETIONS]
