"""One OpenTelemetry span per call. Attributes name the call and its end, never argument values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

from mcp_servers.answer import Status as AnswerStatus
from mcp_servers.guard.call import Call

_FAILED = frozenset({AnswerStatus.ERROR, AnswerStatus.TIMEOUT})


@contextmanager
def span(server: str, call: Call) -> Iterator[Span]:
    """The span of one call; exceptions are not recorded, since their text may hold a secret."""
    tracer = trace.get_tracer("mcp_servers.guard")
    with tracer.start_as_current_span(
        f"guard {server}.{call.target.name}",
        attributes={
            "gen_ai.tool.name": call.target.name,
            "mcp.server": server,
            "guard.transport": call.caller.transport,
        },
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        yield current


def finish(current: Span, call: Call, status: str, size: int) -> None:
    """Note how the call ended."""
    current.set_attribute("guard.decision", call.decision)
    current.set_attribute("guard.rule", call.rule)
    current.set_attribute("guard.status", status)
    current.set_attribute("guard.bytes", size)
    if status in _FAILED:
        current.set_status(Status(StatusCode.ERROR, status))


def trace_id(current: Span) -> str:
    """The trace as 32 hexadecimal digits, or "" where nothing traces."""
    context = current.get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""
