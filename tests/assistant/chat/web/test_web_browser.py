"""The page in a real browser, over a scripted engine: what is written cannot act, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from playwright.async_api import expect

from assistant.chat.contract import Attachment, Choice, Reply, Step
from assistant.incident import Citation
from tests.assistant.chat.web.conftest import (
    NOW,
    TOKEN,
    Opened,
    Scripted,
    Tab,
    Watched,
    Web,
    incident,
)

pytestmark = pytest.mark.anyio
HOSTILE = """<script>document.title='owned'</script><img src="http://evil.example/a.png" onerror="alert(1)">
![x](http://evil.example/b.png) [click](javascript:alert(1)) <http://evil.example/> http://evil.example/c
<iframe src="http://evil.example/"></iframe> **bold** `code`
```mermaid
flowchart TD
  a["<img src=http://evil.example/d.png onerror=alert(1)>"] --> b
  click a "javascript:alert(1)"
```"""
PICTURE = (
    '<svg width="100" height="50" viewBox="0 0 100 50" onload="alert(1)"><script>alert(1)</script>'
    '<image href="http://evil.example/e.png"/><text>fine</text></svg>'
)
FILES = (
    Attachment(name="a.svg", media_type="image/svg+xml", text=PICTURE),
    Attachment(name="b.mmd", media_type="text/vnd.mermaid", text='flowchart TD\n a["one"] --> b["two"]\n'),
    Attachment(name="c.md", media_type="text/markdown", text=f"# Hello\n{HOSTILE}"),
    Attachment(name="d.html", media_type="text/html", text="<script>alert(1)</script>"),
)  # fmt: skip


async def test_text_that_would_act_is_shown_and_does_nothing(web: Web, tab: Tab) -> None:
    seen = web.engine.holds({"log": HOSTILE}, reason=HOSTILE, source=HOSTILE)
    cited = (Citation(evidence=seen.id, quote="onerror"),)
    web.engine.answers[HOSTILE] = [
        Step(text=HOSTILE),
        Reply(
            text=f"{HOSTILE}\n[{seen.id}]",
            scope=HOSTILE,
            citations=cited,
            choices=(Choice(label=HOSTILE, text="next"),),
            attachments=FILES,
        ),
    ]
    web.incidents[:] = [incident(title=HOSTILE, service=HOSTILE)]
    async with tab(web.url) as seen_by:
        page = seen_by.page
        await page.fill("#text", HOSTILE)
        await page.keyboard.press("Enter")
        await seen_by.answers(1)
        await expect(page.locator("figure.diagram[data-drawn=yes]")).to_have_count(2)
        await page.locator("details.reading summary").click()
        await expect(page.locator(".read h1")).to_have_text("Hello")
        await page.locator(".text a.cite").click()
        await expect(page.locator("#drawer pre.data")).to_contain_text("onerror")
        assert await page.title() == HOSTILE[:120].replace("\n", " ")
        assert await page.locator("main img").count() == 4
        assert (
            await page.locator("main :is(script, iframe), a[href*=evil], img[src*=evil]").count()
            == 0
        )
        assert seen_by.hosts <= {"127.0.0.1", "blob:"}
        assert seen_by.errors == []


async def test_an_incident_is_triaged_from_the_list_with_the_keyboard_alone(
    web: Web, tab: Tab
) -> None:
    proof = web.engine.holds({"line": "disk is full"})
    web.engine.answers["triage PAY1"] = [
        Step(text="reading the alert", seconds=0.2),
        Reply(
            text=f"The **disk** is full [{proof.id}]",
            citations=(proof.cite("disk is full"),),
            scope="cluster north",
            choices=(Choice(label="Why", text="why?"),),
        ),
    ]
    async with tab(web.url) as seen:
        page = seen.page
        await page.keyboard.press("ArrowDown")
        async with page.expect_response("**/side?*"):
            await page.evaluate("htmx.trigger(document.body, 'slowly')")
        await expect(page.locator("#row-PAY1")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/incidents/PAY1")
        await seen.answers(1)
        await expect(page.locator(".scope-words")).to_have_text("cluster north")
        await page.keyboard.press("e")
        await expect(page.locator("#drawer mark")).to_have_text("disk is full")
        await page.keyboard.press("Escape")
        await expect(page.locator("#drawer")).to_be_hidden()
        await page.keyboard.press("c")
        await page.keyboard.type("why?")
        await page.keyboard.press("Enter")
        await seen.answers(2)
        await page.keyboard.press("Escape")
        await page.keyboard.press("/")
        await expect(page.locator("#search")).to_be_focused()
        await page.keyboard.type("nothing like it")
        await expect(page.locator("#lists")).to_contain_text("None matches")
        assert seen.errors == []
    assert [(one.thread, one.text, one.by, one.at) for one in web.engine.asks] == [
        ("web incident PAY1", "triage PAY1", "kit", NOW),
        ("web incident PAY1", "why?", "kit", NOW),
    ]


async def test_a_button_pressed_twice_asks_once_and_shows_its_answer(web: Web, tab: Tab) -> None:
    web.engine.answers["help"] = [Reply(text="choose", choices=(Choice(label="Why", text="why?"),))]
    async with tab(web.url) as seen:
        page = seen.page
        await page.fill("#text", "help")
        await page.locator(".composer .send").dblclick()
        await seen.answers(1)
        await page.locator(".choices button").click(click_count=2)
        await seen.answers(2)
        await page.locator(".choices button").click()
        await expect(page.locator("#turn-2")).to_be_focused()
        assert await page.locator(".turn").count() == 2
    assert [one.text for one in web.engine.asks] == ["help", "why?"]


async def test_two_tabs_on_one_thread_show_the_same(web: Web, tab: Tab) -> None:
    more = anyio.Event()
    web.engine.answers["slowly"] = [
        Step(text="looking at pods", seconds=0.1),
        more,
        Reply(text="done"),
    ]
    url = f"{web.url}incidents/PAY1"
    async with tab(url) as one, tab(url) as two:
        await one.page.fill("#text", "slowly")
        await one.page.keyboard.press("Enter")
        for seen in (one, two):
            await expect(seen.page.locator(".steps")).to_contain_text("looking at pods")
            await expect(seen.page.locator(".row .working")).to_be_visible()
        await two.page.fill("#text", "meanwhile")
        await two.page.keyboard.press("Enter")
        more.set()
        for seen in (one, two):
            await seen.answers(3)
            assert await seen.page.locator(".question").all_inner_texts() == [
                "triage PAY1", "slowly", "meanwhile"
            ]  # fmt: skip
            assert seen.errors == []


async def test_what_was_said_is_there_after_a_restart_and_what_was_typed_too(
    opened: Opened, tab: Tab
) -> None:
    never = anyio.Event()
    engine = Scripted(
        answers={"first": [Reply(text="kept")], "slowly": [Step(text="looking"), never]}
    )
    async with opened(engine) as web:
        port = int(web.url.rstrip("/").rpartition(":")[2])
        tabs = tab(web.url)
        seen = await tabs.__aenter__()
        await seen.page.fill("#text", "first")
        await seen.page.keyboard.press("Enter")
        await seen.answers(1)
        await seen.page.fill("#text", "slowly")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.locator(".busy")).to_contain_text("looking")
    await seen.page.fill("#text", "asked while it was down")
    await seen.page.keyboard.press("Enter")
    await expect(seen.page.locator("#trouble")).to_contain_text("cannot be reached")
    await expect(seen.page.locator("#text")).to_have_value("asked while it was down")
    async with opened(Scripted(), port=port) as web:
        await seen.answers(2)
        await expect(seen.page.locator(".answer").nth(1)).to_contain_text(
            "Stopped before this was answered"
        )
        await expect(seen.page.locator("#trouble")).to_be_hidden()
        await seen.page.keyboard.press("Enter")
        await seen.answers(3)
        await seen.page.reload()
        await expect(seen.page.locator(".answer").nth(0)).to_contain_text("kept")
        await expect(seen.page.locator(".answer").nth(2)).to_contain_text("heard: asked while")
        await tabs.__aexit__(None, None, None)


async def test_what_is_too_long_is_refused_in_words_and_stays_typed(web: Web, tab: Tab) -> None:
    async with tab(f"{web.url}incidents/PAY1") as seen:
        await seen.page.fill("#text", "x" * 70_000)
        await seen.page.locator("#ask .send").click()
        await expect(seen.page.locator("#trouble")).to_contain_text("nothing was asked")
        await expect(seen.page.locator("#text")).to_have_value("x" * 70_000)
        web.incidents.clear()
        await seen.page.fill("#search", "nothing like it")
        await expect(seen.page.locator("#lists")).to_contain_text("None matches")
        await expect(seen.page.locator("#trouble")).to_be_visible()
        await seen.page.fill("#text", "why?")
        await seen.page.keyboard.press("Enter")
        await seen.answers(2)
        await expect(seen.page.locator("#trouble")).to_be_hidden()


async def test_a_session_that_ends_leads_back_to_the_thread_and_what_was_typed(
    opened: Opened, tab: Tab
) -> None:
    async with opened(tokens=(TOKEN,)) as web, tab(f"{web.url}incidents/PAY1") as seen:
        page = seen.page
        for text in ("first", "second"):
            await page.fill("#token", TOKEN)
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/incidents/PAY1")
            if text == "second":
                await expect(page.locator("#text")).to_have_value("first")
            await page.fill("#text", text)
            await page.context.clear_cookies()
            await page.keyboard.press("Enter")
            await page.locator("#token").wait_for()
    assert web.engine.asks == []


async def test_a_phone_shows_the_list_or_a_thread_and_nothing_beside_the_screen(
    web: Web, tab: Tab
) -> None:
    web.engine.answers["triage PAY1"] = [Reply(text="word " * 300 + "x" * 500, scope="s" * 300)]
    async with tab(web.url, phone=True) as seen:
        page = seen.page
        await page.locator("#lists .row").first.tap()
        await seen.answers(1)
        await expect(page.locator("#side")).to_be_hidden()
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        for button in await page.locator("main button:visible, main a.button:visible").all():
            box = await button.bounding_box()
            assert box is not None
            assert box["height"] >= 24
        await page.locator(".back").tap()
        await expect(page.locator("#lists .row").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        assert seen.errors == []


async def test_who_wants_no_motion_gets_none(web: Web, tab: Tab) -> None:
    more = anyio.Event()
    web.engine.answers["slowly"] = [Step(text="looking"), more, Reply(text="done")]
    async with tab(web.url, reduced_motion="reduce") as seen:
        await seen.page.fill("#text", "slowly")
        await seen.page.keyboard.press("Enter")
        await seen.page.locator(".spinner").wait_for()
        moving = "getComputedStyle(document.querySelector('.spinner')).animationName"
        assert await seen.page.evaluate(moving) == "none"
        more.set()
        await seen.answers(1)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
async def test_axe_finds_nothing_that_would_keep_anybody_out(
    web: Web, tab: Tab, modules: Path, *, phone: bool
) -> None:
    axe = await anyio.Path(modules / "axe-core/axe.min.js").read_text("utf-8")
    proof = web.engine.holds({"line": "disk is full"}, reason="x", suggestions=("try",))
    more = anyio.Event()
    web.engine.answers["help"] = [
        Reply(
            text=f"# Head\n`kubectl get pods`\n```\na\n```\n- [{proof.id}]\n\n| a | b |\n|--|--|\n| c | d |",
            citations=(proof.cite("disk is full"),),
            choices=(Choice(label="Why", text="why?"),),
            attachments=FILES,
            scope="here",
            sure=False,
        )
    ]
    web.engine.answers["slowly"] = [Step(text="looking"), Step(text="further"), more]

    async def wrong(where: Watched) -> list[str]:
        found = await where.page.evaluate(f"{axe};axe.run()")
        return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]]

    async with tab(web.url, phone=phone) as seen:
        assert await wrong(seen) == []
        await seen.page.fill("#text", "help")
        await seen.page.keyboard.press("Enter")
        await seen.answers(1)
        await expect(seen.page.locator("figure.diagram[data-drawn=yes]")).to_have_count(1)
        await seen.page.fill("#text", "slowly")
        await seen.page.keyboard.press("Enter")
        await seen.page.locator(".spinner").wait_for()
        assert await wrong(seen) == []
        more.set()
        await seen.page.locator(".text a.cite").first.click()
        await seen.page.locator("#drawer article").wait_for()
        assert await wrong(seen) == []
        await seen.page.goto(f"{web.url}threads/none")
        assert await wrong(seen) == []
