"""`python -m eval`: how right the triage is, and how fast. The commands, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from assistant.errors import AssistantError

BLIND = 3

app = typer.Typer(
    name="python -m eval",
    help="How right the triage is, and how fast.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Labels = Annotated[str, typer.Argument(help="File of right answers, or `builtin`.")]


@app.command()
def run(
    worlds: Annotated[list[str], typer.Argument(help="World folders or builtin names.")],
    out: Annotated[Path, typer.Option("--out", help="File of predictions to write.")],
    vocabulary: Annotated[
        str, typer.Option(help="Whose names to answer in: own, cloudopsbench or petshop.")
    ] = "own",
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Worlds at a time.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what was run before.")] = False,  # noqa: FBT002 - a flag
    runbooks: Annotated[str, typer.Option(help="Runbook index to search.")] = "",
) -> None:
    """Triage each world in the lab. A second run does only what is missing."""
    from eval.run import Plan  # noqa: PLC0415 - `--help` and `score` need no lab
    from eval.run import run as triaged  # noqa: PLC0415

    plan = Plan(tuple(worlds), out, vocabulary, jobs, fresh, runbooks)
    records = triaged(plan, Console(stderr=True))
    failed = sum(bool(record.failed) for record in records.values())
    sys.stdout.write(f"{len(records)} worlds in {out}, {failed} of them without a report\n")
    raise typer.Exit(BLIND if failed else 0)


@app.command()
def score(
    predictions: Annotated[Path, typer.Argument(help="What `run` wrote.")], labels: Labels
) -> None:
    """Hold predictions against the right answers: shares with 95 % intervals, and every miss."""
    from eval.score import scored  # noqa: PLC0415 - each command loads its own

    sys.stdout.write(scored(predictions, labels))


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="What an earlier `run` wrote.")],
    after: Annotated[Path, typer.Argument(help="What a later `run` wrote.")],
    labels: Annotated[
        str, typer.Option(help="File of right answers, or `builtin`: tells gains from losses.")
    ] = "",
) -> None:
    """Show the worlds whose first answer differs between two runs."""
    from eval.score import compared  # noqa: PLC0415 - each command loads its own

    sys.stdout.write(compared(before, after, labels))


@app.command()
def bench(
    runs: Annotated[int, typer.Option(min=1, max=100, help="Runs of each, interleaved.")] = 5,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures as JSON as well.")
    ] = None,
    world: Annotated[str, typer.Option(help="The small cluster: a world.")] = "amber",
    pods: Annotated[int, typer.Option(min=10, help="Of the large cluster.")] = 5000,
    events: Annotated[int, typer.Option(min=20, help="Of the large cluster.")] = 10_000,
) -> None:
    """Measure cold triages: time beside their bare imports, calls, requests, memory."""
    from eval.bench import Plan, measured  # noqa: PLC0415 - each command loads its own

    plan = Plan(world=world, runs=runs, pods=pods, events=events)
    sys.stdout.write(measured(plan, json_file, Console(stderr=True)))


def main() -> None:
    """Run a command: exit 1 with one line for an expected failure."""
    try:
        app()
    except AssistantError as error:
        sys.stderr.write(f"eval: {' '.join(str(error).split())}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
