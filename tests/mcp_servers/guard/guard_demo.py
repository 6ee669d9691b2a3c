# ruff: noqa: ARG002 - the backend answers the same whatever it is asked
"""A small server with a backend that does what a test tells it: the outermost seam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import anyio
from pydantic import BaseModel, Field

from mcp_servers import spec
from mcp_servers.answer import Answer, Status, ToolFailure, found
from mcp_servers.guard.audit import Audit
from mcp_servers.guard.guard import Guard
from mcp_servers.guard.policy import Policy, load
from mcp_servers.guard.redaction import Redactor
from mcp_servers.serve import GuardedServer, register

MODES = ("auto", "legacy")
OWN_SECRET = "configured-value-71"


class Things(BaseModel):
    things: list[Any]


@dataclass
class Time:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Backend:
    """What the outside system answers, and how often it was asked."""

    things: list[Any] = field(default_factory=lambda: ["one", "two"])
    failure: Exception | None = None
    hangs: bool = False
    calls: int = 0

    async def ask(self) -> list[Any]:
        self.calls += 1
        if self.hangs:
            await anyio.sleep_forever()
        if self.failure is not None:
            raise self.failure
        return self.things

    async def list_things(
        self,
        namespace: Annotated[str, Field(max_length=63)] = "",
        query: Annotated[str, Field(max_length=500)] = "",
        limit: Annotated[int, Field(ge=1, le=500)] = 100,
    ) -> Answer[Things]:
        """Things of a namespace, such as `payments`. Cannot change them."""
        await spec.progress(1, 2, f"asking with password={OWN_SECRET}")
        things = await self.ask()
        return found(Things(things=things[:limit]), total=len(things), source="demo")

    async def restart_thing(self, namespace: str, name: str) -> Answer[Things]:
        """Restarts one thing by its exact name."""
        await self.ask()
        return found(Things(things=[name]), total=1, source="demo")

    async def read_thing(self, namespace: str, name: str) -> str:
        """One thing, by namespace and name."""
        things = await self.ask()
        return f'{{"namespace": "{namespace}", "name": "{name}", "password": "{things[0]}"}}'

    async def listing(self) -> list[spec.Entry]:
        return [spec.Entry("demo://payments/checkout", "checkout", "checkout (2/3 ready)")]

    async def complete(self, name: str, value: str) -> list[str]:
        return [one for one in ("payments", "platform") if one.startswith(value)]

    async def explain(self, name: Annotated[str, Field(description="of a thing")]) -> str:
        """How to look into a thing."""
        return f"Look at {name}. token=abcdef123456"

    async def probe(self) -> spec.Health:
        return spec.Health(reachable=self.failure is None, detail="demo")

    def described(self, **tool: Any) -> spec.Server:
        return spec.Server(
            name="demo",
            title="Demo",
            instructions="Ask before you act.",
            tools=(
                spec.Tool(self.list_things, "List things", **tool),
                spec.Tool(self.restart_thing, "Restart", writes=True, destructive=True),
            ),
            probe=self.probe,
            resources=(spec.Resource("demo://{namespace}/{name}", self.read_thing, "Thing"),),
            prompts=(spec.Prompt(self.explain, "Explain"),),
            listing=self.listing,
            complete=self.complete,
            secrets=(OWN_SECRET,),
        )


def guarded(
    backend: Backend,
    audit_file: Path | None,
    policy: Policy | None = None,
    monotonic: Callable[[], float] | None = None,
    **tool: Any,
) -> GuardedServer:
    described = backend.described(**tool)
    guard = Guard(
        "demo",
        "1.2.3",
        policy or load(None),
        Audit(audit_file) if audit_file else None,
        Redactor(described.secrets),
        **({"monotonic": monotonic} if monotonic else {}),
    )
    return register(described, guard)


def unreachable() -> ToolFailure:
    return ToolFailure(
        Status.ERROR, "demo: connection refused by 10.0.0.1:443", ("Check the VPN.",)
    )
