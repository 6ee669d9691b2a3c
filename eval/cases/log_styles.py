"""How different programs write a log line. Knows no system."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from eval.cases.log_dialects import DIALECTS, SMALL_TALK
from eval.cases.system import Pod

Level = Literal["info", "warn", "error"]


def styled(speaks: str, level: Level, at: datetime, text: str, pod: Pod) -> str:
    """One line in the way of a language's usual logger."""
    write = STYLES.get(speaks)
    return write(level, at, text, pod) if write else text


def _go(level: Level, at: datetime, text: str, pod: Pod) -> str:
    line = {"level": level, "ts": f"{at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z", "msg": text}
    return json.dumps({**line, "service": pod.workload.name}, separators=(",", ":"))


def _java(level: Level, at: datetime, text: str, pod: Pod) -> str:
    word = level.upper().rjust(5)
    where = f"e.parcelworks.{pod.workload.name}.Api"
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} {word} 1 --- [nio-8080-exec-{at.second % 9 + 1}] {where} : {text}"


def _python(level: Level, at: datetime, text: str, pod: Pod) -> str:
    word = {"warn": "WARNING"}.get(level, level.upper())
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d} {word} {pod.workload.name}.app: {text}"


def _node(level: Level, at: datetime, text: str, pod: Pod) -> str:
    number = {"info": 30, "warn": 40, "error": 50}[level]
    line = {"level": number, "time": int(at.timestamp() * 1000), "hostname": pod.name, "msg": text}
    return json.dumps(line, separators=(",", ":"))


STYLES: dict[str, Callable[[Level, datetime, str, Pod], str]] = {
    "go": _go,
    "java": _java,
    "python": _python,
    "node": _node,
    **DIALECTS,
}

CHATTER = {
    "postgres": (
        "{at:%Y-%m-%d %H:%M:%S.000} UTC [27] LOG:  checkpoint starting: time",
        "{at:%Y-%m-%d %H:%M:%S.000} UTC [27] LOG:  checkpoint complete: wrote {n} buffers (1.9%); 0 WAL file(s) added, 0 removed, 1 recycled",
        '{at:%Y-%m-%d %H:%M:%S.000} UTC [{n}] LOG:  automatic vacuum of table "orders.public.scan_events": index scans: 1',
    ),
    "redis": (
        "1:M {at:%d %b %Y %H:%M:%S.000} * 100 changes in 300 seconds. Saving...",
        "1:M {at:%d %b %Y %H:%M:%S.000} * Background saving terminated with success",
        "{n}:C {at:%d %b %Y %H:%M:%S.000} * DB saved on disk",
    ),
    "rabbit": (
        "{at:%Y-%m-%d %H:%M:%S}.000000+00:00 [info] <0.{n}.0> accepting AMQP connection <0.{n}.0> (10.244.2.31:{n} -> 10.244.3.17:5672)",
        "{at:%Y-%m-%d %H:%M:%S}.000000+00:00 [info] <0.{n}.0> connection <0.{n}.0>: user 'dispatch' authenticated and granted access to vhost '/'",
    ),
    "coredns": (
        '[INFO] 10.244.1.17:{n} - "A IN portal.storefront.svc.cluster.local." NOERROR 0.0002s',
    ),
    "batch": ("frame {n} done in 2.1s, 0 retries", "queue: 3 waiting, 1 running"),
    "control": ('I{at:%m%d %H:%M:%S.000000}       1 trace.go:236] "List" took 0.6ms (n={n})',),
    "kube-proxy": (
        'I{at:%m%d %H:%M:%S.000000}       1 proxier.go:805] "SyncProxyRules complete" elapsed="42.1ms"',
    ),
    "ingress-controller": (
        '203.0.113.7 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /track/PW{n} HTTP/2.0" 200 5120 "-" "Mozilla/5.0" [storefront-portal-8080]',
        '203.0.113.90 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET / HTTP/2.0" 200 18210 "-" "Mozilla/5.0" [storefront-portal-8080]',
    ),
    **SMALL_TALK,
}
"""What programs that are not ours write now and then."""


def _ended_at_once(pod: Pod, start: datetime) -> bool:
    """Whether the run that began then ended before it ever was ready."""
    after = (turn for turn in pod.main.turns if turn.at > start)
    return "terminated" in next((turn.state for turn in after), {})


def first_lines(pod: Pod, start: datetime) -> list[tuple[datetime, str]]:
    """What a program writes as it starts."""
    if pod.workload.speaks not in STYLES:
        return []
    version = pod.revision.template["containers"][0]["image"].rpartition(":")[2]
    texts = [f"starting {pod.workload.name} {version}", "configuration loaded"]
    if pod.workload.port and not _ended_at_once(pod, start):
        texts.append(f"listening on :{pod.workload.port}")
    return [(start, styled(pod.workload.speaks, "info", start, text, pod)) for text in texts]
