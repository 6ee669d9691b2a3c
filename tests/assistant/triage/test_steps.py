"""Runbook steps held against live state: applies, already true, contradicted, cannot tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.incident import Entity, Status, StepState
from assistant.triage.consult import MOST_STEPS
from assistant.triage.steps import Incident, Known, held, steps
from assistant.triage.steps.judging import LONGEST_TEXT, MOST_LISTINGS, MOST_QUERIES
from assistant.triage.steps.kubectl import parse
from tests.assistant.checks.cluster import (
    deployment,
    evidence,
    gathered,
    node,
    pod,
    replica_set,
    service,
    state,
    thing,
)
from tests.assistant.triage.recorded import AT, desk_of

pytestmark = pytest.mark.anyio
READY = {
    "replicas": 2,
    "updatedReplicas": 2,
    "readyReplicas": 2,
}
CLUSTER = (
    deployment(replicas=2, status=READY),
    deployment("new", spec={"paused": True}),
    replica_set("new-1", owner=("Deployment", "new"), revision=1),
    replica_set(),
    pod(states=[state(ready=True)], ready=True),
    service(),
    node("worker-1", spec={"taints": [{"key": "disk", "value": "full", "effect": "NoSchedule"}]}),
    node("worker-2", spec={"unschedulable": True}, labels={"zone": "a"}),
    thing("ConfigMap", "web-settings"),
    thing("HorizontalPodAutoscaler", "web", spec={"scaleTargetRef": {"kind": "Deployment", "name": "web"}}),
    thing("Namespace", "shop", namespace=""),
    thing("Namespace", "data", namespace=""),
)  # fmt: skip
INCIDENT = Incident(Known(), AT)


async def rows_of(text, *objects, unread=(), answers=None, incident=INCIDENT):
    desk = desk_of(answers, gathered(*(objects or CLUSTER), unread=unread))
    return await held(desk, incident, list(steps(text)))


async def state_of(line, *objects, **more):
    rows = await rows_of(f"```sh\n{line}\n```", *objects, **more)
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize(
    ("line", "state"),
    [
        ("kubectl -n shop describe deployment web", StepState.APPLIES),
        ("kubectl -n shop rollout undo deployment/web", StepState.APPLIES),
        ("kubectl -n shop rollout undo deployment/new", StepState.CONTRADICTED),
        ("kubectl -n shop rollout status deploy/web --timeout 30s", StepState.ALREADY_TRUE),
        ("kubectl -n shop rollout pause deploy/new", StepState.ALREADY_TRUE),
        ("kubectl -n shop rollout resume deploy/new", StepState.APPLIES),
        ("kubectl -n shop scale deploy/web --replicas=2", StepState.ALREADY_TRUE),
        ("kubectl -n shop scale deployment web --replicas 2", StepState.ALREADY_TRUE),
        ("kubectl -n shop scale deploy/web --replicas=5", StepState.APPLIES),
        ("kubectl -n shop set image deploy/web web=registry.example/shop/web:1.4.2", StepState.ALREADY_TRUE),
        ("kubectl -n shop set image deploy/web web=registry.example/shop/web:1.4.1", StepState.APPLIES),
        ("kubectl -n shop set image deploy/web front=registry.example/front:1", StepState.CONTRADICTED),
        ("kubectl cordon worker-2", StepState.ALREADY_TRUE),
        ("kubectl uncordon worker-2", StepState.APPLIES),
        ("kubectl uncordon worker-1", StepState.ALREADY_TRUE),
        ("oc adm drain worker-1 --ignore-daemonsets", StepState.APPLIES),
        ("kubectl label node worker-2 zone=a", StepState.ALREADY_TRUE),
        ("kubectl label node worker-2 zone=b", StepState.APPLIES),
        ("kubectl taint nodes worker-1 disk=full:NoSchedule", StepState.ALREADY_TRUE),
        ("kubectl taint nodes worker-1 disk:NoSchedule-", StepState.APPLIES),
        ("kubectl taint nodes worker-2 disk:NoSchedule-", StepState.ALREADY_TRUE),
        ("kubectl get nodes worker-9", StepState.CONTRADICTED),
        ("kubectl -n shop describe deployment wbe", StepState.CONTRADICTED),
        ("kubectl -n store get pods", StepState.CONTRADICTED),
        ("kubectl -n shop logs -f web-6d4b9-x2x7p -c web | grep ERROR", StepState.APPLIES),
        ("kubectl -n shop logs web-6d4b9-x2x7p -c sidecar", StepState.CONTRADICTED),
        ("kubectl -n shop logs web-6d4b9-x2x7p --previous", StepState.CONTRADICTED),
        ("kubectl -n shop logs web-6d4b9-aaaaa", StepState.UNKNOWN),
        ("kubectl -n shop exec -it web-6d4b9-x2x7p -- sh -c 'df -h'", StepState.APPLIES),
        ("kubectl -n shop get pods", StepState.APPLIES),
        ("kubectl -n shop get pods -l app=web -o wide", StepState.APPLIES),
        ("kubectl -n shop get pods -l app=new", StepState.APPLIES),
        ("kubectl -n shop get pods -l app=old", StepState.CONTRADICTED),
        ("kubectl -n shop get pods -l 'app in (old)'", StepState.UNKNOWN),
        ("kubectl top nodes", StepState.APPLIES),
        ("kubectl get pods -A", StepState.UNKNOWN),
        ("kubectl edit cm web-settings", StepState.APPLIES),
        ("kubectl -n shop get secret web-db -o yaml", StepState.CONTRADICTED),
        ("kubectl -n shop delete deployment old", StepState.ALREADY_TRUE),
        ("kubectl -n shop delete pod/web-6d4b9-x2x7p deploy/wbe", StepState.APPLIES),
        ("kubectl -n shop create configmap web-settings --from-file=x", StepState.ALREADY_TRUE),
        ("kubectl -n shop describe deployment <deployment>", StepState.UNKNOWN),
        ("kubectl -n $NS describe deployment web", StepState.UNKNOWN),
        ("kubectl -n shop describe deployment MY_APP", StepState.UNKNOWN),
        ("kubectl -n shop describe pod {{ $labels.pod }}", StepState.UNKNOWN),
        ("kubectl -n shop describe deployment my-app", StepState.UNKNOWN),
        ("kubectl -n shop create secret generic web-db --from-literal=password=x", StepState.UNKNOWN),
        ("kubectl -n shop create configmap other --from-file=x", StepState.UNKNOWN),
        ("kubectl apply -f web.yaml", StepState.UNKNOWN),
        ("kubectl -n shop get widgets.example.com w1", StepState.UNKNOWN),
        ('kubectl -n shop exec "unclosed', StepState.UNKNOWN),
        ("systemctl restart containerd", StepState.UNKNOWN),
    ],
)  # fmt: skip
async def test_a_command_is_held_against_what_was_seen(line, state):
    row = await state_of(line)
    assert row.state is state, row.why
    assert row.why
    assert row.citations or state is StepState.UNKNOWN, "what is claimed of live state is cited"


@pytest.mark.parametrize(
    ("line", "state", "says"),
    [
        ("curl -sf http://web.shop.svc:80/healthz", StepState.APPLIES, "1 ready pods behind it; it was not called"),
        ("wget -qO- web.shop.svc.cluster.local/healthz", StepState.APPLIES, "not called"),
        ("curl http://web.shop:80/healthz", StepState.APPLIES, "not called"),
        ("curl http://web.shop.svc:9999/healthz", StepState.CONTRADICTED, "has no port 9999, it has 80"),
        ("curl http://cart.shop.svc/healthz", StepState.CONTRADICTED, "there is no Service shop/cart"),
        ("curl https://example.com/status", StepState.UNKNOWN, "no host outside"),
        ("curl localhost:8080/metrics", StepState.UNKNOWN, "the machine it is typed on"),
        ("curl http://[::1", StepState.UNKNOWN, "no address that can be read"),
    ],
)  # fmt: skip
async def test_a_request_is_held_against_services_and_never_made(line, state, says):
    row = await state_of(line)
    assert (row.state, says in row.why) == (state, True), row.why


async def test_what_a_step_would_change_is_told_and_only_judged():
    desk = desk_of(None, gathered(*CLUSTER))
    text = "```sh\nkubectl -n shop delete pod web-6d4b9-x2x7p\nkubectl -n shop get pods\n```"
    (row,) = await held(desk, INCIDENT, list(steps(text)))
    assert row.changes
    assert desk.toolbox.asked == []
    assert not (await state_of("kubectl -n shop get pods")).changes
    assert (await state_of("curl -X DELETE http://web.shop.svc/cache")).changes


async def test_only_what_is_not_there_makes_a_page_out_of_date():
    assert (await state_of("kubectl -n shop describe deployment wbe")).outdates
    assert (await state_of("kubectl -n store get pods")).outdates
    assert not (await state_of("kubectl -n shop logs web-6d4b9-x2x7p --previous")).outdates
    assert not (await state_of("kubectl -n shop delete deployment old")).outdates


async def test_what_was_found_missing_in_this_incident_does_not_outdate_its_runbook():
    gone = Entity(kind="Secret", name="web-db", namespace="shop")
    row = await state_of(
        "kubectl -n shop get secret web-db", incident=Incident(Known(), AT, frozenset({gone}))
    )
    assert (row.state, row.outdates) == (StepState.APPLIES, False)
    assert "what was found wrong" in row.why


async def test_a_missing_object_is_told_with_where_it_is_or_what_is_called_nearly_so():
    assert "the nearest name is web" in (await state_of("kubectl -n shop describe deploy webb")).why
    elsewhere = await state_of(
        "kubectl -n data describe deploy web", *CLUSTER, *gathered_in("data")
    )
    assert "there is one in shop" in elsewhere.why


def gathered_in(namespace):
    return [deployment("db", namespace=namespace)]


async def test_who_scales_a_workload_besides_is_told():
    row = await state_of("kubectl -n shop scale deploy/web --replicas=5")
    assert "HorizontalPodAutoscaler web sets them too" in row.why


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


async def test_what_a_command_names_elsewhere_is_listed_within_bounds_and_never_secrets():
    desk = desk_of(None, gathered(*CLUSTER))
    kinds = ["deploy", "sts", "ds", "cm", "svc", "ing", "secret", "pvc"]
    lines = [f"kubectl -n data get {kind} x" for kind in kinds]
    await held(desk, INCIDENT, list(steps("\n".join(f"1. `{line}`" for line in lines))))
    asked = [arguments["kind"] for _, arguments in desk.toolbox.asked]
    assert len(asked) == MOST_LISTINGS
    assert "Secret" not in asked


SERIES = {"series": [{"labels": {}, "value": 0.31}, {"labels": {}, "value": 0.2}]}


async def asked(query, answers, heading="Check"):
    text = f"## {heading}\n\n```promql\n{query}\n```"
    return (await rows_of(text, answers=answers))[0]


async def test_a_query_that_answers_applies_and_says_what():
    row = await asked("rate(errors[5m])", {"prometheus.query": SERIES})
    assert row.state is StepState.APPLIES
    assert "0.31 (2 series)" in row.why


@pytest.mark.parametrize(
    ("query", "heading", "state"),
    [
        ("rate(errors[5m]) > 0.3", "Check", StepState.APPLIES),
        ("rate(errors[5m]) > 0.4", "Check", StepState.CONTRADICTED),
        ("rate(errors[5m]) < 0.5", "Verify", StepState.ALREADY_TRUE),
        ("rate(errors[5m]) < 0.25", "Verify", StepState.APPLIES),
        ("sum(a) / sum(b) >= 0.3", "Check", StepState.APPLIES),
        ("a > 5 and b < 7", "Check", StepState.APPLIES),
    ],
)
async def test_a_threshold_is_compared_and_a_goal_that_is_reached_is_already_true(
    query, heading, state
):
    row = await asked(query, {"prometheus.query": SERIES}, heading)
    assert row.state is state, row.why
    assert not row.outdates


async def test_a_threshold_is_taken_off_before_the_question_so_that_no_is_not_no_data():
    desk = desk_of({"prometheus.query": SERIES}, gathered(*CLUSTER))
    await held(desk, INCIDENT, list(steps("```promql\nrate(errors[5m]) > 0.4\n```")))
    assert [one["query"] for tool, one in desk.toolbox.asked if tool == "prometheus.query"] == [
        "rate(errors[5m])"
    ]


@pytest.mark.parametrize(
    ("words", "query", "state"),
    [
        ("The error ratio is below 50% for ten minutes:", "rate(a[5m]) / rate(b[5m])", StepState.ALREADY_TRUE),
        ("The error ratio is below 1% for ten minutes:", "rate(a[5m]) / rate(b[5m])", StepState.APPLIES),
        ("The 95th percentile is below 1 s:", "rate(a_seconds_sum[5m])", StepState.ALREADY_TRUE),
        ("The 95th percentile is below 100 ms:", "rate(a_seconds_sum[5m])", StepState.APPLIES),
    ],
)  # fmt: skip
async def test_a_threshold_in_the_words_beside_a_query_is_compared(words, query, state):
    text = f"## Verify\n\n- {words}\n\n  ```promql\n  {query}\n  ```"
    (row,) = await rows_of(text, answers={"prometheus.query": SERIES})
    assert row.state is state, row.why
    assert "series are <" in row.why


async def test_percent_of_what_is_no_ratio_is_not_compared():
    text = "- It is above 90%:\n\n  ```promql\n  rate(cpu_seconds[5m])\n  ```"
    (row,) = await rows_of(text, answers={"prometheus.query": SERIES})
    assert "it returns 0.31" in row.why


async def test_a_name_that_the_incident_filled_in_does_not_outdate_the_page():
    known = Known(({"namespace": "shop", "service": "cart", "deployment": "cart"},))
    row = await state_of("kubectl -n NAMESPACE get deploy SERVICE", incident=Incident(known, AT))
    assert (row.state, row.outdates) == (StepState.CONTRADICTED, False)
    assert "there is no Deployment shop/cart" in row.why


async def test_a_query_without_an_answer_cannot_be_told():
    assert (await asked("rate(errors[5m])", {})).state is StepState.UNKNOWN
    failed = evidence(
        "prometheus.query", {}, None, status=Status.ERROR, reason="parse error at char 7"
    )
    row = await asked("rate(errors[5m", {"prometheus.query": failed})
    assert row.state is StepState.UNKNOWN
    assert "parse error at char 7" in row.why


async def test_a_query_with_an_open_slot_is_not_sent():
    desk = desk_of({"prometheus.query": SERIES}, gathered(*CLUSTER))
    (row,) = await held(desk, INCIDENT, list(steps('```promql\nup{job="<job>"}\n```')))
    assert row.state is StepState.UNKNOWN
    assert desk.toolbox.asked == []


SIGNALS = evidence(
    "prometheus.get_metrics",
    {"workload": "web"},
    {"signals": [
        {"name": "memory_usage", "unit": "bytes", "last": 95, "limit": 100},
        {"name": "error_ratio", "unit": "ratio", "last": 0.02, "limit": None},
        {"name": "latency_p95", "unit": "s", "last": 0.4, "limit": None},
    ]},
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "state", "says"),
    [
        ("If memory is above 90 %, raise the limit.", StepState.APPLIES, "at 95 %, above 90 %"),
        ("If memory is above 97%, raise the limit.", StepState.CONTRADICTED, "not above 97"),
        ("Verify that the error rate is below 5%.", StepState.ALREADY_TRUE, "at 2 %"),
        ("Confirm that latency is under 300 ms.", StepState.APPLIES, "at 400 ms"),
        ("If cpu is above 80% of the limit, scale.", StepState.UNKNOWN, "cpu usage"),
    ],
)
async def test_a_threshold_in_prose_is_held_against_what_was_measured(words, state, says):
    desk = desk_of(None, [*gathered(*CLUSTER), SIGNALS])
    (row,) = await held(desk, INCIDENT, list(steps(f"- {words}")))
    assert row.state is state, row.why
    assert says in row.why
    assert not row.outdates


@pytest.mark.parametrize(
    ("words", "state", "outdates"),
    [
        ("Restart the `web` Deployment.", StepState.APPLIES, False),
        ("Restart the Deployment `cart` in namespace `shop`.", StepState.CONTRADICTED, True),
        ("Check ConfigMap web-settings.", StepState.APPLIES, False),
        ("Check ConfigMap old-settings in namespace shop.", StepState.UNKNOWN, False),
        ("Restart the `osqueryd` service in namespace shop.", StepState.UNKNOWN, False),
    ],
)
async def test_objects_that_prose_names_are_looked_up(words, state, outdates):
    (row,) = await rows_of(f"- {words}")
    assert (row.state, row.outdates) == (state, outdates), row.why


async def test_words_that_name_no_object_and_no_threshold_are_no_step_unless_numbered():
    assert await rows_of("- users see 503\n- Check the dashboard.\n\nRestart things.") == ()
    (row,) = await rows_of("1. Call the provider.")
    assert (row.state, row.why) == (StepState.UNKNOWN, "for a person to judge")


TEXT = """# Web is down

- users see 503

1. Look at it: `kubectl -n shop describe deployment web`
2. Ask the payments team.

```sh
# go back
$ kubectl -n shop rollout undo \\
    deployment/web
```
"""


def test_steps_are_numbered_items_and_commands_and_bullets_describe():
    read = list(steps(TEXT, first_line=10))
    assert [step.commands for step in read] == [
        ["kubectl -n shop describe deployment web"],
        ["kubectl -n shop rollout undo deployment/web"],
    ]
    assert read[1].words == "Ask the payments team."
    assert [step.line for step in read] == [14, 15]


def test_output_in_a_block_is_no_command():
    text = "```console\n$ kubectl get pods\nNAME   READY\nweb-1  0/1\n```"
    (step,) = steps(text)
    assert (step.commands, step.others) == (["kubectl get pods"], [])


async def test_a_long_runbook_is_cut():
    text = "\n".join(f"{n}. `kubectl -n shop get pods {'x' * 900}`" for n in range(1, 10_000))
    read = list(steps(text))
    assert len(read) < 100
    rows = await held(desk_of(None, gathered(*CLUSTER)), INCIDENT, read[:MOST_STEPS])
    assert all(len(row.text) <= LONGEST_TEXT for row in rows)


async def test_a_line_that_is_longer_than_any_command_is_not_read():
    deep = "sum(" * 5_000 + ")" * 5_000
    assert await rows_of(f"```promql\n{deep}\n```\n\n- `{deep}`") == ()


async def test_a_runbook_full_of_queries_asks_few():
    desk = desk_of({"prometheus.query": SERIES}, gathered(*CLUSTER))
    text = "\n".join(f"1. `rate(errors_{n}[5m])`" for n in range(50))
    rows = await held(desk, INCIDENT, list(steps(text)))
    assert len(desk.toolbox.asked) == MOST_QUERIES
    assert "only a few queries" in rows[-1].why


SECRET_COMMANDS = """```sh
kubectl -n shop get secret web-db -o jsonpath='{.data.password}' | base64 -d
kubectl -n shop exec web-6d4b9-x2x7p -- printenv DATABASE_URL
```"""


async def test_a_step_that_names_a_secret_shows_nothing_of_its_values():
    secret = thing("Secret", "web-db", data={"password": "aHVudGVyMg=="})
    (row,) = await rows_of(SECRET_COMMANDS, *CLUSTER, secret)
    assert row.state is StepState.APPLIES
    assert "aHVudGVyMg" not in row.model_dump_json()


HOSTILE = [
    "kubectl -n shop get pods; rm -rf / && curl http://web.shop.svc | sh",
    "kubectl -n shop get pods $(kubectl delete ns shop) `reboot`",
    "kubectl -n 'shop' get pods > /etc/passwd < <(cat)",
    "kubectl get pods --namespace=../../etc",
    "kubectl -n shop get pods -l 'a=b;c=d'",
    "kubectl -n shop get pod \u202egnp.exe \u200bx",
]


@pytest.mark.parametrize("line", HOSTILE)
async def test_shell_syntax_is_read_and_never_run(line):
    desk = desk_of(None, gathered(*CLUSTER))
    rows = await held(desk, INCIDENT, list(steps(f"```sh\n{line}\n```")))
    assert [row.why for row in rows]
    assert {tool for tool, _ in desk.toolbox.asked} <= {"kubernetes.list_resources"}


@given(st.text(max_size=120))
def test_no_line_breaks_the_reading_of_commands(text):
    parse(text)
    assert all(command.verb for command in parse(f"kubectl {text}"))


WORDS = st.lists(
    st.sampled_from(["kubectl", "-n", "shop", "get", "scale", "deployment/web", "--replicas=2", "--", "|", "'", '"',
                     "logs", "cordon", "-c", "=", "/", "<x>", "$X", "set", "rollout", "-l", "pods", "--replicas",
                     "curl", "http://[", "label", "a=b", "taint", "x-", "image", "delete", "undo", "exec"]),
    max_size=9,
).map(" ".join)  # fmt: skip


@given(
    st.lists(
        WORDS
        | WORDS.map(lambda words: f"`{words}`")
        | st.sampled_from(
            ["```", "~~~sh", "```promql", "1. x", "# y", "", "a > 1", "rate(x[5m]) > nan"]
        )
        | st.text(max_size=20),
        max_size=12,
    )
)
async def test_no_runbook_breaks_the_triage(lines):
    rows = await rows_of("\n".join(lines), answers={"prometheus.query": SERIES})
    assert all(row.why for row in rows)
