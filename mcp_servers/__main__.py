"""`python -m mcp_servers NAME`: one server over stdio, or over HTTP where that is asked for.

Also `python -m mcp_servers audit verify|show FILE`. Standard output belongs to MCP over stdio, so
everything said here goes to standard error (but the audit's lines).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    Namespace,
    RawDescriptionHelpFormatter,
)
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from mcp_servers import variables
from mcp_servers.answer import ToolFailure
from mcp_servers.guard import audit
from mcp_servers.spec import ConfigurationError, Health

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from mcp_servers.serve import GuardedServer

NAMES = ("kubernetes", "prometheus", "pagerduty", "runbooks")
_PROBE_SECONDS = 10.0
_LAST_PORT = 65_535


class StartError(Exception):
    """The server may not or cannot start; the text is the one line to show."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 0 done, 1 expected failure, 2 usage."""
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options, os.environ))
    except (StartError, audit.AuditError) as error:
        _say(f"mcp_servers: {error}")
        return 1


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m mcp_servers", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="NAME")
    for name in NAMES:
        _serving(commands.add_parser(name, help=f"serve {name}", **_about(name)), name)
    _auditing(commands.add_parser("audit", help="verify or show an audit file"))
    return parser


def _about(name: str) -> dict[str, Any]:
    return {
        "description": f"The {name} server over MCP: on standard input and output, or over HTTP.",
        "epilog": f"variables:\n{variables.described(name)}",
        "formatter_class": RawDescriptionHelpFormatter,
    }


def _serving(parser: ArgumentParser, name: str) -> None:
    parser.add_argument("--http", action="store_true", help="Streamable HTTP instead of stdio")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on (%(default)s)")
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="a Host header to answer to besides loopback's, such as a container's name",
    )
    parser.add_argument("--check", action="store_true", help="probe the backend, then exit 0 or 1")
    parser.add_argument(
        "--verbose", action=BooleanOptionalAction, default=False, help="log more than warnings"
    )
    parser.set_defaults(run=_serve, name=name)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise ArgumentTypeError(f"{text!r} is no port: give a number from 0 to {_LAST_PORT}")
    return int(text)


def _auditing(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="exit 0 when no line was changed or removed")
    verify.add_argument("file", type=Path)
    verify.set_defaults(run=_verify_audit)
    show = actions.add_parser("show", help="print lines as JSON, oldest first")
    show.add_argument("file", type=Path)
    for option in ("--incident", "--tool", "--status"):
        show.add_argument(option, default="")
    show.add_argument("--limit", type=int, default=0, help="only the newest so many")
    show.set_defaults(run=_show_audit)


def _verify_audit(options: Namespace, environment: Mapping[str, str]) -> int:
    problems = audit.verify(options.file, environment.get("MCP_AUDIT_KEY", "").encode())
    for problem in problems:
        _print(problem)
    if not problems:
        _print(f"{options.file}: {len(audit.read(options.file))} lines, all whole and in order.")
    return 1 if problems else 0


def _show_audit(options: Namespace, _: Mapping[str, str]) -> int:
    if not options.file.exists():
        raise StartError(f"There is no audit file '{options.file}'.")
    for line in audit.read(
        options.file,
        incident=options.incident,
        tool=options.tool,
        status=options.status,
        limit=options.limit,
    ):
        _print(json.dumps(line, ensure_ascii=False))
    return 0


def _serve(options: Namespace, environment: Mapping[str, str]) -> int:
    level = logging.INFO if options.verbose else logging.WARNING
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s %(message)s")
    token = _token(environment)
    # Only now: `--help` and `audit` answer without loading the protocol.
    from mcp_servers.guard.http import is_loopback  # noqa: PLC0415
    from mcp_servers.guard.policy import PolicyError  # noqa: PLC0415

    if options.http and not token and not is_loopback(options.host):
        raise StartError(
            f"Listening on {options.host} needs a token: set MCP_HTTP_TOKEN or MCP_HTTP_TOKEN_FILE."
        )
    try:
        return anyio.run(_run, options, environment, token)
    except (PolicyError, ConfigurationError) as error:
        raise StartError(str(error)) from None


async def _run(options: Namespace, environment: Mapping[str, str], token: str) -> int:
    from mcp_servers.serve import open_server  # noqa: PLC0415 - see `_serve`

    async with open_server(options.name, environment, lambda: datetime.now(UTC)) as server:
        if options.check:
            return await _check(server)
        if wanting := variables.missing(options.name, environment):
            _say(f"{options.name}: {wanting}")
        if options.http:
            app = server.http_app(token, options.allowed_host)
            level = "info" if options.verbose else "warning"
            await run_http(app, options.host, options.port, log_level=level)
        else:
            if sys.stdin.isatty():
                _say(f"{options.name}: waiting for an MCP client on standard input; see --help")
            await _run_stdio(server)
    return 0


async def _check(server: GuardedServer) -> int:
    """What the server's own probe says of its backend."""
    try:
        with anyio.fail_after(_PROBE_SECONDS):
            health = await server.described.probe()
    except ToolFailure as failure:
        health = Health(reachable=False, detail=failure.reason)
    except TimeoutError:
        health = Health(reachable=False, detail=f"no answer within {_PROBE_SECONDS:g} s")
    lacks = (
        f"not allowed: {', '.join(health.missing)}" if health.reachable and health.missing else ""
    )
    said = "; ".join(part for part in (health.detail, lacks, health.fix) if part)
    _say(server.guard.redactor.text(f"{server.name}: {said}"))
    return 0 if health.reachable else 1


async def run_http(app: ASGIApp, host: str, port: int, *, log_level: str = "warning") -> None:
    """Serve until SIGTERM or SIGINT, which uvicorn turns into an orderly end and raises again.

    Raises StartError where the address cannot be listened on.
    """
    import uvicorn  # noqa: PLC0415 - only HTTP needs it

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http="h11",  # httptools keeps the blanks round a header's value, which MCP may not see
        log_level=log_level,
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    with _listener(host, port) as listener:
        await uvicorn.Server(config).serve(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    """Bound here and not by uvicorn, which would end the process where it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        raise StartError(f"Cannot listen on {host} port {port}: {why}.") from None


async def _run_stdio(server: GuardedServer) -> None:
    """Until the client closes its end, or SIGTERM."""
    async with anyio.create_task_group() as group:
        group.start_soon(_end_on_signal, server)
        await server.run_stdio_async()
        group.cancel_scope.cancel()


async def _end_on_signal(server: GuardedServer) -> None:
    """Close the server and leave. The thread that waits for standard input cannot be woken, and
    nothing is left to write: an audit line is on disk before its answer leaves.
    """
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            if server.described.close is not None:
                await server.described.close()
            logging.shutdown()
            os._exit(0)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _token(environment: Mapping[str, str]) -> str:
    """MCP_HTTP_TOKEN, or what the file MCP_HTTP_TOKEN_FILE holds; "" where neither is set."""
    if token := environment.get("MCP_HTTP_TOKEN", "").strip():
        return token
    path = environment.get("MCP_HTTP_TOKEN_FILE", "")
    if not path:
        return ""
    try:
        token = Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"Cannot read the token in MCP_HTTP_TOKEN_FILE: {error}") from None
    if not token:
        raise StartError(f"The file '{path}' (MCP_HTTP_TOKEN_FILE) is empty.")
    return token


if __name__ == "__main__":
    sys.exit(main())
