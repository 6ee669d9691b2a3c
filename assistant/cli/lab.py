"""`assistant lab`: the worlds one can look at, and one of them kept up for other programs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer
import yaml
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from eval.lab.lab import Lab

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
    folder: Annotated[
        Path | None,
        typer.Option(help="Write kubeconfig, prometheus_token and pagerduty_token there."),
    ] = None,
    publish: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS:PORT",
            help="Let other machines in: Kubernetes at this port, Prometheus and PagerDuty at the "
            "next two.",
        ),
    ] = "",
    name: Annotated[str, typer.Option(help="How other machines call this one.")] = "localhost",
) -> None:
    """Serve a world until interrupted; prints the variables that point other programs at it."""
    anyio.run(_up, world, folder, publish, name)


async def _up(world: str, folder: Path | None, publish: str, name: str) -> None:
    from assistant.cli.publishing import published, socket_address  # noqa: PLC0415 - only for this
    from eval.lab.lab import BACKENDS, serve  # noqa: PLC0415 - the lab is no part of the product
    from eval.lab.worlds import default_cache, find_world  # noqa: PLC0415

    host, port = socket_address(publish) if publish else ("", 0)
    async with AsyncExitStack() as stack:
        lab = await stack.enter_async_context(serve(find_world(world, default_cache())))
        inside = [lab.urls[backend] for backend in BACKENDS]
        outside = [f"http://{name}:{port + one}" for one in range(len(inside))]
        environment = _environment(
            lab, dict(zip(BACKENDS, outside if host else inside, strict=True)), folder
        )
        if host:
            # Last: who reaches the lab finds the files of this run, not of one before.
            await stack.enter_async_context(published(inside, host, port))
        _tell(environment, lab.world.alert_id)
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                return


def _environment(lab: Lab, urls: Mapping[str, str], folder: Path | None) -> dict[str, str]:
    """The variables that point other programs at the lab; files among them go into `folder`."""
    environment = {
        **lab.environment,
        "PROMETHEUS_URL": urls["prometheus"],
        "PAGERDUTY_API_URL": urls["pagerduty"],
        "ASSISTANT_AS_OF": lab.clock().isoformat(timespec="seconds"),
    }
    if folder:
        environment["KUBECONFIG"] = str(_written(folder, environment, urls["kubernetes"]))
    return environment


def _written(folder: Path, environment: Mapping[str, str], cluster: str) -> Path:
    """What programs read from files, put into the folder; returns the kubeconfig."""
    config = yaml.safe_load(Path(environment["KUBECONFIG"]).read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"]["server"] = cluster
    files = {
        "kubeconfig": yaml.safe_dump(config),
        "prometheus_token": environment["PROMETHEUS_TOKEN"],
        "pagerduty_token": environment["PAGERDUTY_TOKEN"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "kubeconfig"


def _tell(environment: Mapping[str, str], alert_id: str) -> None:
    for name, value in sorted(environment.items()):
        sys.stdout.write(f"export {name}={value}\n")
    sys.stdout.write(f"# assistant triage {alert_id}\n")
    sys.stdout.flush()
