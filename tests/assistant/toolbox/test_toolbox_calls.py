"""One door: the same question is one call and one piece of evidence, whatever becomes of it."""

import json

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.incident import Status, evidence_id
from assistant.toolbox import Call

pytestmark = pytest.mark.anyio


async def test_a_call_becomes_evidence_with_its_tool_arguments_time_and_source(bench, mode):
    bench.set(**{"servers.kubernetes.mode": mode})
    async with bench.open() as toolbox:
        evidence = await toolbox.call(
            "kubernetes.list_pods", {"namespace": "shop"}, reason="the alert names it"
        )
    assert evidence.status is Status.OK
    assert evidence.data == {"pods": ["shop/one"]}
    assert evidence.total == 1
    assert evidence.source == "fixture"
    assert evidence.id == evidence_id("kubernetes.list_pods", {"namespace": "shop"})
    assert evidence.taken_at.isoformat() == "2026-11-03T02:10:00+00:00"
    assert evidence.asked_because == "the alert names it"
    assert toolbox.calls == 1


async def test_the_server_is_told_the_incident_the_caller_and_the_reason(bench, mode):
    bench.set(**{"servers.kubernetes.mode": mode})
    async with bench.open(incident="PT4KHLK", caller="ann") as toolbox:
        await toolbox.call("kubernetes.list_pods", reason="to see")
    meta = bench.seen.calls[0][2]
    assert meta["io.github.incident-assistant/incident"] == "PT4KHLK"
    assert meta["io.github.incident-assistant/caller"] == "ann"
    assert meta["io.github.incident-assistant/reason"] == "to see"


async def test_spelling_out_a_default_or_a_none_is_the_same_question(bench):
    async with bench.open() as toolbox:
        first = await toolbox.call("kubernetes.list_pods", {"namespace": "a"})
        second = await toolbox.call(
            "kubernetes.list_pods", {"limit": 50, "failing": None, "namespace": "a"}
        )
        other = await toolbox.call("kubernetes.list_pods", {"namespace": "a", "limit": 51})
    assert first is second
    assert other.id != first.id
    assert len(bench.seen.calls) == 2


async def test_zero_is_not_taken_for_a_default_of_false(bench):
    async with bench.open() as toolbox:
        plain = await toolbox.call("kubernetes.list_pods")
        zero = await toolbox.call("kubernetes.list_pods", {"failing": 0})
    assert plain.id != zero.id


async def test_the_same_question_at_the_same_time_is_one_call(bench):
    bench.seen.gate = anyio.Event()
    async with bench.open() as toolbox, anyio.create_task_group() as tasks:
        answers = []

        async def ask():
            answers.append(await toolbox.call("kubernetes.list_pods", {"namespace": "a"}))

        for _ in range(5):
            tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        bench.seen.gate.set()
    assert len(bench.seen.calls) == 1
    assert len({id(answer) for answer in answers}) == 1
    assert len(answers) == 5


async def test_when_the_asker_is_cancelled_whoever_waits_asks_itself(bench):
    bench.seen.gate = anyio.Event()
    cancelled = anyio.CancelScope()
    answers = []
    async with bench.open() as toolbox, anyio.create_task_group() as tasks:

        async def impatient():
            with cancelled:
                await toolbox.call("kubernetes.list_pods")

        async def patient():
            answers.append(await toolbox.call("kubernetes.list_pods"))

        tasks.start_soon(impatient)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(patient)
        await anyio.wait_all_tasks_blocked()
        cancelled.cancel()
        await anyio.wait_all_tasks_blocked()
        bench.seen.gate.set()
    assert answers[0].status is Status.OK
    assert len(bench.seen.calls) == 2


async def test_collect_answers_in_the_order_of_its_calls(bench):
    names = [f"n{number}" for number in range(12)]
    async with bench.open() as toolbox:
        answers = await toolbox.collect(
            Call("kubernetes.list_pods", {"namespace": name}) for name in names
        )
    assert [answer.data["pods"] for answer in answers] == [[f"{name}/one"] for name in names]
    assert bench.seen.most <= 8


async def test_one_bad_call_does_not_spoil_the_others_of_a_collection(bench):
    async with bench.open() as toolbox:
        good, bad = await toolbox.collect(
            [Call("kubernetes.list_pods"), Call("kubernetes.fail", {"code": -32603})]
        )
    assert good.status is Status.OK
    assert bad.status is Status.ERROR


@pytest.mark.parametrize(
    ("tool", "arguments", "status", "words"),
    [
        ("kubernetes.fail", {}, Status.ERROR, "the API server said 403"),
        ("kubernetes.fail", {"code": -32010}, Status.LIMITED, "no more than that"),
        ("kubernetes.fail", {"code": -32011}, Status.DENIED, "no more than that"),
        ("kubernetes.fail", {"code": -32603}, Status.ERROR, "-32603"),
        ("kubernetes.nonsense", {}, Status.ERROR, "not a tool answer"),
        ("kubernetes.empty_ok", {}, Status.ERROR, "ok, without data"),
        ("kubernetes.prose", {}, Status.ERROR, "not a tool answer"),
        ("kubernetes.list_pods", {"limit": "many"}, Status.ERROR, "limit"),
        ("kubernetes.list_pod", {}, Status.ERROR, "no tool 'list_pod'"),
        ("kubernets.list_pods", {}, Status.ERROR, "no server 'kubernets'"),
        ("list_pods", {}, Status.ERROR, "no server 'list_pods'"),
        ("kubernetes.scale", {"replicas": 0}, Status.DENIED, "read-only"),
    ],
)
async def test_whatever_goes_wrong_is_evidence_that_says_so(
    bench, mode, tool, arguments, status, words
):
    bench.set(**{"servers.kubernetes.mode": mode})
    async with bench.open() as toolbox:
        evidence = await toolbox.call(tool, arguments)
    assert evidence.status is status, evidence
    assert words in evidence.reason
    assert not evidence.status.seen


async def test_a_limit_says_when_to_try_again(bench):
    async with bench.open() as toolbox:
        evidence = await toolbox.call("kubernetes.fail", {"code": -32010})
    assert evidence.suggestions == ("try again in 7 seconds",)


async def test_a_wrong_name_is_answered_with_the_nearest(bench):
    async with bench.open() as toolbox:
        evidence = await toolbox.call("kubernetes.list_pod")
    assert "list_pods" in evidence.suggestions[0]


async def test_a_writing_tool_never_reaches_the_server_from_a_triage(bench):
    async with bench.open() as toolbox:
        await toolbox.call("kubernetes.scale", {"replicas": 0})
    assert bench.seen.calls == []
    assert toolbox.calls == 0


async def test_a_toolbox_that_may_write_does(bench):
    async with bench.open(read_only=False) as toolbox:
        evidence = await toolbox.call("kubernetes.scale", {"replicas": 2})
    assert evidence.data == {"scaled": 2}


async def test_an_error_of_the_caller_comes_out_as_it_is(bench):
    async def wrong():
        async with bench.open() as toolbox:
            await toolbox.call("kubernetes.list_pods")
            raise KeyError("mine")

    with pytest.raises(KeyError):
        await wrong()


async def test_each_call_is_told_when_it_starts_and_when_it_ends(bench):
    events = []
    async with bench.open(on_call=events.append) as toolbox:
        await toolbox.call("kubernetes.list_pods")
        await toolbox.call("kubernetes.list_pods")
    assert [event.evidence is None for event in events] == [True, False]
    assert events[0].call.tool == "kubernetes.list_pods"


async def test_evidence_is_kept_as_soon_as_it_is_there_and_not_asked_again_on_resume(bench):
    kept = []

    async def keep(evidence):
        kept.append(evidence)

    async with bench.open(keep=keep) as toolbox:
        await toolbox.collect(
            [Call("kubernetes.list_pods"), Call("kubernetes.fail"), Call("prometheus.list_pods")]
        )
    asked = len(bench.seen.calls)
    assert len(kept) == 3
    async with bench.open(keep=keep, known=kept) as toolbox:
        again = await toolbox.collect(
            [Call("kubernetes.list_pods", {"limit": 50}), Call("kubernetes.fail")]
        )
    assert len(bench.seen.calls) == asked
    assert toolbox.calls == 0
    assert [one.status for one in again] == [Status.OK, Status.ERROR]
    assert len(kept) == 3


async def test_a_replay_answers_from_what_is_known_and_asks_nobody(bench):
    async with bench.open() as toolbox:
        known = [await toolbox.call("kubernetes.list_pods", {"namespace": "a"})]
    asked = len(bench.seen.calls)
    async with bench.open(known=known, offline=True) as toolbox:
        same = await toolbox.call("kubernetes.list_pods", {"namespace": "a", "limit": 50})
        missing = await toolbox.call("kubernetes.list_pods", {"namespace": "b"})
        gone = await toolbox.call("other.thing")
    assert same == known[0]
    assert missing.status is gone.status is Status.LIMITED
    assert "this is a replay" in missing.reason
    assert len(bench.seen.calls) == asked


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), JSON, max_size=6), st.randoms())
def test_the_order_of_arguments_does_not_change_the_evidence_id(arguments, random):
    pairs = list(arguments.items())
    random.shuffle(pairs)
    assert evidence_id("a.b", arguments) == evidence_id("a.b", dict(pairs))


@given(JSON, JSON)
def test_two_questions_share_an_id_only_if_they_are_the_same_json(one, other):
    same = evidence_id("a.b", {"x": one}) == evidence_id("a.b", {"x": other})
    assert same == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))
