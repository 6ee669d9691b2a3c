"""A real Prometheus, filled with a small shop's afternoon, and an HTTP server that misbehaves."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

NOW = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
BEGAN = NOW - timedelta(hours=3)
ONSET = NOW - timedelta(minutes=20)
SPELL = (NOW - timedelta(minutes=70), NOW - timedelta(minutes=60))
EVERY = 15
POD = "checkout-7c9d5f8b44-x2x9k"

Value = Callable[[datetime], float]


def write_shop(path: Path) -> None:
    """Two services with three hours of requests, CPU, memory and restarts."""
    families = [
        counter("http_requests", {"service": "checkout", "namespace": "shop", "code": "200"}, 10),
        counter("http_requests", {"service": "checkout", "namespace": "shop", "code": "500"}, 0, 2),
        counter("http_requests", {"service": "cart", "namespace": "shop", "code": "200"}, 5),
        *latency("checkout", 0.04, 1.6),
        *latency("cart", 0.04, 0.04),
        counter("container_cpu_usage_seconds", pod("app"), 0.2),
        gauge("container_memory_working_set_bytes", pod("app"), after(1e8, 2.4e8)),
        gauge("container_memory_working_set_bytes", pod(""), after(1.1e8, 2.5e8)),
        gauge("kube_pod_container_resource_limits", limit("memory"), lambda _: 2.5e8),
        gauge("kube_pod_container_resource_limits", limit("cpu"), lambda _: 0.5),
        counter("kube_pod_container_status_restarts", pod("app"), 0),
        gauge("queue_depth", {"queue": "mail"}, lambda at: 900 if SPELL[0] <= at < SPELL[1] else 3),
        gauge("wobble", {"queue": "mail"}, lambda at: at.second / 15 + at.minute % 3),
        gauge("level", {"queue": "mail"}, lambda _: 7),
        gauge("ALERTS", alert("firing"), lambda _: 1, begins=ONSET),
        gauge("ALERTS", alert("pending") | {"alertname": "Slow"}, lambda _: 1, begins=ONSET),
    ]
    path.write_text(openmetrics(families), encoding="utf-8")


def pod(container: str) -> dict[str, str]:
    return {"namespace": "shop", "pod": POD} | ({"container": container} if container else {})


def limit(resource: str) -> dict[str, str]:
    return pod("app") | {"resource": resource}


def alert(state: str) -> dict[str, str]:
    return {"alertname": "ErrorsHigh", "alertstate": state, "service": "checkout"}


def after(before: float, during: float) -> Value:
    return lambda at: during if at >= ONSET else before


Family = tuple[str, str, dict[str, str], list[tuple[datetime, float]]]


def times(begins: datetime) -> Iterator[datetime]:
    at = begins
    while at <= NOW:
        yield at
        at += timedelta(seconds=EVERY)


def gauge(name: str, labels: dict[str, str], value: Value, begins: datetime = BEGAN) -> Family:
    return name, "gauge", labels, [(at, value(at)) for at in times(begins)]


def counter(name: str, labels: dict[str, str], rate: float, later: float | None = None) -> Family:
    total, points = 0.0, []
    for at in times(BEGAN):
        points.append((at, total))
        total += EVERY * (later if later is not None and at >= ONSET else rate)
    return name, "counter", labels, points


def latency(service: str, before: float, during: float) -> list[Family]:
    """A histogram at ten requests a second that take `before`, later `during` seconds."""
    name = "http_request_duration_seconds"
    labels = {"service": service, "namespace": "shop"}
    bounds = (0.05, 0.5, 2.0)
    families = []
    for bound in bounds:
        rates = [10.0 if took <= bound else 0.0 for took in (before, during)]
        families.append(counter(f"{name}_bucket", labels | {"le": str(bound)}, *rates))
    families.append(counter(f"{name}_bucket", labels | {"le": "+Inf"}, 10))
    families.append(counter(f"{name}_sum", labels, 10 * before, 10 * during))
    families.append(counter(f"{name}_count", labels, 10))
    return families


def openmetrics(families: list[Family]) -> str:
    """OpenMetrics text; samples of one name together."""
    lines = []
    for name in dict.fromkeys(family[0] for family in families):
        same = [family for family in families if family[0] == name]
        kind = "gauge" if name.startswith("http_request_duration") else same[0][1]
        lines.append(f"# TYPE {name} {kind}")
        sample = f"{name}_total" if kind == "counter" else name
        for _, _, labels, points in same:
            inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
            lines += [f"{sample}{{{inside}}} {v} {at.timestamp():.0f}" for at, v in points]
    return "\n".join([*lines, "# EOF", ""])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(folder: Path, rules: str = "") -> Iterator[str]:
    """The address of a real Prometheus that holds `folder`/metrics.om."""
    data = folder / "data"
    backfill = [
        "promtool",
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        folder / "metrics.om",
        data,
    ]
    subprocess.run(backfill, check=True, capture_output=True)
    (folder / "rules.yml").write_text(rules or "groups: []\n", encoding="utf-8")
    (folder / "prometheus.yml").write_text(
        "global: {evaluation_interval: 1s, scrape_interval: 1s, scrape_timeout: 1s}\nrule_files: [rules.yml]\n"
        "scrape_configs: [{job_name: gone, static_configs: [{targets: ['127.0.0.1:1']}]}]\n",
        encoding="utf-8",
    )
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            _ready(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _ready(url: str) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            with urlopen(f"{url}/-/ready", timeout=1):  # noqa: S310 - our own loopback address
                return
        except OSError:
            threading.Event().wait(0.05)
    raise TimeoutError(f"Prometheus at {url} did not become ready")


class Misbehaving:
    """An HTTP server that answers everything with one prepared answer, and remembers the asking."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
        self.headers = {"Content-Type": "application/json"}
        self.hangs = False
        self.asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []
        self.released = threading.Event()
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.asked.append((parts.path, parse_qs(parts.query), dict(handler.headers)))
        if self.hangs:
            self.released.wait(20)
            return
        handler.send_response(self.status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(self.body)


@contextmanager
def misbehaving() -> Iterator[Misbehaving]:
    backend = Misbehaving()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            backend.answer(self)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    backend.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield backend
    finally:
        backend.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
