"""A site with a day's work in it, and somebody signed in."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.views.cast import Cast
from tests.views.day import seed
from tests.web.client import Site, running


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with running(database_url, tmp_path) as site:
        yield site


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await seed(site.database, site.clock())


@pytest.fixture
async def ada(site: Site) -> AsyncIterator[httpx2.AsyncClient]:
    """The operator's browser, in English."""
    async with site.signed_in(**{"Accept-Language": "en"}) as browser:
        yield browser
