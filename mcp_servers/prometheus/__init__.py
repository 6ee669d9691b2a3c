"""The Prometheus server: reads metrics, alerts, rules and targets. It cannot change anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mcp_servers.answer import ToolFailure
from mcp_servers.prometheus.browsing import Browsing
from mcp_servers.prometheus.changes import Changes
from mcp_servers.prometheus.client import Prometheus, connection
from mcp_servers.prometheus.golden import GoldenSignals
from mcp_servers.prometheus.inventory import Inventory
from mcp_servers.prometheus.prompts import check_service, explain_alert
from mcp_servers.prometheus.queries import Queries
from mcp_servers.prometheus.services import ServiceSignals
from mcp_servers.spec import (
    Clock,
    ConfigurationError,
    Environment,
    Health,
    Prompt,
    Resource,
    Server,
    Tool,
)

INSTRUCTIONS = (
    "Reads one Prometheus. Begin with get_metrics for a service or workload, and list_alerts; use "
    "find_anomalies where these do not tell, and query or query_range for a particular question. "
    "Ask over the incident's own window. Missing series are not healthy series: see get_targets."
)
DEFAULT_RANGE_DAYS = 7.0
SLOW_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether Prometheus answers a query."""

    prometheus: Prometheus
    clock: Clock

    async def __call__(self) -> Health:
        """Ask for a constant: it costs nothing and needs the permission that all tools need."""
        try:
            await self.prometheus.instant("vector(1)", self.clock(), "probe")
        except ToolFailure as failure:
            return Health(
                reachable=False,
                detail=failure.reason,
                missing=("query",),
                fix="; ".join(failure.suggestions),
            )
        return Health(reachable=True, detail=f"{self.prometheus.source} answers queries")


def build(environment: Environment, clock: Clock) -> Server:
    """The server for the Prometheus at PROMETHEUS_URL; asks it nothing yet.

    PROMETHEUS_MAX_RANGE_DAYS (default 7) is the longest window that may be asked at once.
    """
    connected = connection(environment)
    prometheus = Prometheus(connected)
    longest = _longest(environment)
    inventory = Inventory(prometheus, clock)

    browsing = Browsing(prometheus, inventory, clock)
    return Server(
        name="prometheus",
        title="Prometheus",
        instructions=INSTRUCTIONS,
        tools=_tools(prometheus, inventory, clock, longest),
        probe=Probe(prometheus, clock),
        resources=_resources(browsing),
        prompts=(
            Prompt(explain_alert, "Explain an alert"),
            Prompt(check_service, "Check a service's signals"),
        ),
        listing=browsing.listing,
        complete=browsing.complete,
        close=prometheus.close,
        secrets=connected.secrets,
    )


def _resources(browsing: Browsing) -> tuple[Resource, ...]:
    return (
        Resource("prometheus://alerts", browsing.alerts, "Alerts that fire now"),
        Resource("prometheus://alerts/{alert}", browsing.alert, "One alert and its rule"),
        Resource("prometheus://metrics/{metric}", browsing.metric, "One metric"),
    )


def _longest(environment: Environment) -> timedelta:
    days = environment.get("PROMETHEUS_MAX_RANGE_DAYS", "").strip() or f"{DEFAULT_RANGE_DAYS}"
    try:
        return timedelta(days=float(days))
    except (ValueError, OverflowError) as error:
        wrong = f"PROMETHEUS_MAX_RANGE_DAYS is {days!r}; give a number of days"
        raise ConfigurationError(wrong) from error


def _tools(
    prometheus: Prometheus, inventory: Inventory, clock: Clock, longest: timedelta
) -> tuple[Tool, ...]:
    queries = Queries(prometheus, clock, longest)
    golden = GoldenSignals(prometheus, longest)
    changes = Changes(prometheus, longest)
    services = ServiceSignals(prometheus, longest)
    return (
        Tool(queries.query, "Run a query at one moment"),
        Tool(queries.query_range, "Run a query over a window"),
        Tool(golden.get_metrics, "Get golden signals", timeout_seconds=SLOW_SECONDS),
        Tool(services.list_services, "List services' signals", timeout_seconds=SLOW_SECONDS),
        Tool(changes.find_anomalies, "Find series that changed", timeout_seconds=SLOW_SECONDS),
        Tool(inventory.list_alerts, "List alerts"),
        Tool(inventory.list_rules, "List rules"),
        Tool(inventory.list_metrics, "List metric names"),
        Tool(inventory.get_targets, "List scrape targets"),
    )
