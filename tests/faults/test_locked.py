"""F19: another process holds the database for longer than we wait. Nothing is half done."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from app.jobs.border import guarded
from app.jobs.sweep import sweep
from app.models import Delivery, DeliveryState
from tests.faults.conftest import contents, on_disk
from tests.faults.disk import Disk
from tests.faults.holder import held
from tests.jobs.conftest import World
from tests.letters import with_link
from tests.servers.waiting import eventually_async
from tests.web.client import Site, running

SHORT = "busy_timeout=100"  # milliseconds


@pytest.fixture
def path(database_url: str) -> Path:
    return Path(database_url.removeprefix("sqlite+aiosqlite:///"))


@pytest.fixture
async def impatient(path: Path, world: World) -> AsyncIterator[World]:
    """A worker that waits for a lock as briefly as a test can."""
    async with on_disk(world, Disk(path), SHORT) as (here, _):
        here.arrives(with_link(), with_link())
        yield here


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with running(database_url, tmp_path) as site:
        yield site


async def test_no_step_is_half_done_while_somebody_holds_the_database(impatient: World, path: Path) -> None:
    world = impatient
    steps = (world.poll, world.decide, partial(sweep, world.context), world.deliver)
    for done in range(len(steps)):
        before = await contents(world.context.database)
        with held(path):
            for step in steps:
                await guarded("step", step)
            assert await contents(world.context.database) == before
        await steps[done]()
    assert len(world.sink.seen) == 2
    assert (await world.mailbox()).failures == 0
    assert {delivery.state for delivery in await world.rows(Delivery)} == {DeliveryState.SENT}


async def test_answers_wait_for_whoever_holds_the_database(impatient: World, path: Path) -> None:
    await impatient.poll()
    await impatient.decide()
    await impatient.deliverer.claim_due()
    with held(path):
        await eventually_async(lambda: len(impatient.sink.seen) == 2)
        draining = asyncio.create_task(impatient.deliverer.drain())
        await guarded("decide", impatient.decide)  # takes as long as one who waits for the lock
        assert not draining.done()
    await draining
    assert {delivery.state for delivery in await impatient.rows(Delivery)} == {DeliveryState.SENT}
    assert len(impatient.sink.seen) == 2


async def test_whoever_wants_to_change_something_is_told_when_to_come_back(site: Site, path: Path) -> None:
    htmx, pause = {"HX-Request": "true"}, {"to": "paused"}
    async with site.signed_in(Origin=site.url) as browser:
        with held(path):
            assert (await browser.get("/")).status_code == 200
            asked = (
                browser.post("/pause", data=pause),
                browser.post("/pause", data=pause, headers=htmx),
                browser.post("/api/check_emails_and_download"),
            )
            answers = await asyncio.gather(*asked)
        again = await browser.post("/pause", data=pause)
    assert [answer.status_code for answer in answers] == [503] * 3
    assert {answer.headers["Retry-After"] for answer in answers} == {"5"}
    page, toast, program = answers
    assert "The database is busy. Nothing was changed" in page.text
    assert toast.headers["HX-Retarget"] == "#toasts"
    assert "<html" not in toast.text
    assert program.json()["success"] is False
    assert again.status_code == 303
