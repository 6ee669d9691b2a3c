"""Every layer of the guard, through a real client in memory, in both protocol eras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client, MCPError
from mcp.types import EmptyResult, PromptReference, Request

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.guard import audit
from mcp_servers.guard.policy import Policy, PolicyError, load
from tests.mcp_servers.guard.guard_demo import (
    MODES,
    OWN_SECRET,
    Backend,
    Time,
    guarded,
    unreachable,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


async def call(server: Any, mode: str, name: str, arguments: dict[str, Any], **meta: str) -> Any:
    async with Client(server, mode=mode) as client:
        return await client.call_tool(name, arguments, meta=meta or None)


async def test_a_read_is_allowed_answered_and_audited(mode: str, file: Path) -> None:
    backend = Backend()
    result = await call(guarded(backend, file), mode, "list_things", {"namespace": "payments"})
    assert result.structured_content["status"] == "ok"
    assert result.structured_content["data"] == {"things": ["one", "two"]}
    assert not result.is_error
    [line] = audit.read(file)
    assert line["decision"] == "allow"
    assert line["rule"] == "reads"
    assert line["approval"] is None
    assert line["bytes"] > 0
    assert line["version"] == "1.2.3"
    assert audit.verify(file) == []


async def test_who_asks_for_what_and_why_is_in_the_audit(mode: str, file: Path) -> None:
    prefix = "io.github.incident-assistant"
    meta = {f"{prefix}/incident": "INC-7", f"{prefix}/caller": "triage", f"{prefix}/reason": "why"}
    result = await call(guarded(Backend(), file), mode, "list_things", {}, **meta)
    [line] = audit.read(file, incident="INC-7")
    assert (line["caller"], line["reason"]) == ("triage", "why")
    assert line["subject"].startswith("local:")
    assert result.content[0].text == "ok, 2 in all."


async def test_a_host_that_shows_only_text_gets_the_data_as_text(mode: str, file: Path) -> None:
    result = await call(guarded(Backend(), file), mode, "list_things", {})
    first, data = result.content[0].text.split("\n", 1)
    assert first == "ok, 2 in all."
    assert json.loads(data) == result.structured_content


async def test_a_write_without_a_person_is_denied_and_audited(mode: str, file: Path) -> None:
    backend = Backend()
    arguments = {"namespace": "payments", "name": "checkout"}
    result = await call(guarded(backend, file), mode, "restart_thing", arguments)
    assert result.is_error
    assert result.structured_content["status"] == "denied"
    assert backend.calls == 0
    assert [line["decision"] for line in audit.read(file)] == ["deny"]


async def test_a_policy_that_allows_writes_still_meets_the_missing_approval(file: Path) -> None:
    backend = Backend()
    allow = Policy.model_validate({"version": 1, "rules": [{"name": "all", "decide": "allow"}]})
    server = guarded(backend, file, allow)
    result = await call(server, "auto", "restart_thing", {"namespace": "a", "name": "b"})
    assert result.structured_content["status"] == "denied"
    assert "approval" in result.structured_content["reason"]
    assert backend.calls == 0
    assert audit.read(file)[0]["rule"] == "approval"


async def test_a_denying_policy_reaches_no_backend_and_leaves_one_line_a_call(file: Path) -> None:
    backend = Backend()
    deny = Policy.model_validate({"version": 1, "rules": [{"name": "none", "decide": "deny"}]})
    server = guarded(backend, file, deny)
    async with Client(server) as client:
        for tool in (await client.list_tools()).tools:
            arguments = dict.fromkeys(tool.input_schema.get("required", []), "x")
            result = await client.call_tool(tool.name, arguments)
            assert result.structured_content["status"] == "denied"
        with pytest.raises(MCPError, match="denied"):
            await client.read_resource("demo://payments/checkout")
    assert backend.calls == 0
    assert len(audit.read(file)) == 3


def rules(*given: dict[str, Any]) -> Policy:
    return Policy.model_validate({"version": 1, "rules": list(given)})


@pytest.mark.parametrize(
    ("namespace", "status"),
    [("payments", "ok"), ("kube-system", "denied"), ("", "denied")],
)
async def test_a_forbidden_namespace_is_forbidden_to_a_call_over_all_of_them(
    namespace: str, status: str, file: Path
) -> None:
    policy = rules(
        {"name": "system", "namespaces": ["kube-*"], "decide": "deny"},
        {"name": "rest", "decide": "allow"},
    )
    result = await call(
        guarded(Backend(), file, policy), "auto", "list_things", {"namespace": namespace}
    )
    assert result.structured_content["status"] == status


@pytest.mark.parametrize(
    ("namespace", "status"), [("payments", "ok"), ("web", "denied"), ("", "denied")]
)
async def test_an_allowed_namespace_does_not_allow_all_of_them(
    namespace: str, status: str, file: Path
) -> None:
    policy = rules({"name": "mine", "namespaces": ["pay*"], "decide": "allow"})
    result = await call(
        guarded(Backend(), file, policy), "auto", "list_things", {"namespace": namespace}
    )
    assert result.structured_content["status"] == status


async def test_the_listing_and_completions_obey_the_policy_and_leave_no_line(
    mode: str, file: Path
) -> None:
    policy = rules(
        {"name": "system", "namespaces": ["kube-*"], "decide": "deny"},
        {"name": "rest", "decide": "allow"},
    )
    async with Client(guarded(Backend(), file, policy), mode=mode) as client:
        assert (await client.list_resources()).resources == []
        reference = PromptReference(name="explain")
        completed = await client.complete(reference, {"name": "namespace", "value": "p"})
        assert completed.completion.values == []
        await client.call_tool("list_things", {"namespace": "payments"})
    assert [line["tool"] for line in audit.read(file)] == ["list_things"]


async def test_a_changed_policy_or_bound_changes_the_digest_in_every_line(tmp_path: Path) -> None:
    digests = set()
    allow = rules({"name": "all", "decide": "allow"})
    for n, settings in enumerate(({}, {"policy": allow}, {"calls_per_minute": 7}, {})):
        file = tmp_path / f"{n}.jsonl"
        await call(guarded(Backend(), file, **settings), "auto", "list_things", {})
        digests.add(audit.read(file)[0]["config"])
    assert len(digests) == 3


async def test_the_first_rule_that_matches_decides_and_none_means_no(file: Path) -> None:
    policy = rules({"name": "other", "tools": ["other.*"], "decide": "allow"})
    result = await call(guarded(Backend(), file, policy), "auto", "list_things", {})
    assert result.structured_content["status"] == "denied"
    assert audit.read(file)[0]["rule"] == "no rule matched"


async def test_rules_match_the_verified_subject_not_what_a_caller_says(file: Path) -> None:
    policy = rules({"name": "boss", "callers": ["boss"], "decide": "allow"})
    server = guarded(Backend(), file, policy)
    meta = {"io.github.incident-assistant/caller": "boss"}
    result = await call(server, "auto", "list_things", {}, **meta)
    assert result.structured_content["status"] == "denied"


def test_a_policy_file_with_a_typo_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nrules:\n  - {name: a, decide: allow, tool: ['*']}\n")
    with pytest.raises(PolicyError, match=r"rules\.0\.tool"):
        load(path)
    with pytest.raises(PolicyError, match="Cannot read"):
        load(tmp_path / "missing.yaml")


async def test_an_unknown_argument_is_refused_with_the_nearest_name(mode: str, file: Path) -> None:
    backend = Backend()
    result = await call(guarded(backend, file), mode, "list_things", {"namspace": "payments"})
    assert result.structured_content["status"] == "error"
    assert "unknown argument 'namspace'" in result.structured_content["reason"]
    assert result.structured_content["suggestions"] == ["Did you mean 'namespace'?"]
    assert backend.calls == 0
    assert audit.read(file)[0]["decision"] == "refuse"


async def test_a_wrong_value_is_refused_without_repeating_it(mode: str, file: Path) -> None:
    result = await call(
        guarded(Backend(), file), mode, "list_things", {"limit": "hunter2-is-my-password"}
    )
    assert "argument 'limit'" in result.structured_content["reason"]
    assert "hunter2" not in json.dumps(result.model_dump(mode="json"))


@pytest.mark.parametrize("name", ["--server=evil", "../etc", "a\nb", "a\x00b", "x/../../y", "-h"])
async def test_a_name_cannot_become_a_flag_or_a_path(name: str, file: Path) -> None:
    backend = Backend()
    result = await call(guarded(backend, file), "auto", "list_things", {"namespace": name})
    assert result.structured_content["status"] == "error"
    assert backend.calls == 0


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_whatever_is_sent_as_a_name_never_raises_and_dangerous_ones_never_arrive(
    name: str,
) -> None:
    backend = Backend()
    server = guarded(backend, None)
    answered = anyio.run(call, server, "auto", "list_things", {"namespace": name})
    dangerous = name.startswith("-") or any(ord(letter) < 32 for letter in name)
    assert not (dangerous and backend.calls)
    assert answered.structured_content["status"] in ("ok", "error")


@pytest.mark.parametrize("query", ["-sum(rate(x[5m]))", "../..", "a\n+ b"])
async def test_a_query_is_not_a_name(query: str, file: Path) -> None:
    result = await call(guarded(Backend(), file), "auto", "list_things", {"query": query})
    assert result.structured_content["status"] == "ok"


async def test_an_unknown_tool_is_an_answer_and_a_line(mode: str, file: Path) -> None:
    result = await call(guarded(Backend(), file), mode, "list_thing", {"password": "hunter2"})
    assert result.is_error
    assert "Did you mean list_things?" in result.structured_content["reason"]
    [line] = audit.read(file)
    assert line["tool"] == "list_thing"
    assert "hunter2" not in json.dumps(line)


async def test_a_malformed_call_leaves_a_line_too(mode: str, file: Path) -> None:
    params = {"name": "list_things", "arguments": "password=hunter2"}
    malformed = Request[dict[str, Any], str](method="tools/call", params=params)
    async with Client(guarded(Backend(), file), mode=mode) as client:
        with pytest.raises(MCPError):
            await client.session.send_request(malformed, EmptyResult)
    [line] = audit.read(file)
    assert (line["decision"], line["rule"]) == ("refuse", "request")
    assert "hunter2" not in json.dumps(line)


async def test_the_rate_limit_says_when_to_try_again(mode: str, file: Path) -> None:
    time = Time()
    server = guarded(Backend(), file, monotonic=time, calls_per_minute=2)
    async with Client(server, mode=mode) as client:
        statuses = [
            (await client.call_tool("list_things", {})).structured_content for _ in range(3)
        ]
        assert [one["status"] for one in statuses] == ["ok", "ok", "limited"]
        assert statuses[2]["suggestions"] == ["Try again in 30 seconds."]
        time.now += 30
        again = await client.call_tool("list_things", {})
        assert again.structured_content["status"] == "ok"
    assert [line["decision"] for line in audit.read(file)] == ["allow", "allow", "limit", "allow"]


async def test_a_timeout_is_an_answer_and_audited(mode: str, file: Path) -> None:
    server = guarded(Backend(hangs=True), file, timeout_seconds=0.05)
    result = await call(server, mode, "list_things", {})
    assert result.structured_content["status"] == "timeout"
    assert result.is_error
    assert [line["status"] for line in audit.read(file)] == ["timeout"]


async def test_a_call_that_its_caller_gave_up_on_is_audited(mode: str, file: Path) -> None:
    server = guarded(Backend(hangs=True), file, timeout_seconds=60)
    async with Client(server, mode=mode) as client:
        with pytest.raises(MCPError):
            await client.call_tool("list_things", {}, read_timeout_seconds=0.1)
    assert [line["status"] for line in audit.read(file)] == ["cancelled"]
    assert audit.verify(file) == []


async def test_a_failing_backend_is_answered_by_the_last_known_answer_with_its_age(
    mode: str, file: Path
) -> None:
    backend, time = Backend(), Time()
    server = guarded(backend, file, monotonic=time)
    async with Client(server, mode=mode) as client:
        await client.call_tool("list_things", {"namespace": "a"})
        backend.failure = unreachable()
        time.now += 120
        stale = (await client.call_tool("list_things", {"namespace": "a"})).structured_content
        other = (await client.call_tool("list_things", {"namespace": "b"})).structured_content
        time.now += 3600
        old = (await client.call_tool("list_things", {"namespace": "a"})).structured_content
    assert stale["status"] == "stale"
    assert stale["data"] == {"things": ["one", "two"]}
    assert stale["reason"].startswith("This is the answer of 120 seconds ago: demo: connection")
    assert (other["status"], old["status"]) == ("error", "error")
    assert [line["status"] for line in audit.read(file)] == ["ok", "stale", "error", "error"]


@pytest.mark.parametrize("status", [Status.DENIED, Status.EMPTY, Status.LIMITED])
async def test_only_a_failure_is_answered_by_an_old_answer(status: Status, file: Path) -> None:
    backend = Backend()
    server = guarded(backend, file)
    async with Client(server) as client:
        await client.call_tool("list_things", {})
        backend.failure = ToolFailure(status, "the other side said so")
        result = await client.call_tool("list_things", {})
    assert result.structured_content["status"] == status


async def test_a_bug_in_a_tool_does_not_kill_its_server(mode: str, file: Path) -> None:
    backend = Backend(failure=ZeroDivisionError(f"password={OWN_SECRET}"))
    async with Client(guarded(backend, file), mode=mode) as client:
        result = await client.call_tool("list_things", {})
        assert "ZeroDivisionError" in result.structured_content["reason"]
        assert OWN_SECRET not in json.dumps(result.model_dump(mode="json"))
        backend.failure = None
        assert not (await client.call_tool("list_things", {})).is_error


async def test_secrets_leave_neither_in_results_nor_errors_nor_progress_nor_the_audit(
    mode: str, file: Path
) -> None:
    backend = Backend(things=[{"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}, OWN_SECRET])
    said: list[str | None] = []

    async def show(done: float, total: float | None, message: str | None) -> None:
        said.append(message)

    async with Client(guarded(backend, file), mode=mode) as client:
        one = await client.call_tool(
            "list_things", {"query": "password=hunter2"}, progress_callback=show
        )
        backend.failure = ToolFailure(Status.ERROR, f"GET https://u:hunter2@db?x={OWN_SECRET}")
        two = await client.call_tool("list_things", {"namespace": "other"})
    everything = json.dumps([one.model_dump(mode="json"), two.model_dump(mode="json"), said])
    lines = json.dumps(audit.read(file))
    for secret in ("hunter2", OWN_SECRET):
        assert secret not in everything
        assert secret not in lines
    assert said


async def test_hidden_characters_do_not_reach_the_reader(mode: str, file: Path) -> None:
    backend = Backend(things=["safe\u202eevil\u200b\x1b[31mred\x07", "tag\U000e0041s", "\ud800"])
    result = await call(guarded(backend, file), mode, "list_things", {})
    assert result.structured_content["data"]["things"] == ["safeevilred\ufffd", "tags", "\ufffd"]


async def test_a_huge_answer_is_cut_with_its_true_total_and_a_hint(mode: str, file: Path) -> None:
    backend = Backend(things=[f"thing number {n}" for n in range(400)])
    result = await call(guarded(backend, file, cap_bytes=2000), mode, "list_things", {"limit": 400})
    answer = result.structured_content
    assert len(json.dumps(answer, separators=(",", ":"))) <= 2000
    assert answer["truncated"]
    assert answer["total"] == 400
    assert answer["data"]["things"][0] == "thing number 0"
    assert answer["suggestions"] == ["Narrow by: namespace, limit."]
    assert "2000 bytes" in answer["reason"]


async def test_one_enormous_string_is_cut_too(file: Path) -> None:
    backend = Backend(things=["small", "ü" * 50_000_00])
    result = await call(guarded(backend, file, cap_bytes=4000), "auto", "list_things", {})
    answer = result.structured_content
    assert len(json.dumps(answer, ensure_ascii=False).encode()) <= 4200
    assert answer["data"]["things"][1].endswith("[cut: 5000000 characters in all]")


async def test_an_audit_that_cannot_be_written_answers_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    server = guarded(Backend(things=["private"]), blocked / "audit.jsonl")
    result = await call(server, "auto", "list_things", {})
    assert result.structured_content["data"] is None
    assert "audit line could not be written" in result.structured_content["reason"]
