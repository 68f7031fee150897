"""F50: many receivers hang, one is well. Who is done first is asserted, and never a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from app.integrations.network import Gate
from app.integrations.webhook import Webhooks
from app.jobs.deliver import Deliverer
from app.jobs.seed import new_endpoint
from app.models import Attempt, Delivery, DeliveryState, Endpoint
from tests.jobs.conftest import World, running
from tests.letters import with_link
from tests.servers import Answer, Sink
from tests.servers.waiting import eventually_async

HANGING, EACH, AT_ONCE = 50, 6, 2


@pytest.fixture
async def crowd(world: World) -> AsyncIterator[tuple[World, Sink]]:
    """Fifty receivers that take a request and say nothing, before the one that is well; all have mail due."""
    with Sink() as hanging:
        hanging.default = Answer.hang()
        webhooks = Webhooks(Gate(f"{world.sink.address},{hanging.address}"))
        context = replace(world.context, webhooks=webhooks)
        deliverer = Deliverer(context)
        async with running(deliverer):
            here = replace(world, context=context, deliverer=deliverer)
            here.arrives(*(with_link() for _ in range(EACH)))
            await here.poll()
            await here.decide()
            await _add_hanging(here, hanging)
            yield here, hanging
            hanging.__exit__()  # ends what still hangs
            await _drained(deliverer)
        await webhooks.aclose()


async def _drained(deliverer: Deliverer) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(20):
            await deliverer.drain()


async def _add_hanging(world: World, hanging: Sink) -> None:
    """Copy what is due to receivers that come first in every order."""
    now = world.clock()
    async with world.context.database.transaction() as db:
        due = (await db.exec(select(Delivery))).all()
        endpoints = [
            new_endpoint(f"hangs {n}", hanging.url, world.context.vault, now) for n in range(HANGING)
        ]
        for endpoint in endpoints:
            endpoint.concurrency = AT_ONCE
        db.add_all(endpoints)
        await db.flush()
        for endpoint in endpoints:
            for one in due:
                copied = one.model_dump(exclude={"id", "webhook_id", "endpoint_id", "due_at"})
                db.add(
                    Delivery(
                        **copied,
                        webhook_id=f"{one.webhook_id}-{endpoint.id}",
                        endpoint_id=endpoint.id or 0,
                        due_at=now - timedelta(hours=1),
                    )
                )


async def test_the_receiver_that_is_well_has_everything_while_fifty_others_still_hang(
    crowd: tuple[World, Sink],
) -> None:
    world, hanging = crowd

    async def well_is_done() -> bool:
        await world.deliverer.claim_due()
        async with world.context.database.reading() as db:
            sent = await db.exec(select(Delivery.id).where(Delivery.state == DeliveryState.SENT))
            return len(sent.all()) == EACH

    await eventually_async(well_is_done, timeout=60)
    await eventually_async(lambda: hanging.talking == HANGING * AT_ONCE)
    assert len(world.sink.seen) == EACH
    async with world.context.database.reading() as db:
        well = (await db.exec(select(Endpoint.id).where(Endpoint.url == world.sink.url))).one()
        ended = await db.exec(
            select(Attempt.endpoint_id).where(col(Attempt.ended_at).is_not(None)).distinct()
        )
        assert ended.all() == [well]
    assert len(hanging.seen) == HANGING * AT_ONCE  # each holds its own places, and no other's
