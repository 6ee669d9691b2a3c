"""Functions -> MCPServer. The only file that registers tools, so that none goes round the guard."""

from __future__ import annotations

import getpass
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from inspect import cleandoc
from pathlib import Path
from typing import Any

import anyio
from mcp import MCPError
from mcp.server import MCPServer, ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.uri_template import UriTemplate
from mcp.types import (
    CallToolResult,
    Completion,
    CompletionArgument,
    GetPromptResult,
    InputRequiredResult,
    ToolAnnotations,
)
from mcp.types import Resource as ListedResource
from pydantic import AnyUrl, ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp

from mcp_servers import spec
from mcp_servers.answer import Status, ToolFailure
from mcp_servers.guard import wire
from mcp_servers.guard.audit import Audit
from mcp_servers.guard.call import Call, Caller, Envelope, Target, envelope
from mcp_servers.guard.guard import Guard
from mcp_servers.guard.http import TokenGate, health_route, http_subject, security
from mcp_servers.guard.policy import load
from mcp_servers.guard.redaction import Redactor
from mcp_servers.surface import closed, output_schema

logger = logging.getLogger(__name__)

NAMES = ("kubernetes", "prometheus", "pagerduty", "runbooks")
_READ_RESOURCE = "read_resource"
_LIST_RESOURCES = "list_resources"
_COMPLETE = "complete"
_COMPLETIONS = 100
_RESOURCE_BYTES = 1_000_000
_request: ContextVar[ServerRequestContext[Any, Any] | None] = ContextVar("request", default=None)
"""The request that runs in this context, for what the SDK calls without telling."""
_PROMPT_SECONDS = 10.0


@asynccontextmanager
async def open_server(
    name: str, environment: spec.Environment, clock: spec.Clock
) -> AsyncIterator[GuardedServer]:
    """A ready, guarded server by its name. Imports that server's libraries only."""
    if name not in NAMES:
        raise LookupError(f"There is no server {name!r}; there are {', '.join(NAMES)}.")
    described: spec.Server = import_module(f"mcp_servers.{name}").build(environment, clock)
    server = register(described, open_guard(described, environment))
    try:
        yield server
    finally:
        if described.close is not None:
            await described.close()


def open_guard(server: spec.Server, environment: spec.Environment) -> Guard:
    """The guard of a server, from the guard's own variables."""
    policy = environment.get("MCP_POLICY_FILE", "")
    key = environment.get("MCP_AUDIT_KEY", "")
    path = _audit_file(environment)
    audit = Audit(path, key.encode()) if path else None
    if audit is None:
        logger.warning("%s keeps no audit: set MCP_AUDIT_FILE to a file", server.name)
    else:
        audit.prepare()
    return Guard(
        server.name,
        _version(),
        load(Path(policy) if policy else None),
        audit,
        Redactor((*server.secrets, key)),
        protocol_errors=(MCPError, ResourceNotFoundError),
    )


def register(server: spec.Server, guard: Guard, raw: Sequence[Tool] = ()) -> GuardedServer:
    """The server as MCP. `raw` are tools that answer in MCP's own content instead of an `Answer`;
    they pass the same guard, and are for what of the protocol no `Answer` can express.
    """
    registered = GuardedServer(server, guard, raw)
    for resource in server.resources:
        registered.resource(resource.uri, title=resource.title, mime_type=resource.mime_type)(
            resource.function
        )
    for prompt in server.prompts:
        registered.prompt(title=prompt.title)(prompt.function)
    if server.complete is not None:
        registered.completion()(registered.completed)  # type: ignore[no-untyped-call]
    return registered


class GuardedServer(MCPServer[Any]):
    """An `MCPServer` whose calls, reads and listings go through the guard. The SDK has no other
    place that also sees unknown tools and arguments before it has dropped the unknown ones.
    """

    def __init__(self, server: spec.Server, guard: Guard, raw: Sequence[Tool]) -> None:
        tools = [_sdk_tool(tool) for tool in server.tools]
        super().__init__(
            server.name,
            title=server.title,
            instructions=server.instructions,
            version=guard.version,
            tools=[*tools, *raw],
            middleware=[self._observe],
            log_level="WARNING",
        )
        self.described = server
        self.guard = guard
        self._targets = {
            sdk.name: _target(sdk, tool) for sdk, tool in zip(tools, server.tools, strict=True)
        }
        self._functions = {sdk.name: sdk.fn for sdk in tools}
        self._raw = {tool.name: _raw_target(tool) for tool in raw}
        guard.cover([*self._targets.values(), *self._raw.values()])
        self._templates = [UriTemplate.parse(resource.uri) for resource in server.resources]
        self._session = secrets.token_hex(8)
        self._user = _local_user()

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool by name. A refusal and a failure are answers, never exceptions."""
        context = context or Context(mcp_server=self)
        caller = self._caller(context)
        if name in self._raw:
            run = partial(self._run_raw, name, arguments, context)
            answer = await self.guard.answer(Call(self._raw[name], caller, arguments, run))
            return wire.raw_result(answer)
        if name not in self._targets:
            answer = self._unknown(name, arguments, caller)
        else:
            run = partial(self._run, name, context)
            answer = await self.guard.answer(Call(self._targets[name], caller, arguments, run))
        return wire.result(answer, brief=bool(caller.caller))

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource through the guard; its template's parts are the arguments."""
        context = context or Context(mcp_server=self)
        matches = (template.match(str(uri)) for template in self._templates)
        parts = next((match for match in matches if match is not None), {})
        arguments = {"uri": str(uri), **parts}
        target = Target(
            _READ_RESOURCE,
            frozenset(arguments),
            free_text=frozenset({"uri"}),
            cap_bytes=_RESOURCE_BYTES,
        )
        run = partial(self._read, uri, context)
        answer = await self.guard.answer(Call(target, self._caller(context), arguments, run))
        if answer["data"] is None:
            raise ResourceError(wire.line(answer))
        return [wire.contents(answer, part) for part in answer["data"]["contents"]]

    async def list_resources(self) -> list[ListedResource]:
        """What is registered, and what the server sees there right now: a backend that is down
        takes nothing from the former. Whoever then reads or asks a tool is told what failed.
        """
        listed = await super().list_resources()
        if self.described.listing is None:
            return listed
        answer = await self._aside(_LIST_RESOURCES, self._list)
        if answer["data"] is None:
            logger.warning("%s lists only what is fixed: %s", self.name, wire.line(answer))
        entries = answer["data"] or ()
        return [*listed, *(ListedResource.model_validate(entry) for entry in entries)]

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Context[Any, Any] | None = None,
    ) -> GetPromptResult | InputRequiredResult:
        """A prompt's messages, cleaned like any other text that leaves the server."""
        with anyio.fail_after(_PROMPT_SECONDS):
            result = await super().get_prompt(name, arguments, context)
        clean = self.guard.redactor.value(result.model_dump(mode="json", by_alias=True))
        return type(result).model_validate(clean)

    async def completed(
        self, _: object, argument: CompletionArgument, __: object
    ) -> Completion | None:
        """Possible values of an argument; none where the backend cannot be asked."""
        run = partial(self._complete, argument)
        answer = await self._aside(_COMPLETE, run)
        values = answer["data"] or []
        total = answer["total"]
        return Completion(values=values, total=total, has_more=(total or 0) > len(values))

    def http_app(self, token: str = "", allowed_hosts: Sequence[str] = ()) -> ASGIApp:
        """Streamable HTTP at `/mcp` and `/health`; with a token, nobody else gets in."""
        settings = security(allowed_hosts)
        self.custom_route("/health", methods=["GET"])(health_route(self.described, settings))
        app = self.streamable_http_app(transport_security=settings)
        return TokenGate(app, token) if token else app

    async def _run(self, name: str, context: Context[Any, Any], valid: dict[str, Any]) -> Envelope:
        async def report(done: float, total: float, message: str) -> None:
            await context.report_progress(done, total, self.guard.redactor.text(message))

        spec.reporting(report)
        answer = await self._functions[name](**valid)
        dumped: Envelope = answer.model_dump(mode="json")
        return dumped

    async def _run_raw(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any], _: dict[str, Any]
    ) -> Envelope:
        try:
            result = await super().call_tool(name, arguments, context)
        except ToolError as error:
            raise ToolFailure(Status.ERROR, str(error)) from error
        return {**envelope(Status.OK, ""), "data": result.model_dump(mode="json", by_alias=True)}

    async def _read(
        self, uri: AnyUrl | str, context: Context[Any, Any], _: dict[str, Any]
    ) -> Envelope:
        try:
            contents = await super().read_resource(uri, context)
        except ResourceNotFoundError:
            raise
        except ResourceError as error:
            raise wire.tool_failure(error) from error
        if isinstance(contents, InputRequiredResult):
            raise ToolFailure(Status.ERROR, f"Reading {uri} would ask the caller a question.")
        parts = [wire.part(one) for one in contents]
        return {**envelope(Status.OK, ""), "data": {"contents": parts}}

    async def _list(self, _: dict[str, Any]) -> Envelope:
        listing = self.described.listing
        entries = await listing() if listing is not None else []
        data = [
            {
                "uri": entry.uri,
                "name": entry.name,
                "description": entry.description,
                "mimeType": entry.mime_type,
            }
            for entry in entries
        ]
        return {**envelope(Status.OK, ""), "data": data}

    async def _complete(self, argument: CompletionArgument, _: dict[str, Any]) -> Envelope:
        complete = self.described.complete
        values = await complete(argument.name, argument.value) if complete is not None else []
        return {**envelope(Status.OK, ""), "data": values[:_COMPLETIONS], "total": len(values)}

    async def _aside(
        self, name: str, run: Callable[[dict[str, Any]], Awaitable[Envelope]]
    ) -> Envelope:
        """What is no call of a tool passes the same gates, but leaves no audit line. It looks at
        every namespace, which the policy is told by the parameter that is not given.
        """
        target = Target(name, frozenset({"namespace"}), audited=False, cap_bytes=_RESOURCE_BYTES)
        context = Context[Any, Any](mcp_server=self, request_context=_request.get())
        return await self.guard.answer(Call(target, self._caller(context), {}, run))

    def _caller(self, context: Context[Any, Any]) -> Caller:
        """Who is on the other side: a verified token over HTTP, otherwise the local user."""
        try:
            request_context = context.request_context
        except ValueError:  # called from Python, outside any request
            return Caller.stating(self._user, "local", self._session, None)
        meta = request_context.meta
        request = request_context.request
        if not isinstance(request, Request):
            return Caller.stating(self._user, "local", self._session, meta)
        session = request.headers.get("mcp-session-id", "")
        return Caller.stating(http_subject(request), "http", session, meta)

    def _unknown(self, name: str, arguments: dict[str, Any], caller: Caller) -> Envelope:
        names = [*self._targets, *self._raw]
        near = get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}."
        target = Target(name[:200], frozenset())
        reason = f"{self.name} has no tool {name[:200]!r}. {hint}"
        return self.guard.refuse(target, caller, arguments, reason)

    async def _observe(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Remembers the request, and writes the line of a call too malformed to reach a tool."""
        _request.set(ctx)
        try:
            return await call_next(ctx)
        except ValidationError:
            if ctx.method == "tools/call":
                caller = self._caller(Context(request_context=ctx, mcp_server=self))
                given = dict(ctx.params or {})
                name = str(given.get("name"))[:200]
                reason = "The request is malformed."
                self.guard.refuse(Target(name, frozenset()), caller, given, reason)
            raise


def _sdk_tool(tool: spec.Tool) -> Tool:
    """The SDK's form of a tool, with schemas as small as they can be."""
    sdk = Tool.from_function(
        tool.function,
        title=tool.title,
        description=cleandoc(tool.function.__doc__ or ""),
        annotations=ToolAnnotations(
            read_only_hint=not tool.writes,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent if tool.writes else None,  # a read always is
            open_world_hint=False,
        ),
        structured_output=False,
    )
    sdk.parameters = closed(sdk.parameters)
    sdk.fn_metadata.output_schema = output_schema(tool.function)
    return sdk


def _target(sdk: Tool, tool: spec.Tool) -> Target:
    parameters = frozenset(sdk.parameters.get("properties", {}))
    return Target.of(tool, parameters, sdk.fn_metadata.validate_arguments)


def _raw_target(sdk: Tool) -> Target:
    parameters = frozenset(sdk.parameters.get("properties", {}))
    return Target(sdk.name, parameters, sdk.fn_metadata.validate_arguments, timeout_seconds=60)


def _audit_file(environment: spec.Environment) -> Path | None:
    """MCP_AUDIT_FILE, else a file in the user's state folder where the environment names one."""
    if named := environment.get("MCP_AUDIT_FILE", ""):
        return Path(named)
    if state := environment.get("XDG_STATE_HOME", ""):
        return Path(state, "incident-assistant", "audit.jsonl")
    if home := environment.get("HOME", ""):
        return Path(home, ".local", "state", "incident-assistant", "audit.jsonl")
    return None


def _local_user() -> str:
    try:
        return f"local:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user id need not have a name
        return f"local:{os.getuid()}"


def _version() -> str:
    try:
        return version("incident-assistant")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0"
