"""One frozen value from flags, variables, a file and defaults; a typo is told, a secret is not."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assistant.errors import SettingsError
from assistant.settings import (
    Budget,
    DutySettings,
    ServerSettings,
    Settings,
    describe,
    load_settings,
    look_alike,
    server_environment,
    variables,
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_anything_set_it_is_four_servers_in_process_and_a_home_of_the_users(tmp_path):
    settings = load_settings({}, {"HOME": "/home/ann"})
    assert settings.home == Path("/home/ann/.local/state/incident-assistant")
    assert set(settings.servers) == {"kubernetes", "prometheus", "pagerduty", "runbooks"}
    assert {server.transport for server in settings.servers.values()} == {"in-process"}
    assert settings.lockfile == settings.home / "servers.lock"
    assert (settings.budget.seconds, settings.budget.calls, settings.budget.concurrent) == (
        60,
        150,
        8,
    )
    assert settings.lookback_seconds == 3600
    assert settings.as_of is None
    assert not settings.home.exists()


def test_the_xdg_state_home_is_honoured():
    assert load_settings({}, {"XDG_STATE_HOME": "/s"}).home == Path("/s/incident-assistant")


def test_a_flag_wins_over_a_variable_over_the_file_over_the_default(tmp_path):
    (tmp_path / "assistant.toml").write_text("[budget]\ncalls = 1\nconcurrent = 1\nseconds = 1\n")
    given = {"ASSISTANT_BUDGET_CALLS": "2", "ASSISTANT_BUDGET_CONCURRENT": "2"}
    settings = load_settings({"budget.calls": 3, "lookback_seconds": None}, given)
    assert settings.budget == Budget(calls=3, concurrent=2, seconds=1)
    assert settings.origin("budget.calls") == "flag"
    assert settings.origin("budget.concurrent") == "environment"
    assert settings.origin("budget.seconds") == "assistant.toml"
    assert settings.origin("lookback_seconds") == "default"


def test_defaults_of_the_caller_lose_against_everything_that_was_set(tmp_path):
    lab = {"budget.seconds": 15}
    assert load_settings({}, {}, defaults=lab).budget.seconds == 15
    given = {"ASSISTANT_BUDGET_SECONDS": "30"}
    assert load_settings({}, given, defaults=lab).budget.seconds == 30


@pytest.mark.parametrize("name", ["config.toml", "config.yaml"])
def test_the_file_may_be_named_and_be_toml_or_yaml(tmp_path, name):
    toml = '[servers.kubernetes]\nurl = "https://k.example/mcp"\n'
    yaml = "servers:\n  kubernetes:\n    url: https://k.example/mcp\n"
    (tmp_path / name).write_text(toml if name.endswith("toml") else yaml)
    settings = load_settings({}, {"ASSISTANT_CONFIG": str(tmp_path / name)})
    assert settings.servers["kubernetes"].transport == "http"
    assert settings.servers["prometheus"].transport == "in-process"
    assert settings == load_settings({}, {}, tmp_path / name)


def test_the_users_own_file_is_read_where_the_working_folder_has_none(tmp_path):
    folder = tmp_path / ".config" / "incident-assistant"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("lookback_seconds = 60\n")
    assert load_settings({}, {"HOME": str(tmp_path)}).lookback_seconds == 60


def test_servers_can_be_given_as_json_in_a_variable():
    given = {"ASSISTANT_SERVERS": '{"kubernetes": {"command": "k", "args": ["--x"]}}'}
    server = load_settings({}, given).servers["kubernetes"]
    assert (server.transport, server.target) == ("stdio", "k --x")


@pytest.mark.parametrize(
    ("file", "environment", "words"),
    [
        ("[budget]\nsecconds = 1", {}, ["assistant.toml", "'budget.secconds'", "budget.seconds"]),
        ("hoem = 'x'", {}, ["'hoem'", "'home'"]),
        ("[servers.kubernetes]\ncomand = 'x'", {}, ["servers.kubernetes.command"]),
        ("", {"ASSISTANT_BUDGET_CALS": "1"}, ["ASSISTANT_BUDGET_CALS", "ASSISTANT_BUDGET_CALLS"]),
        ("", {"ASSISTANT_BUDGET_CALLS": "many"}, ["environment: budget.calls"]),
        ("", {"ASSISTANT_BUDGET_CALLS": "0"}, ["budget.calls", "greater than 0"]),
        ("", {"ASSISTANT_SERVERS": "[1]"}, ["ASSISTANT_SERVERS", "object"]),
        ("", {"ASSISTANT_SERVERS": "{"}, ["ASSISTANT_SERVERS", "not JSON"]),
        ("", {"ASSISTANT_AS_OF": "2026-11-03T02:10:00"}, ["as_of", "timezone"]),
        ("budget = 3", {}, ["budget"]),
        ("servers = 'all'", {}, ["servers"]),
        ("home = 3", {}, ["home"]),
        ("home =", {}, ["assistant.toml"]),
        ("", {"ASSISTANT_CONFIG": "/nowhere.toml"}, ["/nowhere.toml", "No such file"]),
        ("[servers.kubernetess]", {}, ["'kubernetess'", "looks like 'kubernetes'"]),
        ("[servers.kubrenetes]", {}, ["looks like 'kubernetes'"]),
        ("[servers.'Kube.x']", {}, ["servers"]),
        ("[servers.x]\nurl='http://u:p@host/'", {}, ["servers.x.url"]),
        ("[servers.x]\nurl='http://a/'\ncommand='b'", {}, ["both `command` and `url`"]),
        ("[servers.x]\nargs=['b']", {}, ["belong to a `command`"]),
        ("[servers.x]\ntoken_file='b'", {}, ["belongs to a `url`"]),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_place(tmp_path, file, environment, words):
    (tmp_path / "assistant.toml").write_text(file)
    with pytest.raises(SettingsError) as caught:
        load_settings({}, environment)
    assert all(word in str(caught.value) for word in words), caught.value
    assert "\n" not in str(caught.value)


def test_a_secret_is_masked_wherever_settings_are_shown(tmp_path):
    (tmp_path / "assistant.toml").write_text(
        "[servers.kubernetes]\ncommand = 'k'\n[servers.kubernetes.env]\n'A.B' = 'hunter2'\n"
    )
    settings = load_settings({}, {})
    shown = f"{settings!r} {settings.model_dump()} {describe(settings)}"
    assert "hunter2" not in shown
    assert ("servers.kubernetes.env", "A.B=**********") in [row[:2] for row in describe(settings)]
    assert server_environment(settings, "kubernetes", {})["A.B"] == "hunter2"


def test_each_server_is_told_its_own_variables_and_no_others():
    settings = load_settings({"home": "/h", "policy_file": "/p.yaml"}, {})
    given = {"KUBECONFIG": "/k", "PAGERDUTY_TOKEN": "t", "HOME": "/root", "PROMETHEUS_URL": ""}
    assert server_environment(settings, "kubernetes", given) == {
        "KUBECONFIG": "/k",
        "MCP_AUDIT_FILE": "/h/audit.jsonl",
        "MCP_POLICY_FILE": "/p.yaml",
    }
    assert "PAGERDUTY_TOKEN" in server_environment(settings, "pagerduty", given)
    assert "PROMETHEUS_URL" not in server_environment(settings, "prometheus", given)
    runbooks = server_environment(settings, "runbooks", given)
    assert runbooks["RUNBOOKS_INDEX"] == "/h/runbooks"
    far = server_environment(settings, "runbooks", {"CHROMA_URL": "http://c"})
    assert "RUNBOOKS_INDEX" not in far


def test_settings_cannot_be_changed():
    settings = load_settings({}, {})
    with pytest.raises(ValidationError):
        settings.home = Path("/elsewhere")


@pytest.mark.parametrize("model", [Settings, Budget, ServerSettings])
def test_every_setting_says_what_it_means(model):
    assert all(field.description for field in model.model_fields.values())


def test_every_setting_has_a_variable():
    assert variables()["ASSISTANT_LOOKBACK_SECONDS"] == "lookback_seconds"
    assert variables()["ASSISTANT_DUTY_SLACK_CHANNEL"] == "duty.slack_channel"
    groups = (Budget, DutySettings)
    inner = sum(len(group.model_fields) for group in groups)
    assert len(variables()) == len(Settings.model_fields) - len(groups) + inner


def test_duty_takes_nothing_in_until_it_is_told_how(tmp_path):
    assert not load_settings({}, {}).duty.has_a_way_in
    (tmp_path / "assistant.toml").write_text(
        '[duty]\npoll_seconds = 30\ncooldown_seconds = 60\nalertmanager_token_file = "~/token"\n'
    )
    given = {"ASSISTANT_DUTY_COOLDOWN_SECONDS": "120", "ASSISTANT_DUTY_TRIAGES_PER_HOUR": "5"}
    duty = load_settings({"duty.triages_per_hour": 3}, given).duty
    assert (duty.poll_seconds, duty.cooldown.seconds, duty.triages_per_hour) == (30, 120, 3)
    assert duty.alertmanager_token_file == Path("~/token").expanduser()
    assert duty.has_a_way_in


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("listen", "9095", "HOST:PORT"),
        ("listen", "host:http", "HOST:PORT"),
        ("slack_channel", "#incidents", "C0123ABCD"),
        ("window_seconds", -1, "greater than 0"),
        ("triages_per_hour", 0, "greater than or equal to 1"),
    ],
)
def test_a_wrong_setting_of_duty_is_named_with_what_is_meant(key, value, said):
    with pytest.raises(SettingsError, match=f"flag: duty.{key}: .*{said}"):
        load_settings({f"duty.{key}": value}, {})


def test_an_unknown_setting_of_duty_names_the_nearest():
    with pytest.raises(SettingsError, match=r"did you mean 'duty\.cooldown_seconds'"):
        load_settings({"duty.cooldown": 5}, {})


@given(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))
def test_looking_alike_is_mutual_and_never_with_oneself(one, other):
    assert bool(look_alike(one, {other})) == bool(look_alike(other, {one}))
    assert not look_alike(one, {one})


@given(st.dictionaries(st.text(max_size=6), st.integers() | st.text(max_size=4), max_size=4))
def test_any_flags_give_settings_or_a_settings_error(flags):
    try:
        assert isinstance(load_settings(flags, {}), Settings)
    except SettingsError as error:
        assert str(error)  # noqa: PT017


def test_importing_the_settings_does_not_import_mcp():
    code = (
        "import sys, assistant.settings; sys.exit('mcp' in sys.modules or 'httpx2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
