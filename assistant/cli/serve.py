"""`assistant serve`: the chat as a web page, until it is interrupted."""

from __future__ import annotations

import logging
import os
from importlib.util import find_spec
from typing import Annotated

import anyio
import typer

from assistant.cli.duty import secret_lines
from assistant.cli.wiring import asking, private_folder, stopped_by_signals, wired
from assistant.errors import SettingsError

LOG = "assistant.web"


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but loopback needs a way to log in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8080,
    lab: Annotated[
        str | None,
        typer.Option("--lab", metavar="WORLD", help="Answer from a world of the lab."),
    ] = None,
) -> None:
    """Serve the web page: incidents, threads, reports and evidence (docs/web.md)."""
    if find_spec("itsdangerous") is None:
        raise SettingsError(
            "the page's libraries are not installed: pip install 'incident-assistant[web]'"
        )
    anyio.run(_run, host, port, lab)


async def _run(host: str, port: int, lab: str | None) -> None:
    from assistant.chat.web import running  # noqa: PLC0415 - `--help` needs no server
    from assistant.chat.web.settings import web_settings  # noqa: PLC0415
    from assistant.cli.chat import conversing  # noqa: PLC0415
    from assistant.store import Store  # noqa: PLC0415

    settings = web_settings(os.environ, secret_lines(os.environ, "WEB_TOKEN"), host)
    with stopped_by_signals():
        async with (
            wired(lab, None) as made,
            conversing(made) as engine,
            Store.open(made.settings.database) as store,
        ):
            home = private_folder(made.settings.home)
            await running.serve(running.Served(
                settings, engine, asking(made, "web"), store, made.clock, home, _logger(),
                running.Listen(host, port), os.environ.get("USER", "") or "somebody",
            ))  # fmt: skip


def _logger() -> logging.Logger:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logger = logging.getLogger(LOG)
    logger.setLevel(logging.INFO)
    return logger
