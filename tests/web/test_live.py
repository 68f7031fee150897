"""Live events: who hears what, and when a stream ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from httpx2 import AsyncClient, Response
from redis.asyncio import Redis as Client
from sqlalchemy import update

from app.events import CHANNEL, Event
from app.models import Database, Process, Session
from app.views.events import names
from app.web.live import STREAMS, Live
from app.web.state import Request
from tests.servers.redis import Redis
from tests.servers.waiting import eventually_async
from tests.web.client import Clock, Site, running


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """With a Redis."""
    with Redis() as redis:
        async with running(database_url, tmp_path, redis_url=redis.url) as site:
            await eventually_async(lambda: live_of(site).subscribed)
            yield site


def live_of(site: Site) -> Live:
    live: Live = site.served.server.lifespan.state["live"]
    return live


class Stream:
    """An open stream, read line by line."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def line(self) -> str:
        """Give the next line that says something."""
        async with asyncio.timeout(10):
            while not (line := await anext(self._lines)):
                pass
        return line

    async def event(self) -> str:
        while not (line := await self.line()).startswith("event: "):
            pass
        return line.removeprefix("event: ")

    async def rest(self) -> list[str]:
        """Wait for the end."""
        async with asyncio.timeout(10):
            return [line async for line in self._lines if line]


@asynccontextmanager
async def stream(browser: AsyncClient) -> AsyncIterator[Stream]:
    async with browser.stream("GET", "/events", headers={"Accept": "text/event-stream"}) as response:
        yield Stream(response)


async def publish(site: Site, name: str) -> None:
    client = Client.from_url(site.config.redis_url)
    await client.publish(CHANNEL, name)
    await client.aclose()


async def test_a_stream_begins_at_once_and_carries_names_only(site: Site) -> None:
    async with site.signed_in() as browser, stream(browser) as events:
        assert events.response.headers["Content-Type"].startswith("text/event-stream")
        assert events.response.headers["Cache-Control"] == "no-store"
        assert (await events.line()).startswith(":")
        await publish(site, "message-changed")
        assert await events.line() == "event: message-changed"
        assert (await events.line()).strip() == "data:"


async def test_every_stream_hears_every_event(site: Site) -> None:
    async with (
        site.signed_in() as ada,
        site.signed_in() as grace,
        stream(ada) as first,
        stream(grace) as second,
    ):
        await first.line()
        await second.line()
        await publish(site, "delivery-changed")
        assert [await first.event(), await second.event()] == ["delivery-changed", "delivery-changed"]


async def test_a_name_of_another_version_means_look_at_everything(site: Site) -> None:
    async with site.signed_in() as browser, stream(browser) as events:
        await events.line()
        await publish(site, "weather-changed")
        assert await events.event() == "all-changed"


async def test_after_a_break_everything_is_looked_at(database_url: str, tmp_path: Path) -> None:
    with Redis() as redis:
        async with (
            running(database_url, tmp_path, redis_url=redis.url) as site,
            site.signed_in() as browser,
        ):
            await eventually_async(lambda: live_of(site).subscribed)
            async with stream(browser) as events:
                await events.line()
                redis.kill()
                await eventually_async(lambda: not live_of(site).subscribed)
                redis.start()
                assert await events.event() == "all-changed"
                await eventually_async(lambda: live_of(site).subscribed)
                await publish(site, "run-changed")
                assert await events.event() == "run-changed"


async def test_without_redis_a_commit_is_seen_in_the_database(database_url: str, tmp_path: Path) -> None:
    async with (
        running(database_url, tmp_path) as site,
        site.signed_in() as browser,
        stream(browser) as events,
    ):
        await events.line()
        await site.link()  # any commit by another connection
        assert await events.event() == "all-changed"


async def test_a_process_that_died_is_noticed(site: Site) -> None:
    owner = live_owner_of_nobody(site)
    async with site.signed_in() as browser, stream(browser) as events:
        await events.line()
        async with site.database.transaction() as db:
            db.add(owner)
        assert await events.event() == "process-changed"


def live_owner_of_nobody(site: Site) -> Process:
    from app.jobs.owner import machine

    now = site.clock()
    owner = f"{machine()}/worker/4000000/1"
    return Process(owner=owner, role="worker", machine=machine(), pid=4000000, started_at=now, beat_at=now)


async def test_open_streams_end_at_once_when_the_server_stops(site: Site) -> None:
    async with site.signed_in() as browser, stream(browser) as first, stream(browser) as second:
        await first.line()
        await second.line()
        site.served.server.should_exit = True
        assert await first.rest() == []  # an orderly end: an aborted stream would raise
        assert await second.rest() == []


async def test_signing_out_ends_ones_own_streams_and_no_others(site: Site) -> None:
    async with (
        site.signed_in() as ada,
        site.signed_in() as grace,
        stream(ada) as hers,
        stream(grace) as other,
    ):
        await hers.line()
        await other.line()
        await ada.post("/logout")
        assert await hers.rest() == []
        await publish(site, "message-changed")
        assert await other.event() == "message-changed"


async def test_a_session_has_so_many_streams_and_gets_them_back(site: Site) -> None:
    async with site.signed_in() as browser:
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(stream(browser)) for _ in range(STREAMS)]
            for one in opened:
                await one.line()
            assert (await browser.get("/events")).status_code == 429
        await eventually_async(partial(may_open, browser))


async def may_open(browser: AsyncClient) -> bool:
    async with browser.stream("GET", "/events") as response:
        return response.status_code == 200


async def test_looking_at_the_headers_opens_no_stream(site: Site) -> None:
    async with site.signed_in() as browser:
        for _ in range(STREAMS + 1):
            assert (await browser.head("/events")).status_code == 200


async def test_a_stream_ends_when_its_session_was_revoked_elsewhere(database: Database) -> None:
    clock = Clock()
    session = Session(
        token_hash="h",
        username="ada",
        created_at=clock(),
        seen_at=clock(),
        expires_at=clock().replace(year=9999),
    )
    async with database.transaction() as db:
        db.add(session)
    listener = Live("redis://127.0.0.1:1/0", database, clock).join("h")
    assert listener is not None
    request = Request({"type": "http", "state": {"database": database, "now": clock}})
    heard = names(request, listener, session, recheck=0.01)
    assert (await anext(heard)).comment == "open"
    waiting = asyncio.ensure_future(anext(heard))
    listener.tell(Event.RUN_CHANGED)
    assert (await waiting).event == "run-changed"
    async with database.transaction() as db:
        await db.exec(update(Session).values(revoked_at=clock()))
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(heard), 10)
