"""Plain web pages of a real server: what changed, what moved, and where it may not go."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from eval.lab.listener import listening
from ingest.errors import IngestError
from ingest.sources.endings import MAX_BYTES
from ingest.sources.settings import Table
from ingest.sources.site import Answer
from ingest.sources.table import sources
from ingest.sources.web import _locations, _path

pytestmark = pytest.mark.anyio


@dataclass
class WebPage:
    body: str = "<p>text</p>"
    headers: dict = field(default_factory=dict)
    type: str = "text/html; charset=utf-8"
    status: int = 200
    head: bool = True


class WebServer:
    """Pages by path, and what was asked for."""

    def __init__(self, **pages):
        self.pages = {f"/{name}": page for name, page in pages.items()}
        self.asked = []
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "HEAD"])])

    async def _answer(self, request):
        self.asked.append((request.method, request.url.path))
        page = self.pages.get(request.url.path)
        if page is None:
            return Response("nothing here", 404)
        if request.method == "HEAD" and not page.head:
            return Response("", 405)
        return Response(page.body, page.status, {"content-type": page.type, **page.headers})


@asynccontextmanager
async def opened(server, tmp_path, *, pages=(), sitemap="", allow_private=True):
    async with listening(server.app) as listener:
        given = {
            "kind": "web",
            "pages": [f"{listener.url}/{page}" for page in pages],
            "sitemap": f"{listener.url}/{sitemap}" if sitemap else "",
            "allow_private": allow_private,
        }
        (source,) = sources(Table.model_validate({"sources": [given]}), tmp_path, {})
        yield source, listener.url
        await source.close()


def names(listing):
    return [item.path.partition("/")[2] for item in listing.items]


async def test_a_page_is_known_by_its_etag_or_its_date_and_not_read_for_it(tmp_path):
    date = "Fri, 01 May 2026 10:00:00 GMT"
    server = WebServer(
        a=WebPage(headers={"ETag": '"1"'}), b=WebPage(headers={"Last-Modified": date})
    )
    async with opened(server, tmp_path, pages=["a", "b"]) as (source, url):
        a, b = (await source.list()).items
        assert (a.fingerprint, b.fingerprint) == ('"1"', date)
        assert {method for method, _ in server.asked} == {"HEAD"}
        assert (a.url, a.media_type, b.modified) == (
            f"{url}/a",
            "text/html; charset=utf-8",
            datetime(2026, 5, 1, 10, tzinfo=UTC),
        )
        assert await a.read() == b"<p>text</p>"


async def test_a_page_without_marks_is_known_by_its_bytes(tmp_path):
    server = WebServer(a=WebPage())
    async with opened(server, tmp_path, pages=["a"]) as (source, _):
        before = (await source.list()).items[0].fingerprint
        assert (await source.list()).items[0].fingerprint == before
        server.pages["/a"].body = "<p>new</p>"
        assert (await source.list()).items[0].fingerprint != before


async def test_a_server_that_knows_no_head_is_asked_for_the_page(tmp_path):
    server = WebServer(a=WebPage(headers={"ETag": '"1"'}, head=False))
    async with opened(server, tmp_path, pages=["a"]) as (source, _):
        assert (await source.list()).items[0].fingerprint == '"1"'


async def test_the_pages_of_a_sitemap_are_listed_once_and_only_of_its_own_host(tmp_path):
    server = WebServer(a=WebPage(), b=WebPage(type="application/pdf"))
    async with opened(server, tmp_path, pages=["a"], sitemap="sitemap.xml") as (source, url):
        locations = [f"{url}/a", f"{url}/b?x=1&amp;y=2", "http://elsewhere.example.com/c"]
        urls = "".join(f"<url><loc>\n{one}\n</loc></url>" for one in locations)
        server.pages["/sitemap.xml"] = WebPage(f'<?xml version="1.0"?><urlset>{urls}</urlset>')
        listing = await source.list()
    assert names(listing) == ["a", "b?x=1&y=2"]
    assert listing.items[1].media_type == "application/pdf"


async def test_a_sitemap_of_sitemaps_is_followed(tmp_path):
    server = WebServer(a=WebPage())
    async with opened(server, tmp_path, sitemap="index.xml") as (source, url):
        server.pages["/index.xml"] = WebPage(
            f"<sitemapindex><loc>{url}/one.xml</loc></sitemapindex>"
        )
        server.pages["/one.xml"] = WebPage(f"<urlset><loc>{url}/a</loc></urlset>")
        assert names(await source.list()) == ["a"]


async def test_what_a_sitemap_names_and_is_gone_or_no_document_is_left_out(tmp_path):
    server = WebServer(a=WebPage(), image=WebPage(type="image/png"), down=WebPage(status=500))
    async with opened(server, tmp_path, sitemap="map") as (source, url):
        found = "".join(f"<loc>{url}/{page}</loc>" for page in ("a", "gone", "image", "down"))
        server.pages["/map"] = WebPage(found)
        listing = await source.list()
    assert names(listing) == ["a"]
    assert ["/down failed: HTTP 500" in words for words in listing.unreadable] == [True]


async def test_a_sitemap_without_pages_of_its_host_is_an_error(tmp_path):
    async with opened(WebServer(s=WebPage("<urlset/>")), tmp_path, sitemap="s") as (source, _):
        with pytest.raises(IngestError, match="names no page of its own host"):
            await source.list()


async def test_a_page_that_fails_is_told_and_does_not_look_deleted(tmp_path):
    server = WebServer(a=WebPage(), image=WebPage(type="image/png"))
    async with opened(server, tmp_path, pages=["a", "gone", "image"]) as (source, url):
        listing = await source.list()
    assert names(listing) == ["a"]
    assert [
        words.startswith(start)
        for words, start in zip(listing.unreadable, ("GET", url), strict=True)
    ]
    assert "HTTP 404 Not Found 'nothing here'" in listing.unreadable[0]
    assert "is image/png, which is not read" in listing.unreadable[1]


async def test_a_site_of_which_no_page_answers_is_an_error(tmp_path):
    async with opened(WebServer(), tmp_path, pages=["a", "b"]) as (source, _):
        with pytest.raises(IngestError, match="none of 2 pages answers"):
            await source.list()


async def test_a_move_on_the_same_host_is_followed_and_one_to_another_is_not(tmp_path):
    server = WebServer(new=WebPage(), old=WebPage(status=301, headers={"Location": "/new"}))
    server.pages["/away"] = WebPage(
        status=302, headers={"Location": "http://169.254.169.254/latest"}
    )
    server.pages["/broken"] = WebPage(status=302, headers={"Location": "http://[x"})
    server.pages["/ring"] = WebPage(status=302, headers={"Location": "/ring"})
    async with opened(server, tmp_path, pages=["old", "away", "ring", "broken"]) as (source, _):
        listing = await source.list()
        assert names(listing) == ["old"]
        assert await listing.items[0].read() == b"<p>text</p>"
    assert "leads to http://169.254.169.254, which is another place" in listing.unreadable[0]
    assert "moved more than" in listing.unreadable[1]
    assert "leads to 'http://[x', which is no address" in listing.unreadable[2]


async def test_a_private_address_is_not_read_unless_allowed(tmp_path):
    async with opened(WebServer(a=WebPage()), tmp_path, pages=["a"], allow_private=False) as (
        source,
        _,
    ):
        with pytest.raises(IngestError, match=r"private address 127\.0\.0\.1; it is not read"):
            await source.list()


async def test_a_page_that_is_too_large_is_not_read_to_its_end(tmp_path):
    server = WebServer(a=WebPage("x" * (MAX_BYTES + 1), {"ETag": '"1"'}))
    async with opened(server, tmp_path, pages=["a"]) as (source, _):
        (item,) = (await source.list()).items
        with pytest.raises(IngestError, match="is larger than 2000000 bytes"):
            await item.read()


async def test_since_lists_what_is_newer_or_without_a_date(tmp_path):
    old = WebPage(headers={"Last-Modified": "Fri, 01 May 2026 10:00:00 GMT"})
    async with opened(WebServer(a=old, b=WebPage()), tmp_path, pages=["a", "b"]) as (source, _):
        listing = await source.list(datetime(2026, 6, 1, tzinfo=UTC))
    assert (names(listing), listing.whole) == (["b"], False)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_sitemap_of_addresses_or_of_none(body):
    loc = b"<loc>https://a.example.com/" + body + b"</loc>"
    for page in _locations(Answer("https://a.example.com/map", 200, {}, loc)):
        assert page.startswith("https://a.example.com/")
        assert _path(page)
