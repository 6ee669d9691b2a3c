from __future__ import annotations

from itertools import chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes_objects import ago, pod, status_of
from mcp import Client

from eval.lab.world import LogName
from mcp_servers.answer import Status
from mcp_servers.kubernetes.log_lines import (
    EXCERPT_BYTES,
    LINE_CHARACTERS,
    excerpt,
    lines_of,
    looks_like_error,
    timed,
)
from mcp_servers.kubernetes.logs import chosen
from mcp_servers.serve import open_server

pytestmark = pytest.mark.anyio
WEB = {"namespace": "payments", "pod": "web"}


def log(*lines: str, container: str = "main", previous: bool = False):
    text = "".join(f"{ago(100 - n)} {line}\n" for n, line in enumerate(lines))
    return {LogName("payments", "web", container, previous): text.encode()}


def failed(code: int):
    return {"terminated": {"exitCode": code, "reason": "Error", "finishedAt": ago(60)}}


CRASHING = status_of(
    "app", ready=False, restarts=4, state={"waiting": {"reason": "CrashLoopBackOff"}},
    lastState=failed(1),
)  # fmt: skip


async def test_errors_stand_apart_and_the_tail_is_oldest_first(cluster):
    lines = [f"ok {n}" for n in range(50)]
    lines[10] = "ERROR connect to db-1 refused"
    lines[11] = "ERROR connect to db-2 refused"
    async with cluster(pod("web"), logs=log(*lines)) as tools:
        answer = await tools("get_pod_logs", **WEB, tail_lines=5)
    assert [line.text for line in answer.data.errors] == ["ERROR connect to db-1 refused"]
    assert [line.text for line in answer.data.lines] == [f"ok {n}" for n in range(45, 50)]
    assert answer.data.errors[0].time == ago(90)
    assert (answer.total, answer.truncated) == (50, True)


async def test_grep_takes_either_text_in_any_case(cluster):
    lines = log("Connection REFUSED", "all fine", "access denied")
    async with cluster(pod("web"), logs=lines) as tools:
        answer = await tools("get_pod_logs", **WEB, grep="refused|DENIED")
        none = await tools("get_pod_logs", **WEB, grep="(.*)+$")
    assert [line.text for line in answer.data.lines] == ["Connection REFUSED", "access denied"]
    assert none.status is Status.EMPTY
    assert "3 lines read" in none.reason


async def test_since_leaves_older_lines_out_and_must_be_a_time(cluster):
    async with cluster(pod("web"), logs=log("old", "new")) as tools:
        answer = await tools("get_pod_logs", **WEB, since=ago(99))
        assert [line.text for line in answer.data.lines] == ["new"]
        with pytest.raises(Exception, match="since 'yesterday' is not a point in time"):
            await tools("get_pod_logs", **WEB, since="yesterday")


async def test_a_container_that_has_not_started_is_empty_with_the_kubelets_reason(cluster):
    waiting = status_of(ready=False, state={"waiting": {"reason": "ImagePullBackOff"}})
    async with cluster(pod("web", waiting, phase="Pending")) as tools:
        answer = await tools("get_pod_logs", **WEB)
    assert answer.status is Status.EMPTY
    assert answer.reason.endswith("is waiting to start: trying and failing to pull image")


async def test_a_log_that_the_kubelet_cannot_read_is_an_error_not_an_empty_log(cluster):
    async with cluster(pod("web")) as tools:
        with pytest.raises(Exception, match="unable to retrieve container logs") as failure:
            await tools("get_pod_logs", **WEB)
    assert failure.value.status is Status.ERROR


async def test_an_empty_log_of_a_restarted_container_points_at_the_previous_run(cluster):
    logs = log("panic: boom", container="app", previous=True)
    logs |= {LogName("payments", "web", "app"): b""}
    async with cluster(pod("web", CRASHING), logs=logs) as tools:
        now = await tools("get_pod_logs", **WEB)
        before = await tools("get_pod_logs", **WEB, previous=True)
    assert now.status is Status.EMPTY
    assert "previous=true" in now.suggestions[0]
    assert before.data.errors[0].text == "panic: boom"


async def test_a_previous_run_that_never_was_is_empty(cluster):
    async with cluster(pod("web"), logs=log("x")) as tools:
        answer = await tools("get_pod_logs", **WEB, previous=True)
    assert answer.status is Status.EMPTY
    assert "not found" in answer.reason


async def test_an_unknown_container_is_empty_and_names_those_there_are(cluster):
    async with cluster(pod("web", status_of("app"), status_of("proxy"))) as tools:
        answer = await tools("get_pod_logs", **WEB, container="sidecar")
    assert answer.status is Status.EMPTY
    assert answer.suggestions == ["its containers: app, proxy"]


def test_the_container_in_trouble_is_chosen_unless_one_is_annotated_as_default():
    proxy = status_of("proxy")
    assert chosen(pod("web", proxy, CRASHING), "", previous=False) == "app"
    assert chosen(pod("web", proxy, status_of("app")), "", previous=False) == "proxy"
    annotated = {"annotations": {"kubectl.kubernetes.io/default-container": "proxy"}}
    assert chosen(pod("web", CRASHING, proxy, metadata=annotated), "", previous=False) == "proxy"


def test_a_failing_init_container_is_chosen_before_those_that_wait_for_it():
    item = pod(
        "web", status_of("app", ready=False, state={"waiting": {"reason": "PodInitializing"}})
    )
    item["spec"]["initContainers"] = [{"name": "migrate"}]
    item["status"]["initContainerStatuses"] = [CRASHING | {"name": "migrate"}]
    assert chosen(item, "", previous=False) == "migrate"


async def test_bytes_that_are_no_text_and_very_long_lines_do_no_harm(cluster):
    text = b"caf\xe9 \xff\xfe\x00 started\n" + b"x" * 5_000_000 + b"\nlast line\n"
    async with cluster(pod("web"), logs={LogName("payments", "web", "main"): text}) as tools:
        answer = await tools("get_pod_logs", **WEB)
    first, long, last = answer.data.lines
    assert "started" in first.text
    assert len(long.text) < LINE_CHARACTERS + 100
    assert long.text.endswith("line of 5000000 bytes was cut]")
    assert last.text == "last line"


def test_a_line_of_half_a_gigabyte_is_read_in_little_memory():
    chunks = chain(repeat(b"y" * 65_536, 8_000), [b"\nend"])
    long, end = lines_of(chunks)
    assert len(long) < LINE_CHARACTERS + 100
    assert end == "end"


@given(st.binary(max_size=300), st.integers(1, 50))
def test_lines_are_the_same_however_the_bytes_arrive(text, size):
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert list(lines_of(pieces)) == list(lines_of([text]))


@given(st.lists(st.text(max_size=40), max_size=60), st.integers(1, 20))
def test_an_excerpt_is_never_larger_than_asked(lines, tail):
    found = excerpt([("\n".join(lines)).encode()], tail, "")
    assert len(found.tail) <= tail
    assert len(found.errors) <= 20
    assert found.matched == found.read >= len(found.tail)


@given(st.lists(st.text(max_size=2_500), min_size=1, max_size=60), st.integers(0, 20_000))
def test_an_excerpt_that_is_cut_to_its_bytes_keeps_the_newest_lines(lines, more):
    lines = [*lines, *(f"ERROR {letters(n)} {'é' * 900}" for n in range(more % 200))]
    found = excerpt([("\n".join(lines)).encode()], 2_000, "")
    whole = [timed(line) for line in lines_of([("\n".join(lines)).encode()])]
    assert found.tail == whole[len(whole) - len(found.tail) :]
    shown = [*found.errors, *found.tail]
    assert sum(len(line.model_dump_json().encode()) for line in shown) <= EXCERPT_BYTES + 20_000


async def test_a_tail_too_large_for_one_answer_keeps_its_newest_lines_past_the_guard(
    cluster, tmp_path
):
    lines = [f"{n} {'x' * 1_900}" for n in range(400)]
    async with cluster(pod("web"), logs=log(*lines)) as tools:
        environment = {**tools.lab.environment, "MCP_AUDIT_FILE": str(tmp_path / "audit.jsonl")}
        async with (
            open_server("kubernetes", environment, tools.lab.clock) as server,
            Client(server) as client,
        ):
            result = await client.call_tool("get_pod_logs", {**WEB, "tail_lines": 2_000})
    answer = result.structured_content
    shown = answer["data"]["lines"]
    assert shown[-1]["text"].startswith("399 ")
    assert [int(line["text"].split()[0]) for line in shown] == list(range(400 - len(shown), 400))
    assert len(shown) > 90
    assert answer["truncated"]
    assert answer["reason"] == f"the newest {len(shown)} of 400 lines are shown"


def letters(number: int) -> str:
    """A number in letters, so that lines with different ones are not one pattern."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


@pytest.mark.parametrize(
    "line",
    ["E1105 10:00:00 reflector.go", '{"level":"error","msg":"x"}', "java.lang.NullPointerException",
     "dial tcp 10.0.0.1:5432: connect: connection refused", "level=info status=503 path=/pay",
     "java.net.SocketTimeoutException: timed out", "Killed", "OOM", "FATAL: password authentication"],
)  # fmt: skip
def test_trouble_is_recognised(line):
    assert looks_like_error(line)


@pytest.mark.parametrize(
    "line",
    ["started", "0 errors", "finished with no errors", "error=nil took=3ms", '"err": null',
     "failed=0 ok=3", "DEBUG retry after failure", '{"level":"debug","msg":"failed once"}'],
)  # fmt: skip
def test_talk_of_no_trouble_is_not(line):
    assert not looks_like_error(line)
