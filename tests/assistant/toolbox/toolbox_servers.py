"""A small real MCP server for the toolbox's tests: in memory, as a child process, or over HTTP.

As a child: `python toolbox_servers.py NAME [DESCRIPTION]`.
"""

import os
import sys
from typing import Any

import anyio
import anyio.lowlevel
from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel

READS = ToolAnnotations(read_only_hint=True)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=True)


class Envelope(BaseModel):
    status: str = "ok"
    data: Any = None
    total: int | None = None
    truncated: bool = False
    reason: str = ""
    suggestions: list[str] = []
    source: str = "fixture"


class Seen:
    """What the server saw of its calls, and a gate that holds them up."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self.now = 0
        self.most = 0
        self.gate: anyio.Event | None = None


class Tools:
    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    async def list_pods(
        self,
        ctx: Context,
        namespace: str = "",
        limit: int = 50,
        failing: bool = False,  # noqa: ARG002, FBT001, FBT002 - a tool's argument
    ) -> Envelope:
        """Lists pods."""
        meta = dict(ctx.request_context.meta or {})
        self.seen.calls.append(("list_pods", {"namespace": namespace, "limit": limit}, meta))
        self.seen.now += 1
        self.seen.most = max(self.seen.most, self.seen.now)
        try:
            await (self.seen.gate.wait() if self.seen.gate else anyio.lowlevel.checkpoint())
        finally:
            self.seen.now -= 1
        return Envelope(data={"pods": [f"{namespace}/one"]}, total=1)

    async def hang(self) -> Envelope:
        """Never answers."""
        self.seen.calls.append(("hang", {}, {}))
        try:
            await anyio.sleep_forever()
        finally:
            self.seen.calls.append(("hang ended", {}, {}))
        return Envelope()

    async def fail(self, code: int = 0) -> Envelope:
        """Fails, with a code of the protocol or as a tool does."""
        self.seen.calls.append(("fail", {"code": code}, {}))
        if code:
            raise MCPError(code, "no more than that", {"retry_after_s": 7})
        raise ToolError("the API server said 403")

    async def nonsense(self) -> dict[str, Any]:
        """Answers something that is no envelope."""
        return {"status": "fine", "pods": 3}

    async def empty_ok(self) -> Envelope:
        """Claims to have seen something, and shows nothing."""
        return Envelope()

    async def prose(self) -> str:
        """Answers a plain text."""
        return "all is well"

    async def leak(self, text: str) -> Envelope:
        """Gives back what it is told."""
        line = f"Authorization: Bearer {text}"
        return Envelope(data={"line": line, text: [text]}, reason=text, source=text)

    async def environment(self) -> Envelope:
        """The names of the variables this process has."""
        return Envelope(data=sorted(os.environ))

    async def die(self) -> Envelope:
        """Ends the process, as a crash would."""
        os._exit(3)


async def scale(replicas: int) -> Envelope:
    """Changes something."""
    return Envelope(data={"scaled": replicas})


def look(namespace: str) -> str:
    """A prompt."""
    return f"look at {namespace}"


def pod(name: str) -> str:
    """A pod."""
    return name


def build(
    name: str = "kubernetes", seen: Seen | None = None, describe: str = "", **more: str
) -> MCPServer:
    """The server. `describe` is another description of list_pods, `more` are tools by name."""
    tools = Tools(seen or Seen())
    server = MCPServer(name, version="1.0", instructions=more.pop("instructions", "Read first."))
    server.tool(annotations=READS, description=describe or None)(tools.list_pods)
    for tool in (tools.hang, tools.fail, tools.nonsense, tools.empty_ok, tools.prose):
        server.tool(annotations=READS)(tool)
    for tool in (tools.leak, tools.environment, tools.die):
        server.tool(annotations=READS)(tool)
    for extra, description in more.items():
        server.tool(extra, annotations=READS, description=description)(tools.empty_ok)
    server.tool(annotations=WRITES)(scale)
    server.prompt()(look)
    server.resource("pod://{name}")(pod)
    return server


if __name__ == "__main__":
    build(sys.argv[1], describe=" ".join(sys.argv[2:])).run()
