"""Approval of a write by a person. The one place where a write may ever be let through."""

from __future__ import annotations

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.guard.call import Call


def require(call: Call) -> None:
    """Nothing for a read. A write is refused, since no approval can be given in this version."""
    if not call.target.writes:
        return
    call.decision, call.rule = "deny", "approval"
    raise ToolFailure(
        Status.DENIED,
        f"{call.target.name} changes something and needs a person's approval of exactly this "
        "call; this version cannot take one.",
        ("Do it by hand, with the command the report proposes.",),
    )
