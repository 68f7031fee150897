"""F20 and F21: the disk is full, or fails now and then. A step is done or it is not, and it is done later."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from app.jobs.border import guarded
from app.jobs.poll import poll, request_polls
from app.jobs.sweep import sweep
from app.models import (
    Attempt,
    Database,
    Delivery,
    DeliveryState,
    Endpoint,
    Mailbox,
    Message,
    MessageState,
    Run,
    RunState,
)
from tests.faults.conftest import contents, on_disk
from tests.faults.disk import Disk
from tests.jobs.conftest import World
from tests.letters import with_link
from tests.servers.waiting import eventually_async

MAILS = 6
SEED = 21


@pytest.fixture
def disk(database_url: str) -> Disk:
    return Disk(Path(database_url.removeprefix("sqlite+aiosqlite:///")))


@pytest.fixture
async def here(disk: Disk, world: World) -> AsyncIterator[World]:
    with disk:
        async with on_disk(world, disk) as (here, _):
            here.arrives(*(with_link() for _ in range(MAILS)))
            yield here


async def _integrity(database: Database) -> object:
    async with database.reading() as db:
        return (await (await db.connection()).execute(text("PRAGMA integrity_check"))).scalar_one()


async def test_mail_that_finds_no_room_is_stored_when_there_is_some(here: World, disk: Disk) -> None:
    disk.fill_up()
    await guarded("poll", here.poll)
    assert disk.refused
    assert await here.rows(Message) == []
    assert (await here.mailbox()).failures == 0  # which is not to blame
    disk.mend()
    here.clock.pass_(minutes=1)  # the lease that could not be given back runs out
    await here.settle()
    assert len(here.sink.seen) == MAILS
    assert await _integrity(here.context.database) == "ok"


async def test_a_poll_that_somebody_asked_for_ends_when_there_is_room_again(here: World, disk: Disk) -> None:
    async with here.context.database.transaction() as db:
        await request_polls(db, by="ada", now=here.clock())
    run = await here.one(Run)
    disk.fill_up(after=40)  # writes: while mail is being stored
    polling = asyncio.create_task(poll(here.context, 1, run.id))
    await eventually_async(lambda: disk.refused)
    assert not polling.done()
    disk.mend()
    await polling
    run = await here.one(Run)
    assert (run.state, run.reason) == (RunState.FAILED, {"code": "database_away", "facts": {}})


async def test_mail_whose_verdict_finds_no_room_is_decided_later_uncounted(here: World, disk: Disk) -> None:
    await here.poll()
    before = await contents(here.context.database)
    disk.fill_up()
    await guarded("decide", here.decide)
    assert disk.refused
    assert await contents(here.context.database) == before
    disk.mend()
    await here.decide()
    messages = await here.rows(Message)
    assert {(message.state, message.decide_tries) for message in messages} == {(MessageState.DECIDED, 0)}
    assert len(await here.rows(Delivery)) == MAILS


async def test_what_cannot_be_claimed_is_not_sent(here: World, disk: Disk) -> None:
    await here.poll()
    await here.decide()
    before = await contents(here.context.database)
    disk.fill_up()
    assert await here.deliver() == 0
    assert disk.refused
    assert (await contents(here.context.database), here.sink.seen) == (before, [])
    disk.mend()
    assert await here.deliver() == MAILS
    assert len(here.sink.seen) == MAILS


async def test_answers_that_find_no_room_are_kept_until_there_is_some_and_nothing_is_sent_twice(
    here: World, disk: Disk
) -> None:
    await here.change(Endpoint, pace=float(MAILS))
    await here.poll()
    await here.decide()
    assert await here.deliverer.claim_due() == MAILS
    disk.fill_up()
    await eventually_async(lambda: disk.refused)
    assert {delivery.state for delivery in await here.rows(Delivery)} == {DeliveryState.SENDING}
    disk.mend()
    await here.deliverer.drain()
    assert {delivery.state for delivery in await here.rows(Delivery)} == {DeliveryState.SENT}
    assert len(await here.rows(Attempt)) == len(here.sink.seen) == MAILS


async def test_on_a_disk_that_fails_now_and_then_everything_arrives(here: World, disk: Disk) -> None:
    disk.fail_now_and_then(random.Random(SEED), 0.02)
    for _ in range(40):
        for step in (here.poll, here.decide, partial(sweep, here.context), here.deliver):
            await guarded("step", step)
        here.clock.pass_(minutes=1)
    assert len(disk.refused) > 5
    disk.mend()
    await here.settle()
    assert {seen.headers["webhook-id"] for seen in here.sink.seen} == {
        delivery.webhook_id for delivery in await here.rows(Delivery)
    }
    assert {delivery.state for delivery in await here.rows(Delivery)} == {DeliveryState.SENT}
    assert (await here.one(Mailbox)).failures == 0
    assert await _integrity(here.context.database) == "ok"
