"""What the environment has to say before anybody is answered."""

from __future__ import annotations

import logging

import pytest

from assistant.chat.slack.logs import Redacted
from assistant.chat.slack.settings import SLACK, slack_settings
from assistant.errors import SettingsError

GIVEN = {
    "SLACK_BOT_TOKEN": "xoxb-1-made-up",
    "SLACK_APP_TOKEN": "xapp-1-made-up",
    "SLACK_SIGNING_SECRET": "made-up-secret",
    "SLACK_CHANNELS": "C0ONE, C0TWO",
    "SLACK_PEOPLE": "U0ONE",
}


def test_lists_are_read_and_tokens_are_not_shown() -> None:
    settings = slack_settings(GIVEN)
    assert settings.channels == {"C0ONE", "C0TWO"}
    assert settings.api == SLACK
    assert "made-up" not in repr(settings)
    assert settings.secrets == ("xoxb-1-made-up", "xapp-1-made-up")


def test_only_what_the_mode_needs_is_read() -> None:
    socket = {name: value for name, value in GIVEN.items() if name != "SLACK_SIGNING_SECRET"}
    http = {name: value for name, value in GIVEN.items() if name != "SLACK_APP_TOKEN"}
    assert slack_settings(socket).signing_secret.get_secret_value() == ""
    assert slack_settings(http, http=True).app_token.get_secret_value() == ""


@pytest.mark.parametrize(
    ("http", "variable", "value", "hint"),
    [
        (False, "SLACK_BOT_TOKEN", "", "docs/slack.md"),
        (False, "SLACK_BOT_TOKEN", "xapp-made-up", "xoxb-"),
        (False, "SLACK_APP_TOKEN", "", "docs/slack.md"),
        (False, "SLACK_APP_TOKEN", "xoxb-made-up", "xapp-"),
        (True, "SLACK_SIGNING_SECRET", "", "docs/slack.md"),
        (False, "SLACK_CHANNELS", "", "nobody would be answered"),
        (False, "SLACK_CHANNELS", "#incidents", "C0123ABCD"),
        (False, "SLACK_PEOPLE", " , ", "nobody would be answered"),
        (False, "SLACK_PEOPLE", "priya", "U0123ABCD"),
        (False, "SLACK_API_URL", "http://slack.example/api", "plain text"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    http: bool,  # noqa: FBT001 - a column of the table
    variable: str,
    value: str,
    hint: str,
) -> None:
    with pytest.raises(SettingsError) as refused:
        slack_settings({**GIVEN, variable: value}, http=http)
    assert variable in str(refused.value)
    assert hint in str(refused.value)
    assert "made-up" not in str(refused.value)


def test_an_environment_of_another_kind_of_app_is_refused() -> None:
    with pytest.raises(SettingsError, match="SLACK_CLIENT_ID"):
        slack_settings({**GIVEN, "SLACK_CLIENT_ID": "1", "SLACK_CLIENT_SECRET": "2"})


def test_no_secret_stands_in_a_line_of_the_log_or_in_a_traceback() -> None:
    formatter = Redacted("%(message)s", ("hush-hush",))
    with pytest.raises(ValueError, match="ticket") as raised:
        int("xoxp-9-other at wss://s.example/?ticket=abc-def&app_id=1 with hush-hush")
    info = (raised.type, raised.value, raised.tb)
    words = "Bearer hush-hush and xapp-1-A and xoxe.xoxb-1-made-up, Bearer abc"
    line = formatter.format(logging.LogRecord("x", logging.ERROR, "", 1, words, (), info))
    assert "ValueError" in line
    assert "app_id=1" in line
    for secret in ("hush", "xoxp-9", "abc", "xapp-1", "made-up"):
        assert secret not in line
