"""A site for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from tests.web.client import Site, running


@pytest.fixture(autouse=True, scope="session")
def _plain_lines() -> None:
    """As in production: the console's coloured tracebacks take seconds to draw."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with running(database_url, tmp_path) as site:
        yield site
