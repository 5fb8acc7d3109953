"""One server over the indexed demo library for all tests of the API."""

from collections.abc import Iterator

import httpx
import pytest

from indexer.settings import Settings
from tests.api.serving import serving


@pytest.fixture(scope="session")
def address(demo_home: Settings) -> Iterator[str]:
    with serving(demo_home) as address:
        yield address


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client
