"""The real Prometheus as a child process over a world's metrics, behind a proxy of the lab's own.

The proxy exists so that requests can be counted and spoiled, and so that "now" is the world's.
"""

from __future__ import annotations

import contextlib
import hmac
import shutil
import socket
import subprocess
import sys
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path

import anyio
import httpx2
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from assistant.errors import ToolUnavailable
from eval.lab.blocks import fill, program

_READY_SECONDS = 30.0
_ATTEMPTS = 3
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "transfer-encoding", "te", "upgrade", "host", "authorization")
)
_ERRORS = {
    401: "Unauthorized",
    403: "Forbidden",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


@contextlib.asynccontextmanager
async def running(folder: Path, metrics: bytes | Path | None, cache: Path) -> AsyncIterator[str]:
    """The address of a Prometheus that holds the metrics; it is gone when the context ends.

    `folder` is scratch space. Raises ToolUnavailable where Prometheus is absent or does not start.
    """
    program("prometheus")
    data = folder / "data"
    await anyio.to_thread.run_sync(fill, data, metrics, cache)
    config = folder / "prometheus.yml"
    config.write_text("global: {}\n", "utf-8")
    for attempt in range(1, _ATTEMPTS + 1):
        with _process(config, data, address := _free_address(), folder / "log") as process:
            if await _ready(process, f"http://{address}"):
                yield f"http://{address}"
                return
        said = (folder / "log").read_text("utf-8", "replace")[-2000:]
        # The port was free a moment ago; somebody may have taken it since.
        if attempt == _ATTEMPTS or "address already in use" not in said:
            raise ToolUnavailable(f"prometheus did not start in the lab; it said: {said}")


def _free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextlib.contextmanager
def _process(
    config: Path, data: Path, address: str, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        *_dying_with_us(),
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address={address}",
        "--storage.tsdb.retention.time=200y",
    ]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as process,  # noqa: S603 - our own
    ):
        try:
            yield process
        finally:
            process.kill()  # its data folder is thrown away: nothing to put in order


def _dying_with_us() -> list[str]:
    """A prefix under which the kernel ends the child even when this process is killed."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


async def _ready(process: subprocess.Popen[bytes], url: str) -> bool:
    with anyio.move_on_after(_READY_SECONDS):
        async with httpx2.AsyncClient(base_url=url, verify=False, trust_env=False) as client:
            while process.poll() is None:
                with contextlib.suppress(httpx2.TransportError):
                    if (await client.get("/-/ready")).is_success:
                        return True
                await anyio.sleep(0.01)
    return False


class PrometheusProxy:
    """Passes requests on to the Prometheus of the lab."""

    def __init__(self, url: str, token: str, clock: Callable[[], datetime]) -> None:
        self._expected = f"Bearer {token}".encode()
        self._clock = clock
        self._client = httpx2.AsyncClient(
            base_url=url, verify=False, trust_env=False, timeout=120.0
        )

    async def aclose(self) -> None:
        """Close the connections to Prometheus."""
        await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. A wrong token is refused; none at all passes, so that a person can look."""
        request = Request(scope, receive)
        given = request.headers.get("authorization")
        if given is not None and not hmac.compare_digest(given.encode(), self._expected):
            response: Response = error_response(401, request)
        else:
            response = await self._forward(request)
        await response(scope, receive, send)

    async def _forward(self, request: Request) -> Response:
        query, body = request.url.query, await request.body()
        if request.url.path == "/api/v1/query":
            query, body = self._timed(query, body)
        onward = self._client.build_request(
            request.method,
            httpx2.URL(request.url.path, query=query.encode()),
            headers=[(k, v) for k, v in request.headers.items() if k not in _DROPPED],
            content=body,
        )
        try:
            answer = await self._client.send(onward, stream=True)
        except httpx2.TransportError as error:
            return PlainTextResponse(f"the lab's Prometheus is gone: {error}\n", 502)
        headers = {k: v for k, v in answer.headers.items() if k not in _HOP_BY_HOP}
        return StreamingResponse(
            answer.aiter_raw(),
            answer.status_code,
            headers,
            background=BackgroundTask(answer.aclose),
        )

    def _timed(self, query: str, body: bytes) -> tuple[str, bytes]:
        """An instant query that names no time asks for the world's now, not the machine's."""
        if "time" in urllib.parse.parse_qs(f"{query}&{body.decode(errors='replace')}"):
            return query, body
        return f"{query}&time={self._clock().timestamp()}".lstrip("&"), body


_DROPPED = _HOP_BY_HOP | {"content-length"}


def error_response(status: int, _request: Request) -> Response:
    """How a Prometheus (behind the proxy that authenticates for it) words an HTTP error."""
    error = _ERRORS.get(status, "Internal Server Error")
    kind = "internal" if status >= 500 else "execution"  # noqa: PLR2004 - the 5xx class
    return JSONResponse({"status": "error", "errorType": kind, "error": error}, status)
