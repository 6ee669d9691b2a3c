"""The tools that list what Prometheus has: alerts, rules, metrics, targets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from mcp_servers.answer import Answer, Status, ToolFailure, found
from mcp_servers.moments import from_unix, moment, rfc3339
from mcp_servers.prometheus.arguments import At
from mcp_servers.prometheus.client import Prometheus, Row, literal, quoted
from mcp_servers.prometheus.series import Flat, aligned
from mcp_servers.spec import Clock

MOST = 200
ALERTS_BACK = timedelta(hours=6)
ALERTS_STEP = 60
NEWEST = timedelta(hours=1)
FAMILY = re.compile(r"_(?:bucket|sum|count|total)$")


class Alert(Flat):
    """One alert of Prometheus's own rules."""

    name: str
    state: str
    labels: dict[str, str]
    annotations: dict[str, str]
    active_since: str
    value: str


class Alerts(Flat):
    """Alerts, firing ones first."""

    alerts: list[Alert]


class Rule(Flat):
    """One alerting or recording rule."""

    group: str
    name: str
    type: str
    query: str
    state: str
    health: str
    last_error: str
    for_seconds: float
    labels: dict[str, str]
    annotations: dict[str, str]


class Rules(Flat):
    """Rules, the broken ones first."""

    rules: list[Rule]


class Metric(Flat):
    """One metric name and what its exporter says of it."""

    name: str
    type: str
    unit: str
    help: str


class Metrics(Flat):
    """Metric names in order."""

    metrics: list[Metric]


class Target(Flat):
    """One scrape target."""

    job: str
    instance: str
    health: str
    last_error: str
    last_scrape: str
    labels: dict[str, str]


class Targets(Flat):
    """Scrape targets, those that are down first."""

    targets: list[Target]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Lists, each bounded, with the true total."""

    prometheus: Prometheus
    clock: Clock

    async def list_alerts(
        self,
        at: At = "",
        state: Literal["firing", "pending", "all"] = "firing",
    ) -> Answer[Alerts]:
        """Alerts of Prometheus's own rules, with labels, annotations and since when they are active.
        Use it to see what else fires beside an alert.

        Give `at` for a moment in the past; then they come from the recorded ALERTS series, which
        has no annotations and looks back six hours for the beginning. Silences are not known here.
        """
        current = [] if at else [_alert(one) for one in await self._current()]
        alerts = current or await self._recorded(moment(at, self.clock(), "at"))
        wanted = [one for one in alerts if state in ("all", one.state)]
        wanted.sort(key=lambda one: (one.state, one.active_since, one.name))
        cut = len(wanted) > MOST
        data = Alerts(alerts=wanted[:MOST])
        return found(data, total=len(wanted), source=self.prometheus.source, truncated=cut)

    async def list_rules(
        self,
        name: Annotated[
            str, Field(max_length=200, description="part of a rule's name, e.g. HighLatency")
        ] = "",
    ) -> Answer[Rules]:
        """Alerting and recording rules with their PromQL, state, and error where one cannot be
        evaluated. Use it to see what an alert means and how long it waits.
        """
        groups = (await self.prometheus.get("rules", "list_rules"))["groups"]
        rules = [_rule(group["name"], rule) for group in groups for rule in group["rules"]]
        wanted = [rule for rule in rules if name.lower() in rule.name.lower()]
        wanted.sort(key=lambda rule: (rule.health != "err", rule.state != "firing", rule.name))
        cut = len(wanted) > MOST
        data = Rules(rules=wanted[:MOST])
        return found(data, total=len(wanted), source=self.prometheus.source, truncated=cut)

    async def list_metrics(
        self,
        match: Annotated[str, Field(max_length=200, description="part of the name: http_")] = "",
        limit: Annotated[int, Field(ge=1, le=1000)] = 200,
    ) -> Answer[Metrics]:
        """Names of metrics with samples in the last hour, with type and help.

        Use it before writing PromQL. It does not tell labels: ask query for `count by (…) (name)`.
        """
        names = await self.names(match)
        known = await self.prometheus.get("metadata", "list_metrics", [("limit_per_metric", 1)])
        metrics = [described(name, known) for name in names[:limit]]
        cut = len(names) > limit
        data = Metrics(metrics=metrics)
        return found(data, total=len(names), source=self.prometheus.source, truncated=cut)

    async def get_targets(
        self, state: Literal["", "up", "down", "unknown"] = ""
    ) -> Answer[Targets]:
        """What Prometheus scrapes and whether it can: a target that is down leaves no metrics.

        Use it when series are missing. Targets that are down come first, with the scrape's error.
        """
        active = await self.prometheus.get("targets", "get_targets", [("state", "active")])
        targets = [_target(one) for one in active["activeTargets"]]
        wanted = [one for one in targets if state in ("", one.health)]
        wanted.sort(key=lambda one: (one.health == "up", one.job, one.instance))
        cut = len(wanted) > MOST
        data = Targets(targets=wanted[:MOST])
        return found(data, total=len(wanted), source=self.prometheus.source, truncated=cut)

    async def names(self, part: str) -> list[str]:
        """Metric names of the last hour that contain `part`."""
        now = self.clock()
        params: list[tuple[str, str | float]] = [
            ("start", rfc3339(now - NEWEST)),
            ("end", rfc3339(now)),
        ]
        if part:
            params.append(("match[]", f"{{__name__=~{quoted(f'.*{literal(part)}.*')}}}"))
        return list(await self.prometheus.get("label/__name__/values", "list_metrics", params))

    async def _current(self) -> list[Mapping[str, Any]]:
        """What the rules say now; nothing where this server has no rules at all."""
        try:
            return list((await self.prometheus.get("alerts", "list_alerts"))["alerts"])
        except ToolFailure as failure:
            if failure.status is Status.ERROR and "HTTP 404" in failure.reason:
                return []
            raise

    async def _recorded(self, at: datetime) -> list[Alert]:
        """What the ALERTS series say of `at`; they are followed back to where they begin."""
        start = aligned(at - ALERTS_BACK, at, ALERTS_STEP)
        rows = await self.prometheus.range("ALERTS", start, at, ALERTS_STEP, "list_alerts")
        return [_from_series(row, start) for row in rows if row["values"][-1][0] >= at.timestamp()]


def _alert(said: Mapping[str, Any]) -> Alert:
    labels = dict(said["labels"])
    return Alert(
        name=labels.pop("alertname", ""),
        state=said["state"],
        labels=labels,
        annotations=said.get("annotations", {}),
        active_since=rfc3339(datetime.fromisoformat(said["activeAt"])),
        value=str(said.get("value", "")),
    )


def _from_series(row: Row, start: datetime) -> Alert:
    labels = {name: value for name, value in row["metric"].items() if name != "__name__"}
    began = _began([float(at) for at, _ in row["values"]])
    return Alert(
        name=labels.pop("alertname", ""),
        state=labels.pop("alertstate", ""),
        labels=labels,
        annotations={},
        active_since=from_unix(began) if began > start.timestamp() else "",
        value="",
    )


def _began(times: list[float]) -> float:
    """The first of the unbroken run of steps that ends with the last one."""
    began = times[-1]
    for at in reversed(times):
        if began - at > ALERTS_STEP:
            break
        began = at
    return began


def _rule(group: str, said: Mapping[str, Any]) -> Rule:
    return Rule(
        group=group,
        name=said["name"],
        type=said["type"],
        query=said["query"],
        state=said.get("state", ""),
        health=said.get("health", ""),
        last_error=said.get("lastError", ""),
        for_seconds=said.get("duration", 0),
        labels=said.get("labels", {}),
        annotations=said.get("annotations", {}),
    )


def described(name: str, known: Mapping[str, Any]) -> Metric:
    """A metric with what its exporter says of it, or of the family it belongs to."""
    said: Mapping[str, Any] = next((known[one][0] for one in families(name) if known.get(one)), {})
    return Metric(
        name=name,
        type=said.get("type", ""),
        unit=said.get("unit", ""),
        help=said.get("help", ""),
    )


def families(name: str) -> list[str]:
    """The names under which a metric may be described: `x_bucket` belongs to the histogram `x`."""
    return list(dict.fromkeys((name, FAMILY.sub("", name))))


def _target(said: Mapping[str, Any]) -> Target:
    labels = dict(said["labels"])
    return Target(
        job=labels.pop("job", ""),
        instance=labels.pop("instance", ""),
        health=said["health"],
        last_error=said.get("lastError", ""),
        last_scrape=said.get("lastScrape", ""),
        labels=labels,
    )
