"""The LangGraph workflow of a triage: seven steps, each checkpointed when it is done.

State holds values only (they are serialised); the toolbox and the clock come in as context. A step
that was cut off runs again from its top and repeats no finished call: its evidence is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypedDict

import anyio
from langchain_core.runnables import RunnableConfig
from langgraph.channels import UntrackedValue
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from assistant.checks import Case, Check
from assistant.diagnosis import Diagnosis, diagnose
from assistant.incident import (
    Alert,
    BlindSpot,
    Cost,
    Evidence,
    Finding,
    Report,
    RunbookMatch,
    Scope,
    Status,
    StepState,
    Verdict,
)
from assistant.store import new_file
from assistant.triage import compose as composing
from assistant.triage.blindness import too_blind
from assistant.triage.consult import consult
from assistant.triage.desk import Desk
from assistant.triage.gather import gather
from assistant.triage.intake import narrow, take_in


class State(TypedDict, total=False):
    """What is known so far. Evidence is not in it: the toolbox keeps that, once."""

    id: str
    alert_id: str
    alert: Alert
    scope: Scope
    findings: tuple[Finding, ...]
    failures: tuple[BlindSpot, ...]
    diagnosis: Diagnosis
    runbooks: tuple[RunbookMatch, ...]
    report: Annotated[Report, UntrackedValue]
    """Not checkpointed: the store keeps it, with all its evidence."""


KEPT = (Alert, Scope, Finding, BlindSpot, Diagnosis, RunbookMatch, Status, StepState, Verdict)
"""The types a checkpoint may hold; the serialiser refuses to restore any other."""


async def _intake(state: State, runtime: Runtime[Desk]) -> State:
    runtime.context.on_stage("reading the alert")
    return {"alert": await take_in(runtime.context, state["alert_id"])}


async def _scope(state: State, runtime: Runtime[Desk]) -> State:
    runtime.context.on_stage("working out what it speaks of")
    return {"scope": await narrow(runtime.context, state["alert"])}


async def _gather(state: State, runtime: Runtime[Desk]) -> State:
    runtime.context.on_stage("looking at the systems")
    return {"scope": await gather(runtime.context, state["alert"], state["scope"])}


async def _check(state: State, runtime: Runtime[Desk]) -> State:
    runtime.context.on_stage("checking for known faults")
    desk = runtime.context
    findings, failures = await run_checks(desk, state["alert"], state["scope"], desk.checks)
    return {"findings": findings, "failures": failures}


async def _diagnose(state: State, runtime: Runtime[Desk]) -> State:
    runtime.context.on_stage("weighing causes")
    view = runtime.context.view()
    alert, scope = state["alert"], state["scope"]
    quiet = composing.alert_gone(alert, scope, view.evidence)
    blind = too_blind(alert, scope, view.snapshot, view.evidence)
    found = diagnose(alert, scope, state["findings"], view.topology, quiet=quiet, blind=blind)
    troubled = composing.alert_fires(alert, scope, view.evidence) and not composing.a_sign_of_life(
        alert
    )
    if found.verdict is Verdict.HEALTHY and troubled:
        # While the alert fires, to have found nothing wrong only says that it was not found.
        found = found.model_copy(update={"verdict": Verdict.INCONCLUSIVE})
    return {"diagnosis": found}


async def _consult(state: State, runtime: Runtime[Desk]) -> State:
    runtime.context.on_stage("reading the runbook")
    desk = runtime.context
    alert, scope, diagnosis = state["alert"], state["scope"], state["diagnosis"]
    return {"runbooks": await consult(desk, alert, scope, state["findings"], diagnosis)}


async def _report(state: State, runtime: Runtime[Desk]) -> State:
    desk = runtime.context
    desk.on_stage("writing the report")
    parts = composing.Parts(**{key: state[key] for key in composing.Parts.model_fields})  # type: ignore[literal-required]
    cost = Cost(seconds=round(desk.timer(), 2), calls=desk.toolbox.calls)
    made = composing.compose(parts, desk.view(), cost, desk.clock())
    return {"report": made}


STEPS = {
    "intake": _intake,
    "narrow": _scope,
    "gather": _gather,
    "check": _check,
    "diagnose": _diagnose,
    "consult": _consult,
    "write": _report,
}


async def run_checks(
    desk: Desk, alert: Alert, scope: Scope, checks: Mapping[str, Check]
) -> tuple[tuple[Finding, ...], tuple[BlindSpot, ...]]:
    """What the checks find, sorted; a check that breaks is a blind spot, and the others go on."""
    view = desk.view()

    async def ask(tool: str, arguments: Mapping[str, Any], reason: str) -> Evidence:
        return await desk.toolbox.call(tool, arguments, reason=reason)

    case = Case(alert, scope, view.snapshot, view.topology, view.evidence, ask)
    answers: dict[str, list[Finding]] = {}
    failures: list[BlindSpot] = []

    async def one(name: str, check: Check) -> None:
        try:
            answers[name] = await check(case)
        except Exception as error:  # noqa: BLE001 - a broken check must not end a triage
            failures.append(_broken(name, error))

    async with anyio.create_task_group() as group:
        for name, check in checks.items():
            group.start_soon(one, name, check)
    # In the order of their names, not of their answers: the same evidence gives the same findings.
    made = {finding.id: finding for name in sorted(answers) for finding in answers[name]}
    forged = unsupported(made.values(), desk.toolbox.evidence)
    failures += [_forged(made[id]) for id in forged]
    return (
        tuple(made[id] for id in sorted(made.keys() - forged)),
        tuple(sorted(failures, key=lambda row: (row.tool, row.reason))),
    )


def unsupported(findings: Iterable[Finding], evidence: Iterable[Evidence]) -> set[str]:
    """The ids of the findings that cite an answer nobody gave, or words that do not stand in it."""
    known = {item.id: item for item in evidence}
    return {
        finding.id
        for finding in findings
        for said in finding.citations
        if said.evidence not in known or not known[said.evidence].holds(said.quote)
    }


def _forged(finding: Finding) -> BlindSpot:
    return BlindSpot(
        tool=f"check of {finding.kind}",
        status=Status.ERROR,
        reason=f"{finding.kind} at {finding.entity} cites what no evidence holds",
        consequence="this finding was dropped: nothing may rest on words that nobody said",
        suggestions=("report this as a bug, with `assistant show --json`",),
    )


def _broken(name: str, error: Exception) -> BlindSpot:
    return BlindSpot(
        tool=f"check {name}",
        status=Status.ERROR,
        reason=f"{type(error).__name__}: {error}"[:300],
        consequence=f"faults of the family {name} were not looked for",
        suggestions=("report this as a bug, with `assistant show --json`",),
    )


def _graph(saver: AsyncSqliteSaver) -> CompiledStateGraph[State, Desk, State, State]:
    graph: StateGraph[State, Desk, State, State] = StateGraph(State, context_schema=Desk)
    before = START
    for name, step in STEPS.items():
        graph.add_node(name, step)
        graph.add_edge(before, name)
        before = name
    graph.add_edge(before, END)
    return graph.compile(checkpointer=saver)


async def triage(id: str, alert_id: str, desk: Desk, checkpoints: Path) -> Report:
    """The report on this alert. A triage of the same `id` that was cut off goes on where it was.

    Raises NotFound for an alert that does not exist.
    """
    names = [(kind.__module__, kind.__name__) for kind in KEPT]
    serde = JsonPlusSerializer(allowed_msgpack_modules=names)
    new_file(checkpoints)
    async with AsyncSqliteSaver.from_conn_string(str(checkpoints)) as saver:
        saver.serde = serde
        graph = _graph(saver)
        config: RunnableConfig = {"configurable": {"thread_id": id}}
        before = await graph.aget_state(config)
        fresh: State = {"id": id, "alert_id": alert_id}
        # A step whose result is stored and whose checkpoint is not has no `next`, but still a task.
        if before.values and not before.tasks:
            # It ended, and was killed before its report was stored: the last step writes it again.
            await graph.aupdate_state(config, {}, as_node=list(STEPS)[-2])
        given = None if before.values else fresh
        final = await graph.ainvoke(given, config, context=desk)
    report: Report = final["report"]
    return report


async def replay(id: str, alert_id: str, desk: Desk) -> Report:
    """Diagnose again from stored evidence alone: the same steps over a toolbox that asks nobody."""
    state: State = {"id": id, "alert_id": alert_id}
    runtime: Runtime[Desk] = Runtime(context=desk)
    for step in STEPS.values():
        state = {**state, **await step(state, runtime)}
    return state["report"]
