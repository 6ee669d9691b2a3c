"""What all tests share: one event loop back end, and nothing of the machine's own settings."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
