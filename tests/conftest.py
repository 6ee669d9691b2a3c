"""What all tests share: one event loop back end, bounded examples, nothing of the machine's own settings."""

import pytest
from hypothesis import settings

# How long one example takes says more of the machine than of the code.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
