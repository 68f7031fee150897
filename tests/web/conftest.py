"""A site for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.client import Site, running


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with running(database_url, tmp_path) as site:
        yield site
