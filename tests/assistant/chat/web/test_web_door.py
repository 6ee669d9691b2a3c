"""Who comes in: by token, by a proxy's header, or nobody; and what every answer carries."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from assistant.chat.web.access import COOKIE, inside
from assistant.chat.web.sessions import Sessions, key_at
from assistant.chat.web.settings import web_settings
from assistant.errors import SettingsError
from tests.assistant.chat.web.conftest import TOKEN, Opened, Web

pytestmark = pytest.mark.anyio
PROXIED = {"WEB_IDENTITY_HEADER": "X-Forwarded-User", "WEB_TRUSTED_PROXIES": "127.0.0.0/8"}
READS = [
    "/", "/side", "/incidents/PAY1", "/incidents/PAY1/since", "/incidents/PAY1/turns/1",
    "/incidents/PAY1/turns/1/files/0", "/incidents/PAY1/evidence/e00000000", "/reports/t1", "/drawing",
]  # fmt: skip


@pytest.mark.parametrize("path", READS)
async def test_without_a_token_nothing_is_read(opened: Opened, path: str) -> None:
    async with opened(tokens=(f"priya: {TOKEN}",)) as web, web.client() as client:
        plain = await client.get(path)
        assert (plain.status_code, plain.headers["location"]) == (303, f"/login?next={path}")
        htmx = {"HX-Request": "true", "HX-Current-URL": f"{web.url}incidents/PAY1?a=b"}
        part = await client.get(path, headers=htmx)
        assert (part.status_code, part.headers["hx-redirect"]) == (
            401, "/login?next=/incidents/PAY1",
        )  # fmt: skip
        for forged in ("", "x", base64.b64encode(TOKEN.encode()).decode()):
            refused = await client.get(path, headers={"Cookie": f"{COOKIE}={forged}"})
            assert refused.status_code == 303
        assert web.asked == 0


async def test_without_a_token_nothing_is_asked(opened: Opened) -> None:
    async with opened(tokens=(TOKEN,)) as web, web.client() as client:
        for path in ("/threads", "/incidents/PAY1"):
            refused = await client.post(path, data={"text": "help", "key": "1" * 16})
            assert refused.status_code == 401
        assert web.engine.asks == []


async def test_a_websocket_is_refused_with_a_session_and_without(opened: Opened) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(b"0" * 16).decode(),
    }
    async with opened(tokens=(TOKEN,)) as web:
        async with web.client() as client:
            assert (await client.get("/", headers=upgrade)).status_code == 303
        async with web.known() as client:
            assert (await client.get("/", headers=upgrade)).status_code == 200


async def test_a_token_opens_a_session_that_names_the_person_and_is_written_nowhere(
    opened: Opened,
) -> None:
    async with opened(tokens=(f"priya: {TOKEN}", "another-made-up-token")) as web:
        async with web.client() as client:
            wrong = await client.post("/login", data={"token": "wrong"})
            assert wrong.status_code == 401
            assert "nobody" in wrong.text
            right = await client.post("/login", data={"token": TOKEN, "next": "/incidents/PAY1"})
            assert (right.status_code, right.headers["location"]) == (303, "/incidents/PAY1")
            cookie = right.headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=strict" in cookie
            assert "priya" in (await client.get("/")).text
            await client.post("/threads", data={"text": "help", "key": "a" * 16})
            assert web.engine.asks[0].by == "priya"
            await client.post("/logout")
            assert (await client.get("/")).status_code == 303
        assert TOKEN not in "".join(web.log) + cookie
        assert "wrong token was refused" in "".join(web.log)


async def test_behind_https_the_session_is_for_https_alone(opened: Opened) -> None:
    async with opened(tokens=(TOKEN,)) as web, web.client() as client:
        sent = await client.post(
            "/login", data={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"}
        )
        assert "Secure" in sent.headers["set-cookie"]


async def test_a_session_outlives_a_restart_and_ends_with_its_token(opened: Opened) -> None:
    async with opened(tokens=(TOKEN,)) as web, web.known() as client:
        cookies = dict(client.cookies)
    async with opened(tokens=("a-new-made-up-token", TOKEN)) as web, web.client() as client:
        client.cookies.update(cookies)
        assert (await client.get("/")).status_code == 200
    async with opened(tokens=("a-new-made-up-token",)) as web, web.client() as client:
        client.cookies.update(cookies)
        assert (await client.get("/")).status_code == 303


def test_the_key_of_the_sessions_is_for_the_user_alone_and_stays(tmp_path) -> None:
    path = tmp_path / "web.key"
    key = key_at(path)
    assert path.stat().st_mode & 0o077 == 0
    assert len(key) == 64
    assert key_at(path) == key


def test_a_session_of_another_key_or_of_nobody_is_none() -> None:
    settings = web_settings({}, [TOKEN])
    cookie = Sessions("one", settings).begin(TOKEN)
    assert cookie
    assert Sessions("one", settings).person(cookie) == "token"
    assert Sessions("two", settings).person(cookie) is None
    assert Sessions("one", settings).begin("") is None


async def test_a_link_from_elsewhere_comes_again_as_a_step_of_our_own(opened: Opened) -> None:
    """A strict cookie does not come with the first request."""
    async with opened(tokens=(TOKEN,)) as web, web.client() as client:
        first = await client.get("/incidents/PAY1", headers={"Sec-Fetch-Site": "cross-site"})
        assert 'http-equiv="refresh"' in first.text
        again = await client.get("/incidents/PAY1", headers={"Sec-Fetch-Site": "same-origin"})
        assert again.headers["location"] == "/login?next=/incidents/PAY1"


async def test_the_proxys_header_says_who_it_is(opened: Opened) -> None:
    async with opened(**PROXIED) as web, web.client() as client:
        told = {"X-Forwarded-User": "mateo@example.com"}
        await client.post("/threads", data={"text": "help", "key": "a" * 16}, headers=told)
        assert web.engine.asks[0].by == "mateo@example.com"
        assert (await client.get("/")).status_code == 401
        assert (await client.get("/login")).headers["location"] == "/"


@pytest.mark.parametrize("told", [["mateo", "admin"], [""], []])
async def test_a_header_that_names_nobody_or_two_lets_nobody_in(
    opened: Opened, told: list[str]
) -> None:
    async with opened(**PROXIED) as web, web.client() as client:
        refused = await client.get("/", headers=[("X-Forwarded-User", one) for one in told])
        assert refused.status_code == 401


async def test_behind_a_proxy_a_token_opens_too(opened: Opened) -> None:
    async with opened(tokens=(f"priya: {TOKEN}",), **PROXIED) as web, web.known() as client:
        assert "priya" in (await client.get("/")).text


async def test_a_header_of_somebody_else_is_not_believed(opened: Opened) -> None:
    elsewhere = PROXIED | {"WEB_TRUSTED_PROXIES": "10.0.0.5"}
    async with opened(**elsewhere) as web, web.client() as client:
        refused = await client.get("/", headers={"X-Forwarded-User": "mateo@example.com"})
        assert refused.status_code == 401
        assert "through the proxy" in refused.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200), ("[::1]:80", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421),
        ("", 421), ("@", 421), ("[::1", 421), ("[x]", 421), ("chat.example.com", 200),
    ],
)  # fmt: skip
async def test_only_hosts_that_are_ours_are_answered(
    opened: Opened, host: str, status: int
) -> None:
    async with opened(WEB_HOSTS="chat.example.com") as web, web.client() as client:
        answer = await client.get("/", headers={"Host": host})
        assert answer.status_code == status
        assert status == 200 or "WEB_HOSTS" in answer.text


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({}, True),
        ({"Origin": "SELF"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://127.0.0.1:1"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://["}, False),
        ({"Origin": "https://chat.example.com"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
async def test_what_another_site_sends_is_not_asked(
    opened: Opened, headers: dict[str, str], *, taken: bool
) -> None:
    async with opened(WEB_HOSTS="chat.example.com") as web, web.client() as client:
        sent = {name: value.replace("SELF", web.url.rstrip("/")) for name, value in headers.items()}
        form = {"text": "help", "key": "a" * 16}
        answer = await client.post("/threads", data=form, headers=sent)
        assert answer.status_code == (303 if taken else 403)
        assert len(web.engine.asks) == taken


async def test_every_answer_allows_nothing_but_our_own_files(web: Web) -> None:
    async with web.client() as client:
        for path in ("/", "/login", "/static/page.js", "/no/such/page", "/health"):
            headers = (await client.get(path, follow_redirects=True)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert "server" not in headers
        assert (await client.get("/")).headers["cache-control"] == "no-store"


async def test_a_page_holds_no_script_style_or_address_but_our_own(web: Web) -> None:
    async with web.client() as client:
        text = (await client.get("/")).text
        assert not re.search(r"<script(?! src=\"/static/)| style=|\son\w+=|https?://", text)
        for path in re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", text):
            assert (await client.get(path)).status_code == 200
        assert (await client.get("/static/../settings.py")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "//[",
        "https://evil.example",
        "/\\evil.example",
        "javascript:1",
        "",
        "/a\nb",
    ],
)
def test_a_login_leads_nowhere_else(path: str) -> None:
    assert inside(path) == "/"


@pytest.mark.parametrize(
    ("variables", "tokens", "host", "said"),
    [
        ({}, (), "0.0.0.0", "WEB_TOKEN_FILE"),  # noqa: S104
        ({}, (), "::", "nobody would be asked"),
        ({}, ("short",), "127.0.0.1", "openssl rand"),
        ({}, (": " + TOKEN,), "127.0.0.1", "name: token"),
        ({"WEB_IDENTITY_HEADER": "X-User"}, (), "127.0.0.1", "go together"),
        ({"WEB_TRUSTED_PROXIES": "10.0.0.1"}, (), "127.0.0.1", "go together"),
        (PROXIED | {"WEB_IDENTITY_HEADER": "X User"}, (), "127.0.0.1", "no name of a header"),
        (PROXIED | {"WEB_TRUSTED_PROXIES": "proxy"}, (), "127.0.0.1", "10.0.0.5"),
    ],
)  # fmt: skip
def test_settings_that_would_let_anybody_in_are_refused(
    variables: dict[str, str], tokens: tuple[str, ...], host: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as raised:
        web_settings(variables, tokens, host)
    assert TOKEN not in str(raised.value)


def test_with_a_way_to_log_in_any_address_may_be_listened_on() -> None:
    assert not web_settings({}, (TOKEN,), "0.0.0.0").open  # noqa: S104
    assert not web_settings(PROXIED, (), "0.0.0.0").open  # noqa: S104
    assert web_settings({}, (), "localhost").open


async def test_a_body_of_unknown_length_is_not_read(opened: Opened) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"token=" + b"x" * 10_000

    async with opened(tokens=(TOKEN,)) as web, web.client() as client:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        refused = await client.post("/login", content=endless(), headers=form)
        assert refused.status_code == 411


async def test_a_file_is_kept_by_browsers_for_one_version_alone(web: Web) -> None:
    async with web.client() as client:
        page = (await client.get("/drawing")).text
        named = re.findall(r'src="([^"]+)"', page)
        assert len(named) == 2
        for path in named:
            assert "immutable" in (await client.get(path)).headers["cache-control"]
        assert (await client.get("/static/page.js")).headers["cache-control"] == "no-store"


async def test_headers_of_a_login_that_lie_are_refused(opened: Opened) -> None:
    async with opened(tokens=(TOKEN,)) as web, web.client() as client:
        large = await client.post("/login", data={"token": "x" * 5000})
        assert large.status_code == 413
        wrong = {"Content-Type": "multipart/form-data; boundary=x"}
        broken = await client.post("/login", content=b"--x\r\nnothing", headers=wrong)
        assert broken.status_code in (400, 401)
        assert isinstance(broken, httpx.Response)
