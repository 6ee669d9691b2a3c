"""Over each transport the same; a server that is down is evidence, and the others go on."""

import sys
from pathlib import Path

import anyio
import pytest
from toolbox_http import over_http
from toolbox_servers import build

from assistant.incident import Status
from assistant.toolbox import Call, inspect

pytestmark = pytest.mark.anyio
SCRIPT = str(Path(__file__).with_name("toolbox_servers.py"))


CRASHES = "import os, sys; sys.exit('kubeconfig: no such file, token=' + os.environ['MY_TOKEN'])"


def child(**more):
    own = {"command": sys.executable, "args": (SCRIPT, "kubernetes"), "factory": "unused:unused"}
    return {f"servers.kubernetes.{key}": value for key, value in {**own, **more}.items()}


async def test_a_child_process_answers_like_a_server_in_this_process(bench, mode):
    bench.set(**child(mode=mode))
    async with bench.open() as toolbox:
        answers = await toolbox.collect(
            Call("kubernetes.list_pods", {"namespace": str(number)}) for number in range(4)
        )
    assert [answer.status for answer in answers] == [Status.OK] * 4


async def test_children_come_up_before_they_are_asked_and_the_others_when_they_are(bench):
    bench.set(**child())
    async with bench.open() as toolbox:
        toolbox.begin([*toolbox.servers, "unknown"])
        attempts = {name: one._attempt for name, one in toolbox._connections.items()}
        started = attempts.pop("kubernetes")
        with anyio.fail_after(30):
            await started.settled.wait()
        assert started.opened
        assert set(attempts.values()) <= {None}


async def test_a_child_gets_the_variables_it_needs_and_no_others(bench):
    bench.set(**child(env={"EXTRA": "1"}, environment=("AWS_PROFILE",)))
    given = {
        "KUBECONFIG": "/k",
        "PAGERDUTY_TOKEN": "not-yours",
        "AWS_PROFILE": "dev",
        "AWS_SECRET_ACCESS_KEY": "no",
    }
    async with bench.open(given) as toolbox:
        names = set((await toolbox.call("kubernetes.environment")).data)
    assert {"KUBECONFIG", "AWS_PROFILE", "EXTRA", "MCP_AUDIT_FILE"} <= names
    assert not {"PAGERDUTY_TOKEN", "AWS_SECRET_ACCESS_KEY"} & names


async def test_a_server_in_this_process_gets_its_own_variables_alone(bench):
    given = {"KUBECONFIG": "/k", "PAGERDUTY_TOKEN": "secret-token"}
    async with bench.open(given) as toolbox:
        await toolbox.call("kubernetes.list_pods")
    ((_, environment),) = bench.opened
    assert environment == {
        "KUBECONFIG": "/k",
        "MCP_AUDIT_FILE": str(bench.settings.audit_file),
    }


async def test_a_child_that_crashes_during_a_call_is_started_again_twice_and_then_given_up(bench):
    bench.set(**child())
    async with bench.open() as toolbox:
        crashed = await toolbox.call("kubernetes.die")
        after = await toolbox.call("kubernetes.list_pods")
    assert crashed.status is Status.ERROR
    assert "connection closed during die" in crashed.reason
    assert after.status is Status.OK


async def test_a_child_that_cannot_start_is_an_error_with_its_last_words(bench):
    bench.set(**child(args=("-c", CRASHES), env={"MY_TOKEN": "short"}))
    async with bench.open() as toolbox:
        down, other = await toolbox.collect(
            [Call("kubernetes.list_pods"), Call("prometheus.list_pods")]
        )
    assert down.status is Status.ERROR
    assert "kubeconfig: no such file" in down.reason
    assert other.status is Status.OK


async def test_a_command_that_does_not_exist_is_named(bench):
    bench.set(**child(command="/nowhere/kubernetes-mcp"))
    async with bench.open() as toolbox:
        evidence = await toolbox.call("kubernetes.list_pods")
    assert evidence.status is Status.ERROR
    assert "/nowhere/kubernetes-mcp" in evidence.reason


async def test_a_child_that_never_says_a_word_is_given_up_in_time(bench):
    silent = {"args": ("-c", "import sys; sys.stdin.read()"), "connect_seconds": 0.2}
    bench.set(**child(**silent))
    with anyio.fail_after(20):
        async with bench.open() as toolbox:
            evidence = await toolbox.call("kubernetes.list_pods")
    assert evidence.status is Status.ERROR
    assert "no answer while connecting" in evidence.reason


async def test_an_http_server_answers_with_the_token_from_the_file(bench, tmp_path, mode):
    (tmp_path / "token").write_text("open-sesame\n")
    async with over_http(build(), "open-sesame") as (_, url):
        remote = {"url": url, "token_file": tmp_path / "token", "mode": mode}
        bench.set(**{f"servers.kubernetes.{key}": value for key, value in remote.items()})
        async with bench.open() as toolbox:
            evidence = await toolbox.call("kubernetes.list_pods", {"namespace": "a"})
    assert evidence.status is Status.OK, evidence


async def test_a_wrong_token_is_told_as_http_401_and_not_tried_again(bench, tmp_path):
    (tmp_path / "token").write_text("wrong-token")
    async with over_http(build(), "open-sesame") as (_, url):
        bench.set(
            **{"servers.kubernetes.url": url, "servers.kubernetes.token_file": tmp_path / "token"}
        )
        async with bench.open() as toolbox:
            evidence = await toolbox.call("kubernetes.list_pods")
    assert evidence.status is Status.ERROR
    assert "HTTP 401" in evidence.reason
    assert "wrong-token" not in evidence.model_dump_json()


async def test_an_address_where_nobody_listens_is_an_error_that_names_it(bench):
    bench.set(**{"servers.kubernetes.url": "http://127.0.0.1:9/mcp"})
    async with bench.open() as toolbox:
        evidence = await toolbox.call("kubernetes.list_pods")
    assert evidence.status is Status.ERROR
    assert "http://127.0.0.1:9/mcp" in evidence.reason


async def test_an_http_server_that_goes_away_between_two_calls_is_an_error(bench, mode):
    async with over_http(build()) as (server, url):
        bench.set(**{"servers.kubernetes.url": url, "servers.kubernetes.mode": mode})
        async with bench.open() as toolbox:
            first = await toolbox.call("kubernetes.list_pods", {"namespace": "a"})
            await server.stop()
            second = await toolbox.call("kubernetes.list_pods", {"namespace": "b"})
    assert first.status is Status.OK
    assert second.status is Status.ERROR
    assert url in second.reason


async def test_a_server_that_was_found_down_is_not_tried_for_every_further_question(bench):
    tries = []

    def broken(name):
        tries.append(name)
        raise ConnectionRefusedError("nobody is home")

    bench.build = broken
    async with bench.open() as toolbox:
        answers = await toolbox.collect(
            Call("kubernetes.list_pods", {"namespace": str(number)}) for number in range(6)
        )
        later = await toolbox.call("kubernetes.list_pods", {"namespace": "later"})
    assert {answer.status for answer in [*answers, later]} == {Status.ERROR}
    assert "nobody is home" in later.reason
    assert len(tries) == 3


async def test_a_server_that_comes_up_at_the_third_try_is_used(bench):
    tries = []

    def slow(name):
        tries.append(name)
        if len(tries) < 3:
            raise ConnectionRefusedError("not yet")
        return build(name, bench.seen)

    bench.build = slow
    async with bench.open() as toolbox:
        assert (await toolbox.call("kubernetes.list_pods")).status is Status.OK


async def test_a_disabled_server_is_never_opened(bench):
    bench.set(**{"servers.kubernetes.enabled": False})
    async with bench.open() as toolbox:
        evidence = await toolbox.call("kubernetes.list_pods")
    assert evidence.status is Status.ERROR
    assert bench.opened == []


async def test_all_servers_can_be_looked_at_with_those_that_are_down(bench):
    bench.set(**{"servers.kubernetes.url": "http://127.0.0.1:9/mcp"})
    async with bench.open() as toolbox:
        reports = await inspect(toolbox)
    assert [report.name for report in reports] == [
        "kubernetes",
        "pagerduty",
        "prometheus",
        "runbooks",
    ]
    assert reports[0].surface is None
    assert "127.0.0.1:9" in reports[0].failure
    assert "list_pods" in reports[1].surface.tools


@pytest.mark.parametrize("hidden", ["argument", "environment", "token file"])
async def test_a_secret_that_a_server_gives_back_never_becomes_evidence(bench, tmp_path, hidden):
    secret = 's3cr"et-välue\\1'
    (tmp_path / "pd").write_text(secret)
    given = {
        "argument": {"KUBECONFIG": "/k"},
        "environment": {"PAGERDUTY_TOKEN": secret},
        "token file": {"PAGERDUTY_TOKEN_FILE": str(tmp_path / "pd")},
    }[hidden]
    if hidden == "argument":
        bench.set(**child(env={"ANY_NAME": secret}))
    kept = []

    async def keep(evidence):
        kept.append(evidence)

    async with bench.open(given, keep=keep) as toolbox:
        evidence = await toolbox.call("kubernetes.leak", {"text": f"x{secret}y"})
    said = evidence.model_copy(update={"arguments": {}})
    assert secret not in str(said.model_dump())
    assert evidence.data["line"] == "Authorization: Bearer x[redacted]y"
    assert kept == [evidence]


async def test_a_secret_in_the_last_words_of_a_child_never_becomes_evidence(bench):
    bench.set(**child(args=("-c", CRASHES), env={"MY_TOKEN": "hunter2-hunter2"}))
    async with bench.open() as toolbox:
        evidence = await toolbox.call("kubernetes.list_pods")
    assert "token=[redacted]" in evidence.reason
