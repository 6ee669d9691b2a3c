"""The Prometheus server: reads metrics, alerts, rules and targets. It cannot change anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mcp_servers.answer import ToolFailure
from mcp_servers.prometheus.changes import Changes
from mcp_servers.prometheus.client import Prometheus, connection
from mcp_servers.prometheus.golden import GoldenSignals
from mcp_servers.prometheus.inventory import Inventory
from mcp_servers.prometheus.queries import Queries
from mcp_servers.spec import Clock, Environment, Health, Prompt, Server, Tool

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


async def explain_alert(name: str, at: str = "") -> str:
    """How to find out what a Prometheus alert means and what moved with it."""
    return (
        f"Explain the Prometheus alert {name!r}{f' as of {at}' if at else ''}. Read its rule with "
        "list_rules and its labels with list_alerts. Ask query_range for the rule's expression "
        "over the hour before it became active, then get_metrics for the service its labels name. "
        "State only what the answers show, with the query for each number, and what is missing."
    )


def build(environment: Environment, clock: Clock) -> Server:
    """The server for the Prometheus at PROMETHEUS_URL; asks it nothing yet.

    PROMETHEUS_MAX_RANGE_DAYS (default 7) is the longest window that may be asked at once.
    """
    connected = connection(environment)
    prometheus = Prometheus(connected)
    longest = _longest(environment)
    inventory = Inventory(prometheus, clock)

    async def complete(argument: str, typed: str) -> list[str]:
        return await inventory.names(typed) if argument in ("query", "match", "name") else []

    return Server(
        name="prometheus",
        title="Prometheus",
        instructions=INSTRUCTIONS,
        tools=_tools(prometheus, inventory, clock, longest),
        probe=Probe(prometheus, clock),
        prompts=(Prompt(explain_alert, "Explain an alert"),),
        complete=complete,
        close=prometheus.close,
        secrets=connected.secrets,
    )


def _longest(environment: Environment) -> timedelta:
    days = environment.get("PROMETHEUS_MAX_RANGE_DAYS", "").strip() or f"{DEFAULT_RANGE_DAYS}"
    try:
        return timedelta(days=float(days))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"PROMETHEUS_MAX_RANGE_DAYS is {days!r}; give a number of days") from error


def _tools(
    prometheus: Prometheus, inventory: Inventory, clock: Clock, longest: timedelta
) -> tuple[Tool, ...]:
    queries = Queries(prometheus, clock, longest)
    golden = GoldenSignals(prometheus, longest)
    changes = Changes(prometheus, longest)
    return (
        Tool(queries.query, "Query at one moment"),
        Tool(queries.query_range, "Query over a window"),
        Tool(golden.get_metrics, "Golden signals", timeout_seconds=SLOW_SECONDS),
        Tool(changes.find_anomalies, "Series that changed", timeout_seconds=SLOW_SECONDS),
        Tool(inventory.list_alerts, "Alerts"),
        Tool(inventory.list_rules, "Rules"),
        Tool(inventory.list_metrics, "Metric names"),
        Tool(inventory.get_targets, "Scrape targets"),
    )
