"""`assistant lab`: the worlds one can look at, and one of them kept up for other programs."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import anyio
import typer
from rich.console import Console
from rich.table import Table

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
) -> None:
    """Serve a world until interrupted; prints the variables that point other programs at it."""
    anyio.run(_up, world)


async def _up(world: str) -> None:
    from eval.lab.lab import serve  # noqa: PLC0415 - the lab is no part of the product
    from eval.lab.worlds import default_cache, find_world  # noqa: PLC0415

    async with serve(find_world(world, default_cache())) as lab:
        for name, value in sorted(lab.environment.items()):
            sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.write(f"export ASSISTANT_AS_OF={lab.clock().isoformat(timespec='seconds')}\n")
        sys.stdout.write(f"# assistant triage {lab.world.alert_id}\n")
        sys.stdout.flush()
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                return
