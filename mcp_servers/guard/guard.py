"""The guard itself: its layers in their one order, around every call of a server exactly once."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import anyio
from opentelemetry.trace import Span

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.guard import approval, arguments, telemetry
from mcp_servers.guard.audit import Audit, AuditError
from mcp_servers.guard.call import Call, Caller, Envelope, Target, envelope, failed
from mcp_servers.guard.cap import cap
from mcp_servers.guard.limits import Limits
from mcp_servers.guard.policy import Policy
from mcp_servers.guard.redaction import Redactor
from mcp_servers.guard.stale import LastKnown
from mcp_servers.spec import Clock

logger = logging.getLogger(__name__)

_UNFRESH = frozenset({Status.ERROR.value, Status.TIMEOUT.value})
_AUDITED_ARGUMENT_LENGTH = 2_000


def _now() -> datetime:
    """The audit tells real time, also where a lab's world has a clock of its own."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Guard:
    """Decides on, runs, cleans and records the calls of one server."""

    server: str
    version: str
    policy: Policy
    audit: Audit | None
    redactor: Redactor
    protocol_errors: tuple[type[Exception], ...] = ()
    """Exceptions that are MCP's own answers, so they pass (audited as `error`)."""
    clock: Clock = _now
    monotonic: Callable[[], float] = time.monotonic
    config: str = field(init=False, default="")
    limits: Limits = field(init=False)
    last_known: LastKnown = field(init=False)

    def __post_init__(self) -> None:
        self.limits = Limits(self.monotonic)
        self.last_known = LastKnown(self.monotonic)

    def cover(self, targets: Iterable[Target]) -> None:
        """Take the digest of what is in force, which every audit line repeats: policy and bounds."""
        bounds = [
            [one.name, one.writes, one.timeout_seconds, one.calls_per_minute, one.cap_bytes]
            for one in targets
        ]
        effective = [self.server, self.version, self.policy.model_dump(mode="json"), bounds]
        self.config = hashlib.sha256(json.dumps(effective).encode()).hexdigest()[:16]

    async def answer(self, call: Call) -> Envelope:
        """The answer to a call. Nothing is raised at the caller but cancellation."""
        try:
            return await self._recorded(call)
        except AuditError as error:
            logger.error("%s", error)  # noqa: TRY400 - the text is all there is to say
            return envelope(
                Status.ERROR,
                f"{call.target.name} was not answered: its audit line could not be written.",
                ("Whoever runs this server finds the cause in its log.",),
            )

    def refuse(self, target: Target, caller: Caller, given: Any, reason: str) -> Envelope:
        """Record a call that cannot be made at all (unknown tool, malformed request)."""
        given = given if isinstance(given, dict) else {"arguments": given}
        call = Call(target, caller, given, _never, decision="refuse", rule="request")
        with telemetry.span(self.server, call) as span:
            answer = self._clean(call, envelope(Status.ERROR, reason))[0]
            self._record(call, span, self.monotonic(), answer["status"], 0)
            return answer

    async def _recorded(self, call: Call) -> Envelope:
        """Write the audit line before the answer leaves, also when the call is cancelled."""
        started = self.monotonic()
        status, size = "cancelled", 0
        with telemetry.span(self.server, call) as span:
            try:
                answer, text = self._clean(call, await self._decided(call))
                answer = self._settled(call, answer, text)
                status, size = answer["status"], len(text)
            except Exception:
                status = Status.ERROR.value
                raise
            else:
                return answer
            finally:
                self._record(call, span, started, status, size)

    async def _decided(self, call: Call) -> Envelope:
        """Every gate in its order, then the call itself within its time."""
        try:
            valid = arguments.check(call)
            self.policy.decide(self.server, call)
            approval.require(call)
            self.limits.spend(call)
            with anyio.fail_after(call.target.timeout_seconds):
                return await call.run(valid)
        except ToolFailure as failure:
            return failed(failure)
        except TimeoutError as error:
            limit = f"within {call.target.timeout_seconds:g} s"
            reason = f"{call.target.name} gave no answer {limit}. {error}".rstrip()
            return envelope(Status.TIMEOUT, reason, ("Ask for less, or try again.",))
        except self.protocol_errors:
            raise
        except Exception as error:  # noqa: BLE001 - a tool must not kill its server
            return self._bug(call, error)

    def _bug(self, call: Call, error: Exception) -> Envelope:
        logger.error(
            "%s.%s failed: %s", self.server, call.target.name, self.redactor.text(repr(error)),
            exc_info=logger.isEnabledFor(logging.DEBUG),
        )  # fmt: skip
        reason = f"{call.target.name} failed unexpectedly: {type(error).__name__}: {error}"
        return envelope(Status.ERROR, reason, ("This is a fault of the server; please report it.",))

    def _clean(self, call: Call, answer: Envelope) -> tuple[Envelope, str]:
        """The answer without secrets and invisible characters, within its bytes; and as JSON."""
        clean: Envelope = self.redactor.value(answer)
        return clean, cap(clean, call.target)

    def _settled(self, call: Call, answer: Envelope, text: str) -> Envelope:
        """The answer, or the last good one when the backend failed after the call was allowed."""
        if answer["status"] in _UNFRESH and call.decision == "allow":
            return self.last_known.recall(call, answer) or answer
        self.last_known.remember(call, answer, text)
        return answer

    def _record(self, call: Call, span: Span, started: float, status: str, size: int) -> None:
        telemetry.finish(span, call, status, size)
        if self.audit is None or not call.target.audited:
            return
        self.audit.append(
            {
                "time": self.clock().isoformat(timespec="milliseconds"),
                **self._who(call.caller),
                "server": self.server,
                "version": self.version,
                "tool": self.redactor.text(call.target.name),
                "arguments": _shortened(self.redactor.value(call.arguments)),
                "decision": call.decision,
                "rule": call.rule,
                "approval": None,
                "status": status,
                "bytes": size,
                "latency_ms": round((self.monotonic() - started) * 1000, 1),
                "trace_id": telemetry.trace_id(span),
                "config": self.config,
            }
        )

    def _who(self, caller: Caller) -> dict[str, str]:
        return {
            "incident": self.redactor.text(caller.incident),
            "caller": self.redactor.text(caller.caller),
            "subject": caller.subject,
            "transport": caller.transport,
            "session": caller.session,
            "reason": self.redactor.text(caller.reason),
        }


async def _never(_: dict[str, Any]) -> Envelope:
    raise AssertionError("a refused call has nothing to run")  # pragma: no cover


def _shortened(value: Any) -> Any:
    """Arguments as the audit keeps them: long texts are cut."""
    if isinstance(value, str) and len(value) > _AUDITED_ARGUMENT_LENGTH:
        return f"{value[:_AUDITED_ARGUMENT_LENGTH]} [cut: {len(value)} characters in all]"
    if isinstance(value, dict):
        return {name: _shortened(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shortened(inner) for inner in value]
    return value
