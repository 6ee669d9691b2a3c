"""Runbook steps held against live state: applies, already true, contradicted, cannot tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.incident import Entity, Status, StepState
from assistant.triage.steps import MOST_STEPS, filled, held, parse, slots, steps
from tests.assistant.checks.cluster import (
    deployment,
    evidence,
    node,
    pod,
    replica_set,
    snapshot,
    thing,
)
from tests.assistant.triage.recorded import AT, desk_of

pytestmark = pytest.mark.anyio
CLUSTER = (
    deployment(replicas=2),
    replica_set(),
    pod(),
    node("worker-1"),
    node("worker-2", spec={"unschedulable": True}),
    thing("ConfigMap", "web-settings"),
    thing("Namespace", "shop", namespace=""),
)


async def state_of(line, *objects, unread=(), answers=None):
    seen = snapshot(*(objects or CLUSTER), unread=unread)
    rows = await held(desk_of(answers), seen, f"```sh\n{line}\n```", {}, AT)
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("kubectl -n shop describe deployment web", StepState.APPLIES),
        ("kubectl -n shop rollout undo deployment/web", StepState.APPLIES),
        ("kubectl -n shop rollout status deploy/web --timeout 30s", StepState.APPLIES),
        ("kubectl -n shop scale deploy/web --replicas=2", StepState.ALREADY_TRUE),
        ("kubectl -n shop scale deployment web --replicas 2", StepState.ALREADY_TRUE),
        ("kubectl -n shop scale deploy/web --replicas=5", StepState.APPLIES),
        ("kubectl cordon worker-2", StepState.ALREADY_TRUE),
        ("kubectl uncordon worker-2", StepState.APPLIES),
        ("kubectl uncordon worker-1", StepState.ALREADY_TRUE),
        ("kubectl drain worker-1 --ignore-daemonsets", StepState.APPLIES),
        ("kubectl get nodes worker-9", StepState.CONTRADICTED),
        ("kubectl -n shop describe deployment wbe", StepState.CONTRADICTED),
        ("kubectl -n store get pods", StepState.CONTRADICTED),
        ("kubectl -n shop logs web-6d4b9-x2x7p -c web | grep ERROR", StepState.APPLIES),
        ("kubectl -n shop exec -it web-6d4b9-x2x7p -- sh -c 'df -h'", StepState.APPLIES),
        ("kubectl edit cm web-settings", StepState.APPLIES),
        ("kubectl -n shop get secret web-db -o yaml", StepState.CONTRADICTED),
        ("kubectl -n shop get pods", StepState.UNKNOWN),
        ("kubectl -n shop describe deployment <deployment>", StepState.UNKNOWN),
        ("kubectl -n $NS describe deployment web", StepState.UNKNOWN),
        ("kubectl -n shop create secret generic web-db --from-literal=password=x", StepState.UNKNOWN),
        ("kubectl -n shop create configmap other --from-file=x", StepState.UNKNOWN),
        ("kubectl apply -f web.yaml", StepState.UNKNOWN),
        ("kubectl -n shop get widgets.example.com w1", StepState.UNKNOWN),
        ('kubectl -n shop exec "unclosed', StepState.UNKNOWN),
    ],
)  # fmt: skip
async def test_a_command_is_held_against_what_was_seen(line, state):
    row = await state_of(line)
    assert row.state is state, row.why
    assert row.why
    assert row.citations or state is StepState.UNKNOWN, "what is claimed of live state is cited"


async def test_an_object_of_a_kind_that_was_not_read_cannot_be_told():
    row = await state_of("kubectl -n shop get secret web-db", unread=["Secret"])
    assert row.state is StepState.UNKNOWN
    assert "not read" in row.why


async def test_the_empty_list_of_a_kind_contradicts_a_step_that_needs_one():
    row = await state_of("kubectl -n shop get secret web-db")
    assert row.state is StepState.CONTRADICTED
    assert "there is no Secret shop/web-db" in row.why


async def test_namespaces_that_were_not_read_contradict_nothing():
    row = await state_of("kubectl -n store get pods", deployment(), unread=["Namespace"])
    assert row.state is StepState.UNKNOWN


SERIES = {"series": [{"labels": {}, "value": 0.31}, {"labels": {}, "value": 0.2}]}


async def asked(query, answers):
    rows = await held(desk_of(answers), snapshot(*CLUSTER), f"```promql\n{query}\n```", {}, AT)
    return rows[0]


async def test_a_query_that_answers_applies_and_says_what():
    row = await asked("rate(errors[5m])", {"prometheus.query": SERIES})
    assert row.state is StepState.APPLIES
    assert "0.31 (2 series)" in row.why


async def test_a_query_without_an_answer_cannot_be_told():
    assert (await asked("rate(errors[5m])", {})).state is StepState.UNKNOWN
    failed = evidence(
        "prometheus.query", {}, None, status=Status.ERROR, reason="parse error at char 7"
    )
    row = await asked("rate(errors[5m", {"prometheus.query": failed})
    assert row.state is StepState.UNKNOWN
    assert "parse error at char 7" in row.why


async def test_a_query_with_an_open_slot_is_not_sent():
    desk = desk_of({"prometheus.query": SERIES})
    rows = await held(desk, snapshot(*CLUSTER), '```promql\nup{job="<job>"}\n```', {}, AT)
    assert rows[0].state is StepState.UNKNOWN
    assert desk.toolbox.asked == []


TEXT = """# Web is down

- users see 503

1. Look at it: `kubectl -n shop describe deployment web`
2. Ask the payments team.

```sh
# go back
$ kubectl -n shop rollout undo deployment/web
```
"""


def test_steps_are_numbered_items_and_commands_and_bullets_describe():
    read = list(steps(TEXT))
    assert [step.commands for step in read] == [
        ["kubectl -n shop describe deployment web"],
        ["kubectl -n shop rollout undo deployment/web"],
    ]
    assert read[1].words == "Ask the payments team."


async def test_a_step_for_people_is_left_to_people():
    rows = await held(desk_of(), snapshot(*CLUSTER), "1. Call the provider.", {}, AT)
    assert (rows[0].state, rows[0].why) == (StepState.UNKNOWN, "for a person to judge")


async def test_slots_are_filled_from_the_incident_and_the_rest_stays_as_written():
    cause = Entity(kind="Secret", name="web-db", namespace="shop")
    known = slots(cause, Entity(kind="Deployment", name="web", namespace="shop"))
    line = "kubectl -n <namespace> rollout restart deployment/$DEPLOYMENT --from=<elsewhere>"
    assert (
        filled(line, known) == "kubectl -n shop rollout restart deployment/web --from=<elsewhere>"
    )


async def test_a_long_runbook_is_cut():
    text = "\n".join(f"{n}. step" for n in range(1, 60))
    assert len(await held(desk_of(), snapshot(*CLUSTER), text, {}, AT)) == MOST_STEPS


@given(st.text(max_size=120))
def test_no_line_breaks_the_reading_of_commands(text):
    parse(text)
    command = parse(f"kubectl {text}")
    assert command is None or command.verb


WORDS = st.lists(
    st.sampled_from(["kubectl", "-n", "shop", "get", "scale", "deployment/web", "--replicas=2", "--", "|", "'", '"',
                     "logs", "cordon", "-c", "=", "/", "<x>", "$X", "set", "rollout", "-l", "pods", "--replicas"]),
    max_size=9,
).map(" ".join)  # fmt: skip


@given(
    st.lists(
        WORDS
        | st.sampled_from(["```", "~~~sh", "```promql", "1. x", "# y", ""])
        | st.text(max_size=20),
        max_size=12,
    )
)
async def test_no_runbook_breaks_the_triage(lines):
    rows = await held(desk_of(), snapshot(*CLUSTER), "\n".join(lines), {"name": "web"}, AT)
    assert len(rows) <= MOST_STEPS
    assert all(row.why for row in rows)
