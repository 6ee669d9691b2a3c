"""`assistant lab`: the worlds one can look at, and one of them kept up for other programs."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import anyio
import anyio.abc
import typer
import yaml
from rich.console import Console
from rich.table import Table

from assistant.errors import SettingsError

PUBLISHED = ("kubernetes", "prometheus", "pagerduty")
"""The backends, in the order of the ports that they are published at."""
CHUNK = 65_536

app = typer.Typer(help="Worlds to look at without a cluster.", no_args_is_help=True)


@app.command("list")
def list_worlds() -> None:
    """List the builtin worlds and what the on-call was told in each."""
    from eval.cases import CASES  # noqa: PLC0415 - the lab is no part of the product

    table = Table("world", "the on-call was told", box=None)
    for name, case in sorted(CASES.items()):
        table.add_row(name, case.told)
    Console().print(table)


@app.command("up")
def up(
    world: Annotated[
        str, typer.Argument(help="A world's name, or a folder that holds world.json.")
    ],
    publish: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS:PORT",
            help="Serve it to other machines too: Kubernetes here, Prometheus and PagerDuty at the "
            "two ports above. Anyone who reaches it can read it.",
        ),
    ] = "",
    name: Annotated[
        str, typer.Option(help="The host name by which others reach what is published.")
    ] = "localhost",
    folder: Annotated[
        Path | None,
        typer.Option(help="Write kubeconfig, prometheus_token and pagerduty_token here."),
    ] = None,
) -> None:
    """Serve a world until interrupted; prints the variables that point other programs at it."""
    anyio.run(_up, world, publish, name, folder)


async def _up(world: str, publish: str, name: str, folder: Path | None) -> None:
    from assistant.cli.publishing import published  # noqa: PLC0415 - only this command needs it
    from eval.lab.lab import serve  # noqa: PLC0415 - the lab is no part of the product
    from eval.lab.worlds import default_cache, find_world  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        lab = await stack.enter_async_context(serve(find_world(world, default_cache())))
        urls = {backend: lab.urls[backend] for backend in BACKENDS}
        if publish:
            urls = dict(await stack.enter_async_context(published(urls, publish, name)))
        environment = {**lab.environment, **{BACKENDS[one]: url for one, url in urls.items()}}
        environment["ASSISTANT_AS_OF"] = lab.clock().isoformat(timespec="seconds")
        if folder:
            environment |= _written(folder, environment)
        _tell(environment, lab.world.alert_id)
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                return


def _written(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What programs read from files, put into the folder: the kubeconfig and the tokens."""
    kubeconfig = yaml.safe_load(Path(environment["KUBECONFIG"]).read_text(encoding="utf-8"))
    kubeconfig["clusters"][0]["cluster"]["server"] = environment[KUBERNETES]
    files = {
        "kubeconfig": yaml.safe_dump(kubeconfig),
        "prometheus_token": environment["PROMETHEUS_TOKEN"],
        "pagerduty_token": environment["PAGERDUTY_TOKEN"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text, encoding="utf-8")
    return {"KUBECONFIG": str(folder / "kubeconfig")}


def _tell(environment: Mapping[str, str], alert_id: str) -> None:
    for name, value in sorted(environment.items()):
        sys.stdout.write(f"export {name}={value}\n")
    sys.stdout.write(f"# assistant triage {alert_id}\n")
    sys.stdout.flush()
