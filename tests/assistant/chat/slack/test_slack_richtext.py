"""Markdown as rich text: text stays text, whatever it holds, and fits into Slack's limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.chat.contract import Choice, Reply, Step
from assistant.chat.slack.messages import messages, plain, pressed, said, too_long, working
from assistant.chat.slack.richtext import LONGEST_BLOCK, rich_text, text_of
from assistant.incident import Citation
from tests.assistant.chat.slack.slack_server import words, wrong_with

HOSTILE = (
    "<!channel> <!here> <@U0PRIYA> <#C1> <https://evil.example|click> *b* _i_ ~s~ `c` :fire: "
    "[link](https://evil.example) <!subteam^S1> @here &lt;!channel&gt; https://evil.example"
)


def elements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from elements(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from elements(inner)


def kinds(blocks: Any) -> set[str]:
    return {one["type"] for one in elements(blocks) if "type" in one}


def section(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(spans)}


def text(words: str, *styles: str) -> dict[str, Any]:
    return {"type": "text", "text": words} | (
        {"style": dict.fromkeys(styles, True)} if styles else {}
    )


def test_paragraphs_and_styles() -> None:
    assert rich_text("a **b** *c* ~~d~~ `e`\nf\n\ng") == [
        section(
            text("a "), text("b", "bold"), text(" "), text("c", "italic"), text(" "),
            text("d", "strike"), text(" "), text("e", "code"), text("\n"), text("f"), text("\n"),
        ),
        section(text("g")),
    ]  # fmt: skip


def test_headings_lists_code_quotes_and_tables() -> None:
    markdown = "# Top\n\n- a\n  - b\n\n3. c\n4. d\n\n```sh\nkubectl -n x get po\n```\n\n> q\n\n| n | v |\n|---|---|\n| ab | c |\n"
    parts = rich_text(markdown)
    assert [part["type"].removeprefix("rich_text_") for part in parts] == [
        "section", "list", "list", "list", "list", "preformatted", "quote", "preformatted",
    ]  # fmt: skip
    assert [(part["indent"], part["style"], part.get("offset", 0)) for part in parts[1:5]] == [
        (0, "bullet", 0), (1, "bullet", 0), (0, "ordered", 2), (0, "ordered", 3),
    ]  # fmt: skip
    assert [text_of(part) for part in parts[5:]] == ["kubectl -n x get po", "q", "n   v\nab  c"]


def test_a_link_is_words_and_an_address_to_be_read() -> None:
    assert (
        text_of(rich_text("[runbook](https://a.example/x)")[0]) == "runbook (https://a.example/x)"
    )
    assert text_of(rich_text("<https://a.example/x>")[0]) == "https://a.example/x"


@pytest.mark.parametrize(
    "markdown",
    [HOSTILE, f"`{HOSTILE.replace('`', '')}`", f"- {HOSTILE}", f"> {HOSTILE}", f"# {HOSTILE}",
     f"```\n{HOSTILE}\n```", f"| {HOSTILE} |\n|---|\n| {HOSTILE} |", "<script>alert(1)</script>",
     "![picture](https://evil.example/x.png)"],
)  # fmt: skip
def test_nothing_that_a_system_wrote_calls_anybody_or_links_anywhere(markdown: str) -> None:
    reply = Reply(text=markdown, scope=HOSTILE, choices=(Choice(label=HOSTILE, text=HOSTILE),))
    every = [*messages(reply, HOSTILE), working(Step(text=HOSTILE)), said(HOSTILE)]
    for message in every:
        made = kinds(message.blocks)
        assert made <= {
            "rich_text", "rich_text_section", "rich_text_list", "rich_text_quote",
            "rich_text_preformatted", "text", "context", "plain_text", "actions", "button",
        }  # fmt: skip
        assert "<" not in message.notice
        assert not any("url" in one for one in elements(message.blocks))


@given(st.text(max_size=400), st.text(max_size=80), st.text(max_size=80))
def test_any_text_makes_messages_that_slack_takes(body: str, label: str, scope: str) -> None:
    reply = Reply(text=body, scope=scope, choices=(Choice(label=label, text=label),), report="t1")
    for message in messages(reply):
        assert wrong_with(list(message.blocks)) == ""
        assert "<" not in message.notice


@given(
    st.lists(
        st.sampled_from(["word ", "long" * 900, "\n\n", "- item\n", "`code` ", "```\n"]),
        max_size=60,
    )
)
def test_long_text_is_split_and_nothing_of_it_is_lost(pieces: list[str]) -> None:
    markdown = "".join(pieces)
    reply = Reply(text=markdown)
    every = [block for message in messages(reply) for block in message.blocks]
    assert all(wrong_with(list(message.blocks)) == "" for message in messages(reply))
    if not too_long(reply):
        written = "".join(map(text_of, rich_text(markdown))) or "(nothing was said)"
        assert words(every) == written


def test_a_cut_falls_between_words() -> None:
    parts = rich_text("word " * 2_000)
    assert len(parts) > 1
    assert all(len(text_of(part)) <= LONGEST_BLOCK for part in parts)
    assert all(text_of(part).endswith("word ") for part in parts[:-1])


def test_invisible_and_bidirectional_characters_are_taken_out() -> None:
    assert text_of(rich_text("pay\u202ements\u200b \x1b[31mred")[0]) == "payments  [31mred"


def test_evidence_that_the_text_does_not_name_stands_beneath_it() -> None:
    cited = tuple(Citation(evidence=id) for id in ("e00000001", "e00000002", "e00000002"))
    (message,) = messages(Reply(text="It restarted [e00000001]", scope="north", citations=cited))
    small = [words(block) for block in message.blocks if block["type"] == "context"]
    assert small == ["Scope: north", "Evidence: e00000002"]


def test_a_choice_that_is_too_long_to_carry_is_no_button() -> None:
    choices = (Choice(label="short", text="why?"), Choice(label="long", text="x" * 2_500))
    (message,) = messages(Reply(text="Which?", choices=choices))
    buttons = [one for one in elements(message.blocks) if one["type"] == "button"]
    assert [button["text"]["text"] for button in buttons] == ["short"]


def test_a_button_says_what_it_was_made_to_say() -> None:
    choice = Choice(label="Tür & <b>", text='what "fails"?')
    (message,) = messages(Reply(text="Which?", choices=(choice,), report="t1", sure=False))
    (button,) = [one for one in elements(message.blocks) if one["type"] == "button"]
    meant = pressed(button["value"])
    assert meant is not None
    assert (meant.say, meant.report, meant.label) == ('what "fails"?', "t1", "Tür & <b>")


@pytest.mark.parametrize("value", ["", "why?", "[]", '{"say": 3}', '{"say": "x", "run": "y"}'])
def test_a_button_of_somebody_else_says_nothing(value: str) -> None:
    assert pressed(value) is None


def test_the_line_for_a_notification_shows_no_markup() -> None:
    assert plain("<!channel> & more") == "&lt;!channel&gt; &amp; more"
