"""`python -m mcp_servers`: its help, and one clear line for whatever keeps a server from working."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mcp_servers import variables
from mcp_servers.__main__ import main
from mcp_servers.serve import NAMES

CONFIGURED = {one.removesuffix("_FILE") for name in NAMES for one in variables.OWN[name]}


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variable but HOME, which is empty, and a client that has already gone."""
    for variable in (*CONFIGURED, *variables.GUARD):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(f"{variable}_FILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MCP_AUDIT_FILE", str(tmp_path / "audit.jsonl"))
    gone = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr("sys.stdin", gone)
    yield
    gone.close()


def given(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str]) -> None:
    for variable, value in values.items():
        monkeypatch.setenv(variable, value)


@pytest.mark.parametrize("name", NAMES)
def test_help_says_what_the_server_is_and_which_variables_it_reads(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"The {name} server over MCP" in said
    assert all(variable in said for variable in (*variables.OWN[name], *variables.GUARD))
    assert max(len(line) for line in said.splitlines()) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_a_check_without_configuration_is_one_line_that_says_what_to_set(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert main([name, "--check"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{name}: ")
    assert variables.NEEDED.get(name, "KUBECONFIG") in line
    assert "; " in line


@pytest.mark.parametrize("name", variables.NEEDED)
def test_a_server_that_was_given_nothing_says_so_when_it_starts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name]) == 0
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{name}: {variables.NEEDED[name]} is not set, and every call will say")
    secret = tmp_path / "secret"
    secret.write_text("x")
    monkeypatch.setenv(f"{variables.NEEDED[name]}_FILE", str(secret))
    assert variables.missing(name, {f"{variables.NEEDED[name]}_FILE": str(secret)}) == ""


@pytest.mark.parametrize(
    ("arguments", "values", "line"),
    [
        (
            ["prometheus"],
            {"PROMETHEUS_MAX_RANGE_DAYS": "week"},
            "mcp_servers: PROMETHEUS_MAX_RANGE_DAYS is 'week'; give a number of days",
        ),
        (
            ["pagerduty"],
            {"MCP_POLICY_FILE": "/nowhere"},
            "mcp_servers: Cannot read the policy file '/nowhere': ",
        ),
        (
            ["runbooks", "--check"],
            {"RUNBOOKS_INDEX": "/nowhere"},
            "runbooks: there is no runbook index in '/nowhere'; build it: ",
        ),
        (
            ["kubernetes", "--check"],
            {"KUBECONFIG": "/nowhere"},
            "kubernetes: kubeconfig '/nowhere' cannot be used: there is no such file; ",
        ),
        (
            ["pagerduty", "--check"],
            {"PAGERDUTY_TOKEN": "t0ken-zq", "PAGERDUTY_API_URL": "http://127.0.0.1:9"},
            "pagerduty: pagerduty.probe failed for GET /incidents ",
        ),
        (
            ["prometheus", "--check"],
            {"PROMETHEUS_URL": "http://127.0.0.1:9"},
            "prometheus: prometheus.probe failed for query 'vector(1)' ",
        ),
    ],
)
def test_bad_configuration_is_one_line_and_exit_code_1(
    arguments: list[str],
    values: dict[str, str],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given(monkeypatch, values)
    assert main(arguments) == 1
    [said] = capsys.readouterr().err.splitlines()
    assert said.startswith(line)
    assert "t0ken-zq" not in said


def test_an_address_in_use_is_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROMETHEUS_URL", "http://127.0.0.1:9")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["prometheus", "--http", "--port", str(port)]) == 1
    said = capsys.readouterr().err
    assert said == f"mcp_servers: Cannot listen on 127.0.0.1 port {port}: Address already in use.\n"


@pytest.mark.parametrize("port", ["70000", "-1", "http", "8_0"])
def test_a_port_that_is_none_is_wrong_usage(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["prometheus", "--http", f"--port={port}"])
    assert ended.value.code == 2
    assert f"'{port}' is no port" in capsys.readouterr().err
