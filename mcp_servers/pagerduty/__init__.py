"""The PagerDuty server: reads incidents, alerts, changes and who is on call. It cannot change any."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.credentials import credential
from mcp_servers.pagerduty.browsing import Browsing
from mcp_servers.pagerduty.client import PagerDuty
from mcp_servers.pagerduty.prompts import review_service, summarize_incident
from mcp_servers.pagerduty.tools import Tools
from mcp_servers.spec import Clock, Environment, Health, Prompt, Resource, Server, Tool
from mcp_servers.together import outcomes

INSTRUCTIONS = (
    "Reads one PagerDuty account. Begin with get_incident, which takes any id or web address and "
    "gives the alerts with their labels; then get_recent_alerts and list_change_events over the "
    "incident's own window for what fired and what changed. get_oncall says whom to call."
)
DEFAULT_URL = "https://api.pagerduty.com"
PROBED = (
    ("/incidents", "incidents", "incidents.read"),
    ("/change_events", "change_events", "change_events.read"),
    ("/oncalls", "oncalls", "oncalls.read"),
)


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether PagerDuty answers, and which permissions the token lacks."""

    pagerduty: PagerDuty

    async def __call__(self) -> Health:
        """Ask for one record of each kind that the tools read."""
        ask = self.pagerduty.listing
        met = await outcomes([partial(ask, path, key, "probe", 1) for path, key, _ in PROBED])
        failures = [one for one in met if isinstance(one, ToolFailure)]
        if not failures:
            return Health(reachable=True, detail=f"{self.pagerduty.source} answers")
        named = zip(PROBED, met, strict=True)
        denied = [scope for (_, _, scope), one in named if _denied(one)]
        return Health(
            reachable=len(failures) < len(met),
            detail=failures[0].reason,
            missing=tuple(denied),
            fix="; ".join(failures[0].suggestions),
        )


def _denied(outcome: object) -> bool:
    return isinstance(outcome, ToolFailure) and outcome.status is Status.DENIED


def build(environment: Environment, clock: Clock) -> Server:
    """The server for the account of PAGERDUTY_TOKEN (or _FILE); asks it nothing yet."""
    token = credential(environment, "PAGERDUTY_TOKEN")
    url = environment.get("PAGERDUTY_API_URL", "").strip() or DEFAULT_URL
    pagerduty = PagerDuty(url, token)
    tools = Tools(pagerduty, clock)
    browsing = Browsing(pagerduty, tools)
    return Server(
        name="pagerduty",
        title="PagerDuty",
        instructions=INSTRUCTIONS,
        tools=_tools(tools),
        probe=Probe(pagerduty),
        resources=(
            Resource("pagerduty://incidents", browsing.incidents, "Open incidents"),
            Resource("pagerduty://incidents/{id}", browsing.incident, "One incident"),
        ),
        prompts=(
            Prompt(summarize_incident, "Summarize an incident"),
            Prompt(review_service, "Review a service's changes"),
        ),
        listing=browsing.listing,
        complete=browsing.complete,
        close=pagerduty.close,
        secrets=(token.secret,) if token.secret else (),
    )


def _tools(tools: Tools) -> tuple[Tool, ...]:
    return (
        Tool(tools.get_incident, "Get an incident"),
        Tool(tools.get_active_incidents, "List open incidents"),
        Tool(tools.get_recent_alerts, "List recent alerts", timeout_seconds=15.0),
        Tool(tools.list_change_events, "List change events"),
        Tool(tools.list_log_entries, "Read an incident's history"),
        Tool(tools.get_oncall, "See who is on call"),
        Tool(tools.get_past_incidents, "Find similar past incidents"),
    )
