"""How further programs write: nginx, .NET, gunicorn, Celery, logfmt, winston, and what they say of calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from eval.cases.system import Pod


@dataclass(frozen=True)
class Phrases:
    """What a program says of its requests and of the calls it makes."""

    request: str = "{route} {code} {ms:.0f}ms"
    failed: str = "call to {callee} failed: {why}"
    slow: str = "slow call to {callee}: {ms:.0f}ms"
    refused: str = "dial tcp {where}: connect: connection refused"
    answered: str = "{callee} answered 503 Service Unavailable"
    error_code: int = 503


PLAIN = Phrases()

PHRASES = {
    "nginx": Phrases(
        '"{route} HTTP/1.1" {code} {n} "-" rt={s:.3f}',
        "upstream request failed while reading response header from upstream, upstream: {callee}, {why}",
        "upstream server is slow, upstream: {callee}, upstream_response_time: {s:.3f}",
        'connect() failed (111: Connection refused) while connecting to upstream, upstream: "http://{where}/"',
        "upstream {callee} sent 500 Internal Server Error",
        502,
    ),
    "dotnet": Phrases(
        "Request finished HTTP/1.1 {route} - {code} - application/json {ms:.1f}ms",
        "An exception occurred while calling {callee}: {why}",
        "Call to {callee} took {ms:.0f} ms",
        "System.Net.Http.HttpRequestException: Connection refused ({where})",
        "System.Net.Http.HttpRequestException: Response status code does not indicate success: 500 (Internal Server Error).",
        500,
    ),
    "gunicorn": Phrases(
        '"{route} HTTP/1.1" {code} {n} {ms:.0f}ms',
        "request to {callee} failed: {why}",
        "request to {callee} took {s:.2f}s",
        "requests.exceptions.ConnectionError: HTTPConnectionPool({where}): [Errno 111] Connection refused",
        "requests.exceptions.HTTPError: 500 Server Error for {callee}",
        500,
    ),
    "celery": Phrases(
        "{route} succeeded in {s:.3f}s: None",
        "Task letters.send raised unexpected: {callee}: {why}",
        "Task letters.send waited {s:.2f}s for {callee}",
        "ConnectionRefusedError(111, 'Connection refused') {where}",
        "HTTPError('500 Server Error')",
        500,
    ),
    "logfmt": Phrases(
        'request route="{route}" status={code} duration_ms={ms:.1f}',
        "request failed upstream={callee} err={why!r}",
        "slow upstream={callee} duration_ms={ms:.0f}",
        error_code=500,
    ),
    "winston": Phrases(
        "{route} -> {code} ({ms:.0f} ms)",
        "fetch to {callee} failed: {why}",
        "fetch to {callee} took {ms:.0f} ms",
        "Error: connect ECONNREFUSED {where}",
        "upstream {callee} responded with 500",
        500,
    ),
}


def phrases(speaks: str) -> Phrases:
    """The wording of a kind of program."""
    return PHRASES.get(speaks, PLAIN)


def _nginx(level: str, at: datetime, text: str, _pod: Pod) -> str:
    if text.startswith('"'):
        client = f"10.40.{at.second % 7}.{20 + at.minute}"
        return f"{client} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] {text}"
    word = {"info": "notice"}.get(level, level)
    return f"{at:%Y/%m/%d %H:%M:%S} [{word}] 29#29: *{at.minute * 811 + at.second} {text}"


def _dotnet(level: str, at: datetime, text: str, _pod: Pod) -> str:
    word = {"error": "fail"}.get(level, level)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z {word}: Meadowhill.Booking.Api[0] {text}"


def _gunicorn(level: str, at: datetime, text: str, _pod: Pod) -> str:
    word = {"warn": "WARNING"}.get(level, level.upper())
    return f"[{at:%Y-%m-%d %H:%M:%S} +0000] [{7 + at.second % 4}] [{word}] {text}"


def _celery(level: str, at: datetime, text: str, _pod: Pod) -> str:
    word = {"warn": "WARNING"}.get(level, level.upper())
    return f"[{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d}: {word}/ForkPoolWorker-{1 + at.second % 2}] {text}"


def _logfmt(level: str, at: datetime, text: str, _pod: Pod) -> str:
    message, _, more = text.partition(" ") if "=" in text.partition(" ")[2][:12] else (text, "", "")
    head = f"time={at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z level={level.upper()}"
    quoted = f'"{message}"' if " " in message else message
    return f"{head} msg={quoted} {more}".rstrip()


def _winston(level: str, at: datetime, text: str, _pod: Pod) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} {level}: {text}"


SMALL_TALK = {
    "pg": (
        "{at:%Y-%m-%d %H:%M:%S.%f} GMT [131] LOG:  checkpoint starting: time",
        "{at:%Y-%m-%d %H:%M:%S.%f} GMT [131] LOG:  checkpoint complete: wrote {n} buffers (0.8%)",
        '{at:%Y-%m-%d %H:%M:%S.%f} GMT [{n}] LOG:  automatic analyze of table "records.public.visits"',
    ),
    "dns": (
        '[INFO] 10.244.2.9:{n} - {n} "AAAA IN records-db.clinic.svc.cluster.local. udp 63 false 1232" NOERROR qr,aa,rd 145 0.00018s',
        '[INFO] 10.244.3.30:{n} - {n} "A IN api.postmill.example. udp 51 false 1232" NOERROR qr,rd,ra 96 0.0041s',
    ),
}
"""What programs that are not ours write now and then."""

DIALECTS: dict[str, Callable[[str, datetime, str, Pod], str]] = {
    "nginx": _nginx,
    "dotnet": _dotnet,
    "gunicorn": _gunicorn,
    "celery": _celery,
    "logfmt": _logfmt,
    "winston": _winston,
}
