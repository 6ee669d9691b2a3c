"""PagerDuty's REST API v2 over a world's incidents, as an ASGI application. Reads only.

The state is the lab's own copy; `_refuse_write` is the one place where writes would come in.
"""

from __future__ import annotations

import copy
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from eval.lab import pager_shapes
from eval.lab.pager_select import (
    Refused,
    at,
    bounds,
    invalid,
    moment,
    ordered,
    reference_id,
    wanted,
    within,
)
from eval.lab.pager_shapes import shaped
from eval.lab.world import World

Json = dict[str, Any]

_DEFAULT_RANGE = timedelta(days=30)
_PAST_LIMIT = 5
_ERRORS = {
    401: (2006, "Unauthorized"),
    403: (2010, "Access Denied"),
    404: (2100, "Not Found"),
    429: (2020, "Rate Limit Exceeded"),
    500: (2000, "Internal Server Error"),
}


class PagerDutyApi:
    """One world's PagerDuty account."""

    def __init__(self, world: World, token: str, clock: Callable[[], datetime]) -> None:
        self._data: Json = copy.deepcopy(world.pager)
        self._accepted = (f"Token token={token}".encode(), f"Bearer {token}".encode())
        self._clock = clock
        self._routes = Starlette(
            routes=[Route(path, endpoint, methods=["GET"]) for path, endpoint in self._paths()],
            exception_handlers={Refused: _refused, 404: _not_found, 405: _refuse_write},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request of somebody who must have the token."""
        given = dict(scope["headers"]).get(b"authorization", b"")
        known = any(hmac.compare_digest(given, accepted) for accepted in self._accepted)
        app = self._routes if known else error_response(401)
        await app(scope, receive, send)

    def _paths(self) -> list[tuple[str, Callable[[Request], Any]]]:
        return [
            ("/abilities", self._abilities),
            ("/incidents", self._incidents),
            ("/incidents/{id}", self._incident),
            ("/incidents/{id}/alerts", self._alerts),
            ("/incidents/{id}/alerts/{alert_id}", self._alert),
            ("/incidents/{id}/notes", self._notes),
            ("/incidents/{id}/log_entries", self._incident_log),
            ("/incidents/{id}/past_incidents", self._past),
            ("/incidents/{id}/related_change_events", self._related_changes),
            ("/log_entries", self._log),
            ("/change_events", self._changes),
            ("/change_events/{id}", self._one_of("change_events", "change_event")),
            ("/services", self._services),
            ("/services/{id}", self._one_of("services", "service")),
            ("/services/{id}/change_events", self._service_changes),
            ("/oncalls", self._oncalls),
            ("/users", self._listed("users")),
            ("/users/{id}", self._one_of("users", "user")),
            ("/escalation_policies", self._listed("escalation_policies")),
            ("/escalation_policies/{id}", self._one_of("escalation_policies", "escalation_policy")),
            ("/schedules", self._listed("schedules")),
            ("/schedules/{id}", self._one_of("schedules", "schedule")),
        ]

    def _all(self, key: str) -> list[Json]:
        """Everything of a kind; people and policies also where they are only referred to."""
        if key == "users":
            items = pager_shapes.users(self._data)
        elif key == "escalation_policies":
            items = pager_shapes.escalation_policies(self._data)
        else:
            items = self._data.get(key, [])
        return [shaped(key, item) for item in items]

    def _of(self, key: str, incident: Json) -> list[Json]:
        """What belongs to an incident: its alerts, notes, log entries."""
        return [shaped(key, item) for item in self._data.get(key, {}).get(incident["id"], [])]

    def _asked(self, request: Request) -> Json:
        """The incident of the path, by id or by number."""
        asked = request.path_params["id"]
        for item in self._all("incidents"):
            if asked in (item["id"], str(item.get("incident_number", ""))):
                return item
        raise refusal(404)

    def _listed(self, key: str) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            return _page(request, key, _queried(request, self._all(key)))

        return answer

    def _one_of(self, key: str, name: str) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            return JSONResponse({name: _by_id(self._all(key), request.path_params["id"])})

        return answer

    async def _abilities(self, _request: Request) -> Response:
        return JSONResponse({"abilities": []})

    async def _incidents(self, request: Request) -> Response:
        query = request.query_params
        since, until = moment(query, "since"), moment(query, "until")
        if query.get("date_range") == "all":
            since = until = None
        elif since is None:
            since = (until or self._clock()) - _DEFAULT_RANGE
        found = [
            item
            for item in self._all("incidents")
            if within(item, "created_at", since, until)
            and wanted(query, "statuses", item.get("status"))
            and wanted(query, "urgencies", item.get("urgency"))
            and wanted(query, "service_ids", reference_id(item, "service"))
            and query.get("incident_key") in (None, item.get("incident_key"))
            and _assigned(request, item)
        ]
        fields = ("incident_number", "created_at", "resolved_at", "urgency")
        return _page(request, "incidents", ordered(found, query.get("sort_by", ""), fields))

    async def _incident(self, request: Request) -> Response:
        return JSONResponse({"incident": self._asked(request)})

    async def _alerts(self, request: Request) -> Response:
        query, incident = request.query_params, self._asked(request)
        found = [
            item
            for item in self._of("alerts", incident)
            if wanted(query, "statuses", item.get("status"))
            and query.get("alert_key") in (None, item.get("alert_key"))
        ]
        fields = ("created_at", "resolved_at")
        return _page(request, "alerts", ordered(found, query.get("sort_by", ""), fields))

    async def _alert(self, request: Request) -> Response:
        alerts = self._of("alerts", self._asked(request))
        return JSONResponse({"alert": _by_id(alerts, request.path_params["alert_id"])})

    async def _notes(self, request: Request) -> Response:
        return JSONResponse({"notes": _newest_first(self._of("notes", self._asked(request)))})

    async def _incident_log(self, request: Request) -> Response:
        return _log_page(request, self._of("log_entries", self._asked(request)))

    async def _log(self, request: Request) -> Response:
        groups = self._data.get("log_entries", {}).values()
        return _log_page(request, [shaped("log_entries", item) for each in groups for item in each])

    async def _past(self, request: Request) -> Response:
        incident, query = self._asked(request), request.query_params
        found = self._data.get("past_incidents", {}).get(incident["id"], [])
        limit = int(query["limit"]) if query.get("limit", "").isdecimal() else _PAST_LIMIT
        body: Json = {"past_incidents": found[:limit], "limit": limit}
        if query.get("total") == "true":
            body["total"] = len(found)
        return JSONResponse(body)

    async def _related_changes(self, request: Request) -> Response:
        service = reference_id(self._asked(request), "service")
        reason = {"correlation_reason": {"reason": "related_service"}}
        found = [item | reason for item in self._changes_of(service)]
        return JSONResponse({"change_events": found[: bounds(request.query_params).limit]})

    async def _changes(self, request: Request) -> Response:
        return _changes_page(request, self._all("change_events"))

    async def _service_changes(self, request: Request) -> Response:
        service = _by_id(self._all("services"), request.path_params["id"])
        return _changes_page(request, self._changes_of(service["id"]))

    def _changes_of(self, service: str | None) -> list[Json]:
        return [
            item
            for item in self._all("change_events")
            if service in [each.get("id") for each in item.get("services", [])]
        ]

    async def _services(self, request: Request) -> Response:
        name = request.query_params.get("name")
        found = [item for item in self._all("services") if name in (None, item.get("name"))]
        return _page(request, "services", _queried(request, found))

    async def _oncalls(self, request: Request) -> Response:
        query, now = request.query_params, self._clock()
        since = moment(query, "since") or now
        until = moment(query, "until") or max(since, now)
        found = [
            item
            for item in self._all("oncalls")
            if wanted(query, "user_ids", reference_id(item, "user"))
            and wanted(query, "schedule_ids", reference_id(item, "schedule"))
            and wanted(query, "escalation_policy_ids", reference_id(item, "escalation_policy"))
            and _overlaps(item, since, until)
        ]
        if query.get("earliest") == "true":
            found = _earliest(found)
        return _page(request, "oncalls", found)


def _page(request: Request, key: str, items: list[Json]) -> Response:
    return JSONResponse(bounds(request.query_params).page(key, items))


def _log_page(request: Request, items: list[Json]) -> Response:
    query = request.query_params
    since, until = moment(query, "since"), moment(query, "until")
    found = [item for item in items if within(item, "created_at", since, until)]
    return _page(request, "log_entries", _newest_first(found))


def _changes_page(request: Request, items: list[Json]) -> Response:
    query = request.query_params
    for name in ("since", "until"):
        when = moment(query, name)
        if when and when.utcoffset():
            raise invalid(f"{name.capitalize()} must be in UTC: {query[name]}")
    since, until = moment(query, "since"), moment(query, "until")
    found = [item for item in items if within(item, "timestamp", since, until)]
    return _page(request, "change_events", _newest_first(found, "timestamp"))


def _newest_first(items: list[Json], key: str = "created_at") -> list[Json]:
    return sorted(items, key=lambda item: item.get(key, ""), reverse=True)


def _by_id(items: list[Json], asked: str) -> Json:
    for item in items:
        if item["id"] == asked:
            return item
    raise refusal(404)


def _queried(request: Request, items: list[Json]) -> list[Json]:
    words = request.query_params.get("query", "").lower()
    return [item for item in items if words in (item.get("name") or "").lower()]


def _assigned(request: Request, incident: Json) -> bool:
    """Whether the incident is of one of the users and teams that were asked for."""
    asked = request.query_params
    users = [reference_id(each, "assignee") for each in incident.get("assignments", [])]
    teams = [team.get("id") for team in incident.get("teams", [])]
    return all(
        not asked.getlist(name) or set(asked.getlist(name)) & set(found)
        for name, found in (("user_ids[]", users), ("team_ids[]", teams))
    )


def _overlaps(oncall: Json, since: datetime, until: datetime) -> bool:
    """Whether a shift touches the window; a shift without ends is always on."""
    start, end = at(oncall, "start"), at(oncall, "end")
    return (start is None or start <= until) and (end is None or end > since)


def _earliest(oncalls: list[Json]) -> list[Json]:
    """The first shift of each policy, level and user."""
    first: dict[tuple[Any, ...], Json] = {}
    for item in sorted(oncalls, key=lambda item: item.get("start", "")):
        who = reference_id(item, "escalation_policy"), reference_id(item, "user")
        first.setdefault((*who, item.get("escalation_level")), item)
    return list(first.values())


def refusal(status: int) -> Refused:
    """PagerDuty's error of an HTTP status."""
    return Refused(status, *_ERRORS[status])


def error_response(status: int, _request: Request | None = None) -> Response:
    """How PagerDuty words an HTTP error."""
    headers = {"ratelimit-limit": "960", "ratelimit-remaining": "0", "ratelimit-reset": "30"}
    return JSONResponse(refusal(status).body, status, headers if status == 429 else None)  # noqa: PLR2004


def _refused(_request: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)  # noqa: S101 - starlette types every handler alike
    return JSONResponse(refused.body, refused.status)


def _not_found(_request: Request, _error: Exception) -> Response:
    return error_response(404)


def _refuse_write(_request: Request, _error: Exception) -> Response:
    """A verb that the path does not take for reading: the lab's key is a read-only one."""
    return error_response(403)
