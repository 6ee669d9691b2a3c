"""`python -m eval`: how right the triage is, and how fast. The commands, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from assistant.errors import AssistantError
from eval.bench import commands as bench

BLIND = 3

app = typer.Typer(
    name="python -m eval",
    help="How right the triage is, and how fast.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(bench.app, name="bench")
Labels = Annotated[str, typer.Argument(help="File of right answers, or `builtin`.")]
Predictions = Annotated[Path, typer.Argument(help="What `run` wrote.")]
Worlds = Annotated[
    list[str],
    typer.Argument(help="World folders, folders of worlds, builtin names, or `builtin` for all."),
]
Words = Annotated[str, typer.Option(help="Whose names to answer in: own, cloudopsbench, petshop.")]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="Worlds at a time.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Forget what was run before.")]
RightAnswers = Annotated[str, typer.Option("--labels", help="File of right answers, or `builtin`.")]
Update = Annotated[bool, typer.Option("--update", help="Keep this run as the baseline.")]
Ran = Annotated[bool, typer.Option("--ran", help="Leave out the worlds that were not run.")]


@app.command()
def run(
    worlds: Worlds,
    out: Annotated[Path, typer.Option("--out", help="File of predictions to write.")],
    vocabulary: Words = "own",
    jobs: Jobs = 1,
    fresh: Fresh = False,  # noqa: FBT002 - a flag
    runbooks: Annotated[str, typer.Option(help="Runbook index to search.")] = "",
) -> None:
    """Triage each world in the lab. A second run does only what is missing or had no report."""
    from eval.run import Plan  # noqa: PLC0415 - `--help` and `score` need no lab
    from eval.run import run as triaged  # noqa: PLC0415

    plan = Plan(tuple(worlds), out, vocabulary, jobs, fresh, runbooks)
    records = triaged(plan, Console(stderr=True))
    failed = sum(bool(record.failed) for record in records.values())
    sys.stdout.write(f"{len(records)} worlds in {out}, {failed} of them without a report\n")
    raise typer.Exit(BLIND if failed else 0)


@app.command()
def score(
    predictions: Predictions,
    labels: Labels,
    ran: Ran = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Hold predictions against the right answers: shares, calibration, cost, and every miss."""
    from eval.score import scored  # noqa: PLC0415 - each command loads its own

    sys.stdout.write(scored(predictions, labels, ran=ran, as_json=as_json))


@app.command()
def check(
    predictions: Predictions,
    labels: Labels,
    baseline: Annotated[str, typer.Argument(help="Name of a committed baseline, or a file.")],
    ran: Ran = False,  # noqa: FBT002 - a flag
    update: Update = False,  # noqa: FBT002 - a flag
) -> None:
    """Fail where a run is worse than the baseline that was committed."""
    from eval.gate import baseline_of, located, read, regressions, write  # noqa: PLC0415
    from eval.labels import BUILTIN  # noqa: PLC0415
    from eval.score import rows_of  # noqa: PLC0415

    now = baseline_of(rows_of(predictions, labels, ran=ran), whole=labels == BUILTIN)
    path = located(baseline)
    if update:
        write(path, now)
        wrong = sum(not said.right for said in now.worlds.values())
        sys.stdout.write(f"kept as {path}" + (f", {wrong} of them wrong\n" if wrong else "\n"))
    worse = list(regressions(read(path), now, part=ran))
    told = [f"worse than {path.name}: {one}" for one in worse] or [f"as good as {path.name}"]
    sys.stdout.write("\n".join(told) + "\n")
    raise typer.Exit(1 if worse else 0)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="What an earlier `run` wrote.")],
    after: Annotated[Path, typer.Argument(help="What a later `run` wrote.")],
    labels: RightAnswers = "",
) -> None:
    """Show the worlds whose first answer or verdict differs between two runs."""
    from eval.compare import compared  # noqa: PLC0415 - each command loads its own

    sys.stdout.write(compared(before, after, labels))


@app.command()
def ablate(
    worlds: Worlds,
    out: Annotated[Path, typer.Option("--out", help="File to write, one line a world.")],
    labels: RightAnswers = "",
    vocabulary: Words = "own",
    jobs: Jobs = 1,
    fresh: Fresh = False,  # noqa: FBT002 - a flag
) -> None:
    """Leave one out: triage each world, then diagnose it again without each family of checks."""
    from eval.ablate import ablated  # noqa: PLC0415 - `--help` needs no lab
    from eval.labels import read_labels  # noqa: PLC0415
    from eval.losses import page  # noqa: PLC0415
    from eval.run import Plan  # noqa: PLC0415
    from eval.run import worlds as placed  # noqa: PLC0415

    right = read_labels(labels) if labels else {}
    plan = Plan(tuple(worlds), out, vocabulary, jobs, fresh)
    rows = ablated(plan, Console(stderr=True))
    sys.stdout.write("\n".join(page(rows, right)) + "\n")
    raise typer.Exit(0 if len(rows) == len(placed(worlds)) else BLIND)


@app.command()
def retrieval(
    corpora: Annotated[Path, typer.Argument(help="Folder of corpora, one folder a source.")],
    queries: Annotated[
        Path, typer.Argument(help="Questions: a *.jsonl file, or a folder of them.")
    ],
    index: Annotated[
        Path, typer.Option(help="Where the index is kept; made the first time.")
    ] = Path("var/retrieval"),
    out: Annotated[Path | None, typer.Option(help="Write the figures as JSON as well.")] = None,
) -> None:
    """Measure the runbook search: found at which rank, and how often it rightly abstains."""
    from eval.retrieval import Plan, measured  # noqa: PLC0415 - each command loads its own

    sys.stdout.write(measured(Plan(corpora, queries, index), out, Console(stderr=True)))


def main() -> None:
    """Run a command: exit 1 with one line for an expected failure."""
    try:
        app()
    except AssistantError as error:
        sys.stderr.write(f"eval: {' '.join(str(error).split())}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
