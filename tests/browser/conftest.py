"""A real Chromium, signed in to a real site that hears a real Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from app.jobs.queue import Queue
from tests.servers.redis import Redis
from tests.views.cast import Cast
from tests.views.day import seed
from tests.web.client import Site, running

Open = Callable[..., Any]


@pytest.fixture
async def site(database_url: str, tmp_path: Path, redis: Redis) -> AsyncIterator[Site]:
    async with running(database_url, tmp_path, redis_url=redis.url) as site:
        yield site


@pytest.fixture
async def cast(site: Site) -> Cast:
    return await seed(site.database, site.clock())


@pytest.fixture
async def publish(redis: Redis) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Tell the pages, as a worker does after its commit."""
    queue = Queue(redis.url)
    yield queue.publish
    await queue.aclose()


@pytest.fixture
def opened(chromium: Browser, site: Site) -> Open:
    """Open a page as the signed-in operator; whatever the browser complains of fails the test."""

    @asynccontextmanager
    async def open_page(path: str, **options: Any) -> AsyncIterator[Page]:  # noqa: ANN401 - as the browser has them
        async with await chromium.new_context(locale="en-GB", base_url=site.url, **options) as context:
            page = await context.new_page()
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "console",
                lambda said: complaints.append(said.text) if "Security Policy" in said.text else None,
            )
            await page.goto(await site.link())
            await page.get_by_role("button", name="Sign in").click()
            await page.goto(path)
            if options.get("java_script_enabled", True):
                await page.wait_for_selector("html[data-live=on]")
            yield page
            assert complaints == []

    return open_page
