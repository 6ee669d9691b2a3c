from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pagerduty_account import NOW, TOKEN, Account, served

from mcp_servers import pagerduty


@pytest.fixture
def account() -> Iterator[Account]:
    with served(Account()) as running:
        yield running


@pytest.fixture
async def server(account: Account) -> AsyncIterator[Any]:
    environment = {"PAGERDUTY_API_URL": account.url, "PAGERDUTY_TOKEN": TOKEN}
    built = pagerduty.build(environment, lambda: NOW)
    yield built
    assert built.close is not None
    await built.close()


@pytest.fixture
def tools(server: Any) -> dict[str, Any]:
    return {tool.function.__name__: tool.function for tool in server.tools}
