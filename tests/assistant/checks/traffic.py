"""What `list_services` answers, for the checks: signals of services and who calls whom."""

from __future__ import annotations

from typing import Any

from assistant.incident import Evidence
from tests.assistant.checks.cluster import NOW, ago, evidence

CELLS = 60
Raw = dict[str, Any]


def course(strength: float, minutes: float, ended: float = 0) -> list[float]:
    """An hour in minutes: calm, then so many spreads away since some minutes ago, until `ended`."""
    ill = range(int(CELLS - minutes), int(CELLS - ended))
    return [strength if cell in ill else 0.1 * (cell % 3 - 1) for cell in range(CELLS)]


def signal(
    service: str,
    kind: str,
    before: float,
    during: float,
    *,
    minutes: float = 20,
    strength: float = 40.0,
    ended: float = 0,
    **labels: str,
) -> Raw:
    """A signal that left its past some minutes ago; one whose level stayed has no strength."""
    still = before == during
    said = {"service": service, "signal": kind, "unit": "s", "metric": "request_seconds", **labels}
    return {
        "labels": said,
        "before": before,
        "during": during,
        "strength": 0.0 if still else strength,
        "onset": "" if still else ago(minutes),
        "over": bool(ended),
        "course": [] if still else course(strength, minutes, ended),
    }


def slow(service: str, before: float = 0.1, during: float = 2.0, **more: Any) -> Raw:
    """A service whose answers have become slow."""
    return signal(service, "latency", before, during, **more)


def failing(service: str, before: float = 0.0, during: float = 0.3, **more: Any) -> Raw:
    """A service that fails a share of its requests."""
    return signal(service, "errors", before, during, **{"unit": "ratio", **more})


def calm(service: str, level: float = 0.1, **more: Any) -> Raw:
    """A service that answers as ever."""
    return signal(service, "latency", level, level, **more)


def services(*signals: Raw, calls: str = "", namespace: str = "shop") -> Evidence:
    """The answer that holds these signals; calls as `web>orders orders>orders-db`."""
    pairs = [pair.split(">") for pair in calls.split()]
    data = {
        "signals": list(signals),
        "calls": [{"client": client, "server": server} for client, server in pairs],
        "step_seconds": 60,
    }
    return evidence("prometheus.list_services", {"namespace": namespace}, data)


def anomaly(
    metric: str,
    direction: str = "up",
    *,
    strength: float = 12.0,
    minutes: float = 20,
    before: float = 1.0,
    during: float = 5.0,
    **labels: str,
) -> Raw:
    """A row of `find_anomalies`."""
    return {
        "metric": metric,
        "labels": labels,
        "onset": ago(minutes),
        "direction": direction,
        "strength": strength,
        "before": before,
        "during": during,
    }


def anomalies(*rows: Raw) -> Evidence:
    """The answer that holds these rows."""
    return evidence("prometheus.find_anomalies", {"namespace": "shop"}, {"anomalies": list(rows)})


def firing(minutes: float, **labels: str) -> Evidence:
    """An alert that fires since some minutes."""
    query = 'ALERTS{alertstate="firing"}'
    from_then = [[float(at), 1.0] for at in _times(minutes)]
    series = [{"labels": {"namespace": "shop", **labels}, "points": from_then}]
    return evidence("prometheus.query_range", {"query": query}, {"series": series})


def _times(minutes: float) -> list[float]:
    return [NOW.timestamp() - 60 * back for back in range(int(minutes), -1, -1)]
