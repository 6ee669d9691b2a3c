"""Threads without a browser: what is kept, what is refused, and what goes wrong in words."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import anyio
import httpx
import pytest

from assistant.chat.contract import Attachment, Choice, Reply, Step
from assistant.chat.web.memory import Memory, Said, Talk
from assistant.errors import AssistantError
from tests.assistant.chat.reports import report
from tests.assistant.chat.web.conftest import NOW, Opened, Scripted, Web

pytestmark = pytest.mark.anyio
FREE = "/threads/" + "a" * 16
HX = {"HX-Request": "true"}


async def say(
    client: httpx.AsyncClient, text: str, path: str = FREE, key: str = ""
) -> httpx.Response:
    form = {"text": text, "after": "0"} | ({"key": key} if key else {})
    return await client.post(path, data=form, headers=HX)


async def answered(client: httpx.AsyncClient, number: int, path: str = FREE) -> str:
    """The turn, once it is answered."""
    seen = 0
    with anyio.fail_after(20):
        while "busy" in (text := (await client.get(f"{path}/turns/{number}?seen={seen}")).text):
            seen = text.count("<li")
    return text


async def test_the_same_sending_is_one_question(web: Web) -> None:
    async with web.client() as client:
        first = await say(client, "help", key="k1")
        again = await say(client, "help", key="k1")
        assert "hx-trigger" not in first.headers
        assert again.headers["hx-trigger"] == '{"already": {"turn": 1}}'
        await say(client, "help", key="k2")
        await answered(client, 2)
    assert len(web.engine.asks) == 2


async def test_two_that_ask_at_the_same_moment_get_a_turn_each(web: Web) -> None:
    async with web.client() as client, anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(say, client, f"question {number}", FREE, f"k{number}")
    async with web.client() as client:
        text = (await client.get(FREE)).text
    assert sorted(map(int, re.findall(r'id="turn-(\d+)"', text))) == list(range(1, 9))


async def test_an_incident_has_one_thread_that_begins_with_its_triage(web: Web) -> None:
    async with web.client() as client:
        before = (await client.get("/incidents/PAY1")).text
        assert "Nothing was triaged under this id yet" in before
        assert web.engine.asks == []
        await say(client, "why?", "/incidents/PAY1")
        await answered(client, 2, "/incidents/PAY1")
        await client.post("/incidents/PAY1", data={"again": "1", "key": "again x"})
        await answered(client, 3, "/incidents/PAY1")
    said = [(one.thread, one.text) for one in web.engine.asks]
    words = ("triage PAY1", "why?", "triage PAY1 again")
    assert said == [("web incident PAY1", text) for text in words]


async def test_an_incident_that_was_triaged_elsewhere_shows_what_was_found(web: Web) -> None:
    begun = await web.store.start("P123", NOW)
    await web.store.finish(begun.id, report())
    async with web.client() as client:
        text = (await client.get("/incidents/P123")).text
        assert "it was killed" in text
        assert f"/reports/{begun.id}" in text
        shown = await client.get(f"/reports/{begun.id}")
        assert "it was killed for memory" in shown.text
        assert "sandbox" in shown.headers["content-security-policy"]
        await say(client, "why?", "/incidents/P123")
        await answered(client, 2, "/incidents/P123")
    assert web.engine.asks[0].text == "what is the cause of P123?"


async def test_two_questions_from_one_first_page_are_two(web: Web) -> None:
    async with web.client() as client:
        for text in ("one", "one", "two"):
            sent = await client.post("/threads", data={"text": text, "key": "a" * 16})
            assert sent.headers["location"] == FREE
        await answered(client, 2)
    assert [one.text for one in web.engine.asks] == ["one", "two"]


async def test_an_answer_about_an_incident_leads_to_its_thread(web: Web) -> None:
    web.engine.answers["triage P9"] = [Reply(text="done", incident="P9")]
    async with web.client() as client:
        await say(client, "triage P9")
        assert 'href="/incidents/P9"' in await answered(client, 1)
        await say(client, "triage P9", "/incidents/P9")
        assert "About" not in await answered(client, 1, "/incidents/P9")


async def test_an_incident_is_not_called_closed_where_nobody_could_be_asked(web: Web) -> None:
    web.unseen = "HTTP 401"
    async with web.client() as client:
        text = (await client.get("/incidents/PAY1")).text
    assert "not known whether it is open" in text
    assert "not open now" not in text


async def test_an_engine_that_fails_is_an_answer(web: Web) -> None:
    web.engine.answers["break"] = [Step(text="looking"), RuntimeError("of a secret kind")]
    async with web.client() as client:
        await say(client, "break")
        text = await answered(client, 1)
    assert "something inside me failed" in text
    assert "secret kind" not in text
    assert any("the engine failed" in line for line in web.log)


async def test_an_engine_without_an_answer_is_an_answer(web: Web) -> None:
    web.engine.answers["nothing"] = []
    async with web.client() as client:
        await say(client, "nothing")
        assert "something inside me failed" in await answered(client, 1)


async def test_a_choice_is_what_its_answer_offered(web: Web) -> None:
    web.engine.answers["help"] = [Reply(text="choose", choices=(Choice(label="Why", text="why?"),))]
    async with web.client() as client:
        await say(client, "help")
        await answered(client, 1)
        for wrong in ("1.1", "2.0", "x", "1.-1", "9" * 40):
            refused = await client.post(FREE, data={"choice": wrong})
            assert refused.status_code == 404
        await client.post(FREE, data={"choice": "1.0"})
        await answered(client, 2)
    assert [one.text for one in web.engine.asks] == ["help", "why?"]


async def test_forty_thousand_characters_are_asked_and_kept(web: Web) -> None:
    long = "é<b>" * 10_000
    async with web.client() as client:
        await say(client, long)
        text = await answered(client, 1)
    assert web.engine.asks[0].text == long
    assert "(40000 characters)" in text
    assert "<b>" not in text


async def test_more_than_can_be_asked_is_refused_in_words(web: Web) -> None:
    async with web.client() as client:
        for size in (70_000, 900_000):
            refused = await say(client, "x" * size)
            assert (refused.status_code, "nothing was asked" in refused.text) == (413, True)
    assert web.engine.asks == []


@pytest.mark.parametrize("text", ["", "  \r\n "])
async def test_nothing_said_is_nothing_asked(web: Web, text: str) -> None:
    async with web.client() as client:
        await say(client, text)
        assert (
            await client.post("/threads", data={"text": text, "key": "b" * 16})
        ).status_code == 303
    assert web.engine.asks == []


@pytest.mark.parametrize(
    "text", ["\x00\x1b[2J\u202e\ud7ff", "'; DROP TABLE turns; --", "{{ 7 * 7 }}", "%s%n"]
)
async def test_garbage_is_a_question_like_any_other(web: Web, text: str) -> None:
    async with web.client() as client:
        await say(client, text)
        shown = await answered(client, 1)
    assert web.engine.asks[0].text == text
    assert "\x1b" not in shown
    assert "49" not in shown.partition("question")[2].partition("</p>")[0]


@pytest.mark.parametrize(
    "path",
    [
        "/threads/short", "/threads/" + "b" * 16, "/other/PAY1", "/incidents/a%20b", "/incidents/" + "x" * 200,
        "/incidents/..%2f..", "/reports/t404", f"{FREE}/turns/1", f"{FREE}/turns/x/files/y", f"{FREE}/evidence/e1",
    ],
)  # fmt: skip
async def test_what_there_is_not_is_said_in_words(web: Web, path: str) -> None:
    async with web.client() as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


async def test_a_file_is_never_shown_as_a_page(web: Web) -> None:
    files = (
        Attachment(
            name='../"a\r\nb.html', media_type="text/html", text="<script>alert(1)</script>"
        ),
        Attachment(name="c.svg", media_type="image/svg+xml", text="<svg/>"),
    )
    web.engine.answers["files"] = [Reply(text="here", attachments=files)]
    async with web.client() as client:
        await say(client, "files")
        await answered(client, 1)
        page = await client.get(f"{FREE}/turns/1/files/0")
        assert page.headers["content-type"] == "text/plain; charset=utf-8"
        assert page.headers["content-disposition"] == 'attachment; filename="a-b.html"'
        picture = await client.get(f"{FREE}/turns/1/files/1")
        assert "sandbox" in picture.headers["content-security-policy"]
        assert (await client.get(f"{FREE}/turns/1/files/2")).status_code == 404


async def test_evidence_can_be_read_as_a_page_and_taken_as_a_file(web: Web) -> None:
    seen = web.engine.holds({"rows": ["<b>bold</b>"] * 3}, truncated=True, total=9)
    async with web.client() as client:
        page = (await client.get(f"{FREE}/evidence/{seen.id}")).text
        assert "&lt;b&gt;bold" in page
        assert "9, cut" in page
        taken = await client.get(f"{FREE}/evidence/{seen.id}?form=json")
        assert taken.json()["data"] == seen.data


async def test_what_is_cut_off_by_the_end_says_so_at_the_next_start(opened: Opened) -> None:
    never = anyio.Event()
    engine = Scripted(answers={"slowly": [Step(text="looking", seconds=1.5), never]})
    async with opened(engine) as web, web.client() as client:
        await say(client, "slowly")
        await client.get(f"{FREE}/turns/1?seen=0")
    async with opened() as web, web.client() as client:
        text = await answered(client, 1)
        assert "Stopped" in text
        assert "1.5 s" in text


async def test_what_was_killed_in_the_middle_says_so_too(tmp_path: Path, opened: Opened) -> None:
    async with Memory.open(tmp_path / "web.db") as memory:
        talk = Talk(id="web thread " + "a" * 16)
        await memory.begin(talk, Said(key="k", text="slowly", by="kit", at=NOW))
    async with opened() as web, web.client() as client:
        assert "Stopped" in await answered(client, 1)


async def test_what_nobody_works_on_is_not_asked_for_without_pause(
    web: Web, tmp_path: Path
) -> None:
    async with Memory.open(tmp_path / "web.db") as other:
        talk = Talk(id="web thread " + "a" * 16)
        await other.begin(talk, Said(key="k", text="of another process", by="kit", at=NOW))
    async with web.client() as client:
        assert 'hx-trigger="load delay:2s, retry"' in (await client.get(f"{FREE}/turns/1")).text


async def test_the_files_of_the_page_are_the_users_alone(web: Web, tmp_path: Path) -> None:
    async with web.client() as client:
        await say(client, "help")
        await answered(client, 1)
    async for path in anyio.Path(tmp_path).glob("web*"):
        assert stat.S_IMODE((await path.stat()).st_mode) == 0o600, path


async def test_a_memory_that_is_no_memory_is_an_error_in_words(tmp_path: Path) -> None:
    path = tmp_path / "web.db"
    path.write_text("this is no database, and long enough to be taken for none " * 20)
    with pytest.raises(AssistantError, match=r"web\.db failed"):
        async with Memory.open(path):
            pass


async def test_a_port_that_is_taken_is_said(opened: Opened) -> None:
    async with opened() as web:
        port = int(web.url.rstrip("/").rpartition(":")[2])
        with pytest.raises(ExceptionGroup) as raised:
            async with opened(port=port):
                pass
    assert raised.group_contains(AssistantError, match=f"cannot listen on 127.0.0.1:{port}")
