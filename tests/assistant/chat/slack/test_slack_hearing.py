"""What was said, and which alert a posted message is about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.chat.slack.hearing import alert_in, spoken

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("<@U0BOT> triage P1", "triage P1"),
        ("hey <@U0BOT>, why?", "hey , why?"),
        ("<@U0BOT|assistant> why?", "why?"),
        ("is a &lt; b &amp;&amp; c &gt; d?", "is a < b && c > d?"),
        ("&amp;lt;", "&lt;"),
        ("triage <https://ours.pagerduty.com/incidents/P1>", "triage https://ours.pagerduty.com/incidents/P1"),
        ("show logs of <http://api.example|api.example>", "show logs of api.example"),
        ("see <https://evil.example|https://good.example>", "see https://evil.example"),
        ("ask <@U0OTHER> in <#C1|payments> <!channel>", "ask @U0OTHER in #payments @channel"),
        ("", ""),
    ],
)  # fmt: skip
def test_markup_is_read_as_people_read_it(written: str, meant: str) -> None:
    assert spoken(written, "U0BOT") == meant


@given(st.text(max_size=200))
def test_whatever_is_typed_is_heard(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert spoken(f"<@U0BOT> {escaped}", "U0BOT").split() == text.split()


PAGERDUTY = {
    "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": ":red_circle: *Triggered*"}},
        {
            "type": "section",
            "text": {
                "type": "mrkdwn",
                "text": "*<https://ours.pagerduty.com/incidents/Q0FAKE1ID2ABCD|[#3186] Bookings fail>*",
            },
        },
    ],
}
PAGERDUTY_OLD = {
    "attachments": [
        {
            "fallback": "Triggered #3186: Bookings fail",
            "text": "Triggered #3186: Bookings fail",
            "actions": [{"name": "acknowledge", "value": "ack"}],
        }
    ]
}
ALERTMANAGER = {
    "attachments": [
        {
            "title": "[FIRING:2] BookingsErrors dispatch (page)",
            "title_link": "https://alerts.example/#/alerts?receiver=slack",
            "text": "*Alert:* More than 5% fail",
        }
    ]
}


@pytest.mark.parametrize(
    ("message", "alert"),
    [
        (PAGERDUTY, "Q0FAKE1ID2ABCD"),
        (PAGERDUTY_OLD, "3186"),
        (ALERTMANAGER, "BookingsErrors"),
        ({"text": "[RESOLVED] BookingsErrors"}, "BookingsErrors"),
        ({"text": "see <https://o.eu.pagerduty.com/alerts/PABC123?x=1|this>"}, "PABC123"),
        ({"attachments": [{"fields": [{"title": "alertname", "value": "NodeDown"}]}]}, "NodeDown"),
        ({"text": "*alertname*: `KubePodCrashLooping`"}, "KubePodCrashLooping"),
        ({"attachments": [{"title": "x", "title_link":
            "https://prom.example/graph?g0.expr=ALERTS%7Balertname%3D%22HighLatency%22%7D"}]}, "HighLatency"),
        ({"blocks": [{"elements": [{"type": "button", "url":
            "https://ours.pagerduty.com/incidents/PABC123"}]}]}, "PABC123"),
        ({"text": "lunch at #12? the alert was loud"}, ""),
        ({"text": "https://pagerduty.com.evil.example/incidents/PABC123"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_alert_is_found_wherever_it_is_written(message: dict[str, Any], alert: str) -> None:
    assert alert_in(message) == alert


@given(st.dictionaries(st.sampled_from(["text", "blocks", "attachments", "title"]), ANYTHING))
def test_any_message_has_an_alert_or_none(message: dict[str, Any]) -> None:
    assert len(alert_in(message)) <= 128


def test_a_message_nested_without_end_is_given_up() -> None:
    deep: dict[str, Any] = {"text": "[FIRING:1] Deep"}
    for _ in range(5_000):
        deep = {"elements": [deep]}
    assert alert_in(deep) == ""
