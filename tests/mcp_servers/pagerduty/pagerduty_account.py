"""A PagerDuty account at the HTTP seam: REST v2 shapes, pages, refusals; and it counts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

NOW = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
TOKEN = "s3cret-pd-x9qz"
FIRING = """Labels:
 - alertname = ErrorsHigh
 - namespace = shop
 - pod = checkout-1
Annotations:
 - summary = namespace = other
Source: http://prometheus/graph?g0.expr=x
Labels:
 - alertname = ErrorsHigh
 - namespace = shop
 - pod = checkout-2
Annotations:
Source: http://prometheus/graph
"""


def stamp(minutes_ago: float) -> str:
    return (NOW - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def reference(id: str, name: str) -> dict[str, str]:
    return {"id": id, "type": "reference", "summary": name, "email": "ann@example.com"}


def incident(id: str, number: int, minutes_ago: float = 20, status: str = "triggered") -> Any:
    return {
        "id": id,
        "incident_number": number,
        "title": f"incident {number}",
        "status": status,
        "urgency": "high",
        "created_at": stamp(minutes_ago),
        "last_status_change_at": stamp(1),
        "html_url": f"https://acme.pagerduty.com/incidents/{id}",
        "service": reference("PSVC", "checkout"),
        "escalation_policy": reference("PESC", "shop policy"),
        "assignments": [{"assignee": reference("PUSR", "Ann")}],
        "priority": None,
        "body": {"type": "incident_body", "details": "it broke"},
    }


def alert(id: str, incident_id: str, minutes_ago: float = 20, **details: Any) -> Any:
    return {
        "id": id,
        "summary": "errors are high",
        "status": "triggered",
        "severity": "critical",
        "created_at": stamp(minutes_ago),
        "incident": reference(incident_id, "x"),
        "service": reference("PSVC", "checkout"),
        "body": {"type": "alert_body", "details": details},
    }


class Account:
    """What the account holds, and how it behaves."""

    def __init__(self) -> None:
        self.incidents = [incident("PONE", 1), incident("PTWO", 2, 300, "resolved")]
        self.alerts = {
            "PONE": [alert("QONE", "PONE", firing=FIRING, num_firing="2", cluster="north")],
            "PTWO": [alert("QTWO", "PTWO", 300)],
        }
        self.notes = [
            {"created_at": stamp(5), "user": reference("PUSR", "Ann"), "content": "on it"}
        ]
        self.change_events = [
            {
                "id": "CONE",
                "timestamp": stamp(30),
                "summary": "deployed checkout 2",
                "source": "ci",
                "services": [reference("PSVC", "checkout")],
                "custom_details": {"version": "2"},
                "links": [{"href": "https://ci/1", "text": "build"}],
            }
        ]
        self.keys = {"alertmanager-key": "PTWO"}
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.refusals: list[tuple[int, dict[str, str], bytes]] = []
        self.forbidden = ""
        self.hangs = False
        self.released = threading.Event()
        self.url = ""

    def refuse(
        self, status: int, body: bytes | None = None, times: int = 99, **headers: str
    ) -> None:
        said = body if body is not None else b'{"error":{"message":"No","code":1,"errors":["why"]}}'
        self.refusals = [(status, {"Content-Type": "application/json"} | headers, said)] * times

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((path, query))
        if self.refusals:
            return self.refusals.pop()
        headers = {"Content-Type": "application/json"}
        if self.forbidden and self.forbidden in path:
            return 403, headers, b'{"error":{"message":"Access Denied","code":2010}}'
        body = self._body([unquote(part) for part in path.split("/")[1:]], query)
        if body is None:
            return 404, headers, b'{"error":{"message":"Not Found","code":2100}}'
        return 200, headers, json.dumps(body).encode()

    def _body(  # noqa: C901, PLR0911 - one case per address
        self, path: list[str], query: dict[str, list[str]]
    ) -> Any:
        match path:
            case ["incidents"]:
                return self._page("incidents", self._incidents(query), query)
            case ["incidents", id]:
                known = [
                    one for one in self.incidents if id in (one["id"], str(one["incident_number"]))
                ]
                return {"incident": known[0]} if known else None
            case ["incidents", id, "alerts"]:
                return self._page("alerts", self.alerts.get(id, []), query)
            case ["incidents", id, "alerts", alert_id]:
                held = [one for one in self.alerts.get(id, []) if one["id"] == alert_id]
                return {"alert": held[0]} if held else None
            case ["incidents", "PONE", "notes"]:
                return {"notes": self.notes}
            case ["incidents", _, "notes"]:
                return {"notes": []}
            case ["incidents", "PONE", "log_entries"]:
                entry = {
                    "created_at": stamp(3),
                    "type": "notify_log_entry",
                    "summary": "called Ann",
                }
                return self._page("log_entries", [entry | {"agent": reference("A", "Ann")}], query)
            case ["incidents", "PONE", "past_incidents"]:
                past = [{"incident": {"id": "P0", "title": "before"}, "score": s} for s in (1, 9.5)]
                return {"past_incidents": past, "total": None, "limit": 5}
            case ["services"]:
                services = [{"id": "PSVC", "name": "checkout"}, {"id": "PCART", "name": "cart"}]
                return self._page("services", services, query)
            case ["change_events"] | ["services", "PSVC", "change_events"]:
                return self._page("change_events", self.change_events, query)
            case ["oncalls"]:
                on_call = {"user": reference("PUSR", "Ann"), "escalation_level": 1, "end": None}
                return self._page("oncalls", [on_call | {"schedule": None}], query)
        return None

    def _incidents(self, query: dict[str, list[str]]) -> list[Any]:
        if "incident_key" in query:
            wanted = self.keys.get(query["incident_key"][0])
            return [one for one in self.incidents if one["id"] == wanted]
        found = self.incidents
        if "statuses[]" in query:
            found = [one for one in found if one["status"] in query["statuses[]"]]
        if "since" in query:
            found = [one for one in found if one["created_at"] >= query["since"][0]]
        return found

    def _page(self, key: str, records: list[Any], query: dict[str, list[str]]) -> Any:
        offset, limit = int(query.get("offset", ["0"])[0]), int(query.get("limit", ["25"])[0])
        assert limit <= 100
        page = records[offset : offset + limit]
        total = len(records) if query.get("total") == ["true"] else None
        more = offset + len(page) < len(records)
        return {key: page, "offset": offset, "limit": limit, "more": more, "total": total}


@contextmanager
def served(account: Account) -> Iterator[Account]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if account.hangs:
                account.released.wait(20)
                return
            assert self.headers["Authorization"] == f"Token token={TOKEN}"
            assert self.headers["Accept"] == "application/vnd.pagerduty+json;version=2"
            parts = urlsplit(self.path)
            status, headers, body = account.answer(parts.path, parse_qs(parts.query))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    account.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield account
    finally:
        account.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
