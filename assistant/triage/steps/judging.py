"""The steps of a runbook, filled in, looked up, and marked with what live state says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from assistant.incident import Entity, Evidence, RunbookStep
from assistant.snapshot import Snapshot
from assistant.toolbox import Call
from assistant.triage.desk import Desk
from assistant.triage.gather import PAGE
from assistant.triage.steps import addresses, kubectl, objects, prose, queries
from assistant.triage.steps.judgement import Judgement, Live, unknown, worst
from assistant.triage.steps.kinds import CLUSTER_WIDE
from assistant.triage.steps.reading import Step
from assistant.triage.steps.slots import Known, filled, is_open
from assistant.triage.view import RUNBOOK_STEP

MOST_QUERIES, MOST_LISTINGS = 6, 4
"""What one runbook may make a triage ask: its text is not ours, and the budget is for the incident."""
LONGEST_TEXT = 1_500
NEVER_LISTED = frozenset({"Secret"})
"""Not read on the word of a runbook; those of the incident's own namespaces were."""


@dataclass(frozen=True)
class Incident:
    """What steps are held against: slots to fill, things found wrong, the time to ask about."""

    known: Known
    at: str
    wrong: frozenset[Entity] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Seen:
    """What was seen, for the judging of steps."""

    live: Live
    answers: Mapping[str, Evidence]
    signals: Sequence[Evidence]


async def held(desk: Desk, incident: Incident, steps: Sequence[Step]) -> tuple[RunbookStep, ...]:
    """Each step with its state and reason. Asks at most a few queries and listings."""
    ready = [_filled(step, incident.known) for step in steps]
    await _list_more(desk, ready)
    answers = await _asked(desk, ready, incident.at)
    live = Live(Snapshot.made_of(desk.toolbox.evidence), incident.wrong)
    signals = [item for item in desk.toolbox.evidence if item.tool == "prometheus.get_metrics"]
    evidence = Seen(live, answers, signals)
    pairs = zip(steps, ready, strict=True)
    return tuple(_marked(step, _judged(raw, step, evidence)) for raw, step in pairs)


def _filled(step: Step, known: Known) -> Step:
    return replace(
        step,
        commands=[filled(line, known) for line in step.commands],
        queries=[filled(line, known) for line in step.queries],
    )


async def _list_more(desk: Desk, steps: Sequence[Step]) -> None:
    """Lists what commands name and the triage had no cause to read, in namespaces that exist."""
    seen = desk.view().snapshot
    there = {item.name for item in seen.of("Namespace")}
    commands = [
        command for step in steps for line in step.commands for command in kubectl.parse(line)
    ]
    wanted = dict.fromkeys(
        (kind, "" if kind in CLUSTER_WIDE else namespace)
        for kind, namespace in kubectl.everything(commands)
        if kind not in NEVER_LISTED and (kind in CLUSTER_WIDE or namespace in there)
    )
    unread = [place for place in wanted if not seen.listed(*place)]
    await desk.toolbox.collect(
        Call(
            "kubernetes.list_resources",
            {"kind": kind, "namespace": namespace, "view": "full", "limit": PAGE},
            RUNBOOK_STEP,
        )
        for kind, namespace in unread[:MOST_LISTINGS]
    )


async def _asked(desk: Desk, steps: Sequence[Step], at: str) -> dict[str, Evidence]:
    """Query -> answer, for the first few that have no open slot."""
    written = dict.fromkeys(line for step in steps for line in step.queries if not is_open(line))
    chosen = list(islice(written, MOST_QUERIES))
    calls = [
        Call("prometheus.query", {"query": queries.to_ask(line), "time": at}, RUNBOOK_STEP)
        for line in chosen
    ]
    return dict(zip(chosen, await desk.toolbox.collect(calls), strict=True)) if calls else {}


def _judged(raw: Step, step: Step, seen: Seen) -> Judgement:
    """`raw` is the step as it is written, with its slots."""
    lines = zip(raw.commands, step.commands, strict=True)
    said = [_of_command(seen.live, line, as_written=line == written) for written, line in lines]
    said += [_of_query(step, line, seen.answers.get(line)) for line in step.queries]
    said += _of_words(step, seen) if not said else []
    if not said and step.others:
        return unknown("nothing in it can be looked up")
    return worst(said)


def _of_words(step: Step, seen: Seen) -> Iterator[Judgement]:
    limit = prose.of_threshold(step.words, seen.signals, goal=step.goal)
    if limit:
        yield limit
    yield from prose.of_objects(seen.live, step.words)


def _of_command(live: Live, line: str, *, as_written: bool) -> Judgement:
    """A name that the incident filled in says nothing of the page's age."""
    said = [objects.of_command(live, command) for command in kubectl.parse(line)]
    request = addresses.of_line(live, line)
    said += [request] if request else []
    judged = worst(said) if said else unknown("it cannot be read")
    return judged if as_written else replace(judged, outdates=False)


def _of_query(step: Step, line: str, answer: Evidence | None) -> Judgement:
    if is_open(line):
        return unknown("it has a slot that this incident does not fill")
    if answer is None:
        return unknown("not asked: a runbook may ask only a few queries")
    stated = queries.stated(step.words, line) if len(step.queries) == 1 else None
    return queries.of_answer(answer, queries.threshold(line) or stated, goal=step.goal)


def _marked(step: Step, judged: Judgement) -> RunbookStep:
    changes = any(
        addresses.writes(line) or any(command.changes for command in kubectl.parse(line))
        for line in step.commands
    )
    return RunbookStep(
        text=step.text[:LONGEST_TEXT],
        state=judged.state,
        why=judged.why,
        citations=judged.said,
        line=step.line,
        changes=changes,
        outdates=judged.outdates,
    )
