"""What can be opened and completed: firing alerts as live entries, an alert, a metric, and names."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any
from urllib.parse import quote as segment

from mcp_servers.answer import Answer, Status, ToolFailure
from mcp_servers.moments import rfc3339
from mcp_servers.prometheus.client import Prometheus, quoted
from mcp_servers.prometheus.inventory import (
    NEWEST,
    Alert,
    Inventory,
    described,
    families,
)
from mcp_servers.spec import Clock, Entry
from mcp_servers.together import outcomes, together

MOST_LABELS = 30
EXAMPLES = 10
Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Browsing:
    """Listings and addresses for people who browse rather than ask."""

    prometheus: Prometheus
    inventory: Inventory
    clock: Clock

    async def alerts(self) -> str:
        """The alerts that fire now, as JSON."""
        answer = await self.inventory.list_alerts()
        return answer.model_dump_json(exclude_defaults=True)

    async def alert(self, alert: str) -> str:
        """An alert as JSON: where it is active now, and its rule with the PromQL."""
        active = await self.inventory.list_alerts(state="all")
        [rules] = await outcomes([partial(self.inventory.list_rules, alert)])
        data = {"alerts": _named(alert, active, "alerts"), "rules": _named(alert, rules, "rules")}
        unread = f"rules: {rules.reason}" if isinstance(rules, ToolFailure) else ""
        if not unread and not any(data.values()):
            raise _unknown("alert", alert, "list_rules and list_alerts", self.prometheus.source)
        return json.dumps(data | ({"reason": unread} if unread else {}), ensure_ascii=False)

    async def metric(self, metric: str) -> str:
        """A metric as JSON: type, unit, help, how many series it has now, and its labels."""
        selector = f"{{__name__={quoted(metric)}}}"
        labels = await self._labels(selector)
        if not labels:
            raise _unknown("metric", metric, "list_metrics", self.prometheus.source)
        counted = await self.prometheus.instant(f"count({selector})", self.clock(), "metric")
        series = int(float(counted[0]["value"][1])) if counted else 0
        said = described(metric, await self._metadata(metric)).model_dump()
        return json.dumps({**said, "series": series, "labels": labels}, ensure_ascii=False)

    async def listing(self) -> list[Entry]:
        """The alerts that fire now by name; their descriptions say how many, since when and where."""
        data = (await self.inventory.list_alerts()).data
        alerts = sorted(data.alerts if data else [], key=lambda one: one.name)
        groups = groupby(alerts, key=lambda one: one.name)
        return [_entry(name, list(several)) for name, several in groups]

    async def complete(self, argument: str, typed: str) -> list[str]:
        """Names of metrics of the last hour, and of alerts."""
        if argument == "alert":
            return await self._alert_names(typed.lower())
        return await self.inventory.names(typed) if argument in ("metric", "query", "match") else []

    async def _alert_names(self, typed: str) -> list[str]:
        read: list[Callable[[], Awaitable[Answer[Any]]]] = [
            partial(self.inventory.list_alerts, state="all"),
            self.inventory.list_rules,
        ]
        active, rules = await outcomes(read)
        lists = (_items(active, "alerts"), _items(rules, "rules"))
        names = {one.name for items in lists for one in items if _is_alert(one)}
        return sorted(name for name in names if typed in name.lower())

    async def _labels(self, selector: str) -> dict[str, Found]:
        """The labels of a metric's series of the last hour, with how many values and a few of them."""
        asked = self._window(selector)
        names: list[str] = await self.prometheus.get("labels", "metric", asked)
        shown = [name for name in names if name != "__name__"][:MOST_LABELS]
        paths = [f"label/{segment(name, safe='')}/values" for name in shown]
        values = await together(
            [partial(self.prometheus.get, path, "metric", asked) for path in paths]
        )
        pairs = zip(shown, values, strict=True)
        found = {name: {"values": len(of), "examples": of[:EXAMPLES]} for name, of in pairs}
        return found or ({"__name__": {"values": 1}} if names else {})

    async def _metadata(self, metric: str) -> Found:
        known: Found = {}
        for name in families(metric):
            known |= await self.prometheus.get("metadata", "metric", [("metric", name)])
        return known

    def _window(self, selector: str) -> list[tuple[str, str | float]]:
        now = self.clock()
        start, end = rfc3339(now - NEWEST), rfc3339(now)
        return [("match[]", selector), ("start", start), ("end", end)]


def _entry(name: str, alerts: list[Alert]) -> Entry:
    began = min((one.active_since for one in alerts if one.active_since), default="")
    shared = set.intersection(*({*one.labels.items()} for one in alerts))
    where = " ".join(f"{label}={value}" for label, value in sorted(shared)[:5])
    since = f"since {began}" if began else "since before what was looked at"
    return Entry(
        uri=f"prometheus://alerts/{segment(name, safe='')}",
        name=name,
        description=", ".join(part for part in (f"{len(alerts)} firing", since, where) if part),
    )


def _items(answer: Answer[Any] | ToolFailure, field: str) -> list[Any]:
    if isinstance(answer, ToolFailure) or answer.data is None:
        return []
    return list(getattr(answer.data, field))


def _named(name: str, answer: Answer[Any] | ToolFailure, field: str) -> list[Found]:
    return [one.model_dump() for one in _items(answer, field) if one.name == name]


def _is_alert(one: Any) -> bool:
    return isinstance(one, Alert) or one.type == "alerting"


def _unknown(what: str, name: str, listed: str, source: str) -> ToolFailure:
    reason = f"prometheus has no {what} {name!r}"
    return ToolFailure(Status.EMPTY, reason, (f"see {listed} for the names",), source)
