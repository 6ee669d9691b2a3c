"""Pages of a Confluence that pages, limits and fails, by the API of Cloud and by that of a server."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from starlette.responses import JSONResponse, RedirectResponse
from wiki import ACCOUNT, Wiki, login_page, rate_limit

from eval.lab.listener import listening
from ingest.errors import IngestError
from ingest.sources.settings import Table
from ingest.sources.table import sources

pytestmark = pytest.mark.anyio
CONTEXTS = {"cloud": "/wiki", "server": "/confluence"}


class Reader:
    """A source on a wiki, and the waits that it was asked for."""

    def __init__(self, url, cache, edition, **settings):
        self.waits = []
        self.environment = {"WIKI_TOKEN": ACCOUNT[1]}
        user = {"user": ACCOUNT[0]} if edition == "cloud" else {}
        found = {"kind": "confluence", "url": url, "edition": edition, "spaces": ["SRE"]}
        table = Table.model_validate(
            {"sources": [found | user | {"token_env": "WIKI_TOKEN"} | settings]}
        )
        (self.source,) = sources(table, cache, self.environment, sleep=self._sleep)

    async def _sleep(self, seconds):
        self.waits.append(seconds)

    async def items(self, since=None):
        return {item.path: item for item in (await self.source.list(since)).items}


@pytest.fixture(params=["cloud", "server"])
def edition(request):
    return request.param


@pytest.fixture
def wiki(edition):
    made = Wiki(CONTEXTS[edition])
    for id in "12345":
        made.write(id)
    return made


@pytest.fixture
def opened(wiki, edition, tmp_path):
    @asynccontextmanager
    async def open_reader(**settings):
        async with listening(wiki.app) as listener:
            reader = Reader(listener.url + wiki.context, tmp_path, edition, **settings)
            yield reader
            await reader.source.close()

    return open_reader


async def test_all_pages_are_listed_however_few_come_at_once(opened, wiki):
    async with opened() as reader:
        items = await reader.items()
        assert list(items) == [f"SRE/{id}.html" for id in "12345"]
        one = items["SRE/1.html"]
        assert (one.media_type, one.given.title) == ("text/html", "Page 1")
        assert one.url.endswith(f"{wiki.context}/spaces/SRE/pages/1")
        assert one.modified == datetime(2026, 5, 1, 10, tzinfo=UTC)


async def test_a_page_is_read_in_storage_format(opened, wiki):
    body = '<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[a < b]]></ac:plain-text-body></ac:structured-macro>'
    wiki.write("1", body=body)
    async with opened() as reader:
        assert await (await reader.items())["SRE/1.html"].read() == body.encode()


async def test_listing_asks_for_no_page_itself(opened, wiki):
    async with opened() as reader:
        await reader.items()
    assert not any(path.endswith("/1") for path in wiki.asked)


async def test_an_edit_or_a_label_changes_the_fingerprint_of_its_page_alone(opened, wiki):
    async with opened() as reader:
        before = await reader.items()
        wiki.edit("2", "<p>new</p>", "2026-06-01T10:00:00.000Z")
        wiki.pages["3"].labels.append("service-checkout")
        after = await reader.items()
    changed = [path for path in before if before[path].fingerprint != after[path].fingerprint]
    assert changed == ["SRE/2.html", "SRE/3.html"]
    assert after["SRE/3.html"].given.services == ("checkout",)


async def test_labels_say_service_alert_environment_and_nothing_of_a_person(opened, wiki):
    wiki.pages["1"].labels += [
        "service-checkout",
        "service-cart",
        "env-production",
        "title-x",
        "runbook",
    ]
    async with opened() as reader:
        given = (await reader.items())["SRE/1.html"].given
    assert given.services == ("checkout", "cart")
    assert given.environments == ("production",)
    assert given.title == "Page 1"


async def test_only_pages_with_one_of_the_labels_are_listed(opened, wiki):
    wiki.pages["2"].labels.append("runbook")
    wiki.pages["4"].labels.append("playbook")
    async with opened(labels=["runbook", "playbook"]) as reader:
        assert list(await reader.items()) == ["SRE/2.html", "SRE/4.html"]


async def test_attachments_archived_and_restricted_pages_and_other_spaces_are_left_out(
    opened, wiki
):
    wiki.write("6", type="attachment")
    wiki.write("7", status="archived")
    wiki.write("8", restricted=True)
    wiki.write("9", space="OPS")
    async with opened() as reader:
        assert list(await reader.items()) == [f"SRE/{id}.html" for id in "12345"]
    async with opened(spaces=["SRE", "OPS"]) as reader:
        assert "OPS/9.html" in await reader.items()


async def test_since_lists_what_changed_and_says_that_it_is_not_all(opened, wiki):
    wiki.edit("3", "<p>new</p>", "2026-06-01T10:00:00.000Z")
    async with opened() as reader:
        listing = await reader.source.list(datetime(2026, 5, 15, tzinfo=UTC))
    assert [item.path for item in listing.items] == ["SRE/3.html"]
    assert not listing.whole


async def test_a_rate_limit_is_waited_out_as_long_as_it_asks(opened, wiki):
    wiki.busy = [rate_limit("7"), rate_limit("11")]
    async with opened() as reader:
        assert len(await reader.items()) == 5
        assert reader.waits == [7.0, 11.0]


async def test_a_date_to_retry_after_is_understood(opened, wiki):
    answer = rate_limit("Sat, 02 May 2026 10:00:30 GMT")
    answer.headers["Date"] = "Sat, 02 May 2026 10:00:10 GMT"
    wiki.busy = [answer]
    async with opened() as reader:
        await reader.items()
        assert reader.waits == [20.0]


async def test_a_limit_that_asks_for_too_long_ends_the_listing(opened, wiki):
    wiki.busy = [rate_limit("3600")]
    async with opened() as reader:
        with pytest.raises(IngestError, match="asks to wait 3600 s; run again after that"):
            await reader.items()
        assert reader.waits == []


async def test_a_wiki_that_stays_busy_is_given_up(opened, wiki):
    wiki.busy = [JSONResponse({"message": "Try later"}, 503) for _ in range(9)]
    async with opened() as reader:
        with pytest.raises(
            IngestError, match="HTTP 503 Service Unavailable 'Try later'; try again"
        ):
            await reader.items()
        assert reader.waits == [1.0, 2.0, 4.0, 8.0, 16.0]


async def test_a_failure_in_the_middle_lists_nothing(opened, wiki):
    async with opened() as reader:
        wiki.fail_after = 3
        with pytest.raises(IngestError, match="HTTP 500 Internal Server Error 'broken'"):
            await reader.items()
        assert len(wiki.asked) == 4


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_tells_the_address_the_words_and_the_variable(opened, wiki, status):
    wiki.busy = [JSONResponse({"message": "No way"}, status)]
    async with opened() as reader:
        with pytest.raises(IngestError, match=rf"space.* HTTP {status} .*'No way'; .*WIKI_TOKEN"):
            await reader.items()


async def test_a_wrong_token_is_an_error_that_does_not_hold_it(opened):
    async with opened() as reader:
        reader.environment["WIKI_TOKEN"] = "old-s3cr3t"
        with pytest.raises(IngestError, match="HTTP 401") as raised:
            await reader.items()
        assert "s3cr3t" not in str(raised.value)


async def test_a_token_that_an_answer_repeats_is_not_repeated(opened, wiki):
    wiki.busy = [JSONResponse({"message": f"bad token {ACCOUNT[1]}"}, 403)]
    async with opened() as reader:
        with pytest.raises(IngestError, match=r"bad token \*\*\*"):
            await reader.items()


async def test_a_token_that_is_not_set_names_its_variable(opened):
    async with opened() as reader:
        reader.environment.clear()
        with pytest.raises(IngestError, match="variable WIKI_TOKEN is not set"):
            await reader.items()


async def test_a_login_page_in_place_of_an_answer_is_called_so(opened, wiki):
    wiki.busy = [login_page()]
    async with opened() as reader:
        with pytest.raises(
            IngestError, match=r"answered text/html.* and not JSON, perhaps a login page"
        ):
            await reader.items()


async def test_a_space_that_cannot_be_seen_is_an_error_and_not_an_empty_space(opened):
    async with opened(spaces=["SRE", "NOPE"]) as reader:
        with pytest.raises(IngestError, match="shows no space 'NOPE' to this account"):
            await reader.items()


async def test_a_page_that_went_meanwhile_is_an_error_of_that_page(opened, wiki):
    async with opened() as reader:
        item = (await reader.items())["SRE/1.html"]
        del wiki.pages["1"]
        with pytest.raises(IngestError, match=r"/1.* failed: HTTP 404 Not Found"):
            await item.read()


async def test_credentials_follow_no_link_to_another_host(opened, wiki):
    elsewhere = {"results": [], "_links": {"next": "http://evil.example.com/wiki/api"}}
    wiki.busy = [JSONResponse(elsewhere)]
    async with opened() as reader:
        with pytest.raises(IngestError, match=r"leads to http://evil\.example\.com"):
            await reader.items()


async def test_a_redirect_is_told_and_not_followed(opened, wiki):
    wiki.busy = [RedirectResponse("https://login.example.com/", 302)]
    async with opened() as reader:
        with pytest.raises(
            IngestError, match=r"HTTP 302 Found: it moved to https://login\.example"
        ):
            await reader.items()


async def test_a_wiki_that_is_down_is_named(wiki, edition, tmp_path):
    async with listening(wiki.app) as listener:
        url = listener.url + wiki.context
    reader = Reader(url, tmp_path, edition)
    with pytest.raises(IngestError, match=r"ConnectError.*check the address and the network"):
        await reader.items()


@pytest.mark.parametrize("answer", [{"results": [{"key": "SRE"}, 7]}, {"results": 1}, {}, []])
async def test_an_answer_of_another_shape_is_an_error(opened, wiki, answer):
    wiki.busy = [JSONResponse(answer)]
    async with opened() as reader:
        with pytest.raises(IngestError):
            await reader.items()


async def test_links_of_the_gateway_for_scoped_tokens_are_followed(tmp_path):
    wiki = Wiki("/ex/confluence/11-22/wiki")
    for id in "123":
        wiki.write(id)
    async with listening(wiki.app) as listener:
        reader = Reader(listener.url + wiki.context, tmp_path, "cloud")
        assert len(await reader.items()) == 3
        await reader.source.close()
