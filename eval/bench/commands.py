"""`python -m eval bench …`: one word for each bench. What follows it is the bench's own business."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

app = typer.Typer(
    help="How fast, and what is left after a kill; alone: cold triages.",
    invoke_without_command=True,
)
AS_IT_IS = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Each bench reads its own words, `--help` among them."""

Runs = Annotated[int, typer.Option(min=1, max=100, help="Runs of each, interleaved.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the figures as JSON as well.")]
World = Annotated[str, typer.Option(help="The small cluster: a world.")]
Pods = Annotated[int, typer.Option(min=10, help="Of the large cluster.")]
Events = Annotated[int, typer.Option(min=20, help="Of the large cluster.")]


@app.callback()
def bench(
    context: typer.Context,
    runs: Runs = 5,
    json_file: Json = None,
    world: World = "amber",
    pods: Pods = 5000,
    events: Events = 10_000,
) -> None:
    """Measure. Without a word: cold triages."""
    if context.invoked_subcommand is None:
        triage(runs, json_file, world, pods, events)


@app.command()
def triage(
    runs: Runs = 5,
    json_file: Json = None,
    world: World = "amber",
    pods: Pods = 5000,
    events: Events = 10_000,
) -> None:
    """Measure cold triages: time beside their bare imports, calls, requests, memory."""
    from eval.bench.triage import Plan, measured  # noqa: PLC0415 - each command loads its own

    plan = Plan(world=world, runs=runs, pods=pods, events=events)
    sys.stdout.write(measured(plan, json_file, Console(stderr=True)))


@app.command(context_settings=AS_IT_IS, add_help_option=False)
def search(context: typer.Context) -> None:
    """Measure a warm search, and a cold one, at two sizes of the index."""
    from eval.bench.search import main  # noqa: PLC0415 - each command loads its own

    main(context.args)


@app.command(context_settings=AS_IT_IS, add_help_option=False)
def kills(context: typer.Context) -> None:
    """Kill ingestions at random moments, and look for what is lost or broken."""
    from eval.bench.kills import main  # noqa: PLC0415 - each command loads its own

    raise typer.Exit(main(context.args))


@app.command(context_settings=AS_IT_IS, add_help_option=False)
def embedding(context: typer.Context) -> None:
    """Measure sections embedded in a second, beside bare sentence-transformers."""
    from eval.bench.embedding_rate import main  # noqa: PLC0415 - each command loads its own

    raise typer.Exit(main(context.args))


@app.command(context_settings=AS_IT_IS, add_help_option=False)
def storm(context: typer.Context) -> None:
    """Measure a storm of alerts: what is kept, grouped, triaged."""
    from eval.bench.storm import main  # noqa: PLC0415 - each command loads its own

    _run(main, context)


@app.command(context_settings=AS_IT_IS, add_help_option=False)
def threads(context: typer.Context) -> None:
    """Measure answers to ten people at once, and count those in a wrong thread."""
    from eval.bench.threads import main  # noqa: PLC0415 - each command loads its own

    _run(main, context)


def _run(main: Callable[..., None], context: typer.Context) -> None:
    """A bench whose words Typer reads."""
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command()(main)
    alone(context.args, prog_name=context.command_path)
