"""What nobody had thought of, on the way to a receiver: it ends, says so, and stops no other delivery."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event
from sqlmodel import col
from structlog.testing import capture_logs

from app.jobs.claim import claim
from app.jobs.deliver import Deliverer
from app.jobs.lost import MOST_DEATHS
from app.jobs.owner import machine
from app.jobs.sweep import sweep
from app.models import (
    Attempt,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    Sending,
)
from app.rules.pace import START
from tests.jobs.conftest import World, room, running
from tests.letters import with_link
from tests.servers.waiting import eventually_async


async def _decided(world: World, mails: int = 1) -> None:
    world.arrives(*(with_link() for _ in range(mails)))
    await world.poll()
    await world.decide()


async def _deliver_and_die(world: World) -> None:
    """A process claims all that is due and is gone before an answer comes."""
    gone = replace(world.context, owner=f"{machine()}/worker/999999999/1")
    await claim(gone, room(8))
    await sweep(world.context)


async def test_an_error_of_ours_counts_as_a_try_and_the_last_one_ends_it(world: World) -> None:
    await world.change(Endpoint, schedule=[1], secret=world.context.vault.seal("whsec_é"))
    await _decided(world)
    await world.deliver()
    waiting = await world.one(Delivery)
    assert (waiting.state, waiting.tries, waiting.reason["code"]) == (DeliveryState.PENDING, 1, "unexpected")
    world.clock.pass_(seconds=2)
    await world.deliver()
    failed = await world.one(Delivery)
    assert (failed.state, failed.tries, failed.needs_attention) == (DeliveryState.FAILED, 2, True)
    assert [attempt.outcome for attempt in await world.rows(Attempt)] == ["unexpected", "unexpected"]


async def test_what_processes_die_of_time_after_time_has_failed(world: World) -> None:
    await _decided(world)
    for _ in range(MOST_DEATHS):
        assert (await world.one(Delivery)).state is DeliveryState.PENDING
        await _deliver_and_die(world)
        world.clock.pass_(minutes=1)
    failed = await world.one(Delivery)
    assert (failed.state, failed.needs_attention) == (DeliveryState.FAILED, True)
    assert failed.reason == {"code": "sender_killed", "facts": {"tries": MOST_DEATHS}}


async def test_deliveries_that_a_process_died_with_twice_are_not_all_sent_at_once_again(world: World) -> None:
    await _decided(world, mails=8)
    await _deliver_and_die(world)
    assert {delivery.due_at for delivery in await world.rows(Delivery)} == {world.clock()}
    await _deliver_and_die(world)
    assert len({delivery.due_at for delivery in await world.rows(Delivery)}) > 1


async def test_an_attempt_that_ended_makes_the_deaths_before_it_forgotten(world: World) -> None:
    world.sink.answer(500)
    await _decided(world)
    await _deliver_and_die(world)
    await world.deliver()
    assert (await world.one(Delivery)).deaths == 0


async def test_a_delivery_whose_body_cannot_be_made_is_held_and_the_others_go(world: World) -> None:
    await _decided(world, mails=3)
    async with world.context.database.transaction() as db:
        (await db.get_one(Delivery, 2)).facts = {}
    assert await world.deliver() == 3  # one of them ended before it was begun
    first, second, third = await world.rows(Delivery)
    assert first.state is third.state is DeliveryState.SENT
    assert (second.state, second.reason["code"]) == (DeliveryState.HELD, "unexpected")
    assert (second.needs_attention, second.lease_owner) == (True, None)
    assert [attempt.outcome for attempt in await world.rows(Attempt)] == ["sent", "unexpected", "sent"]


async def test_an_endpoint_that_cannot_be_claimed_for_holds_up_no_other(world: World) -> None:
    await _decided(world)
    async with world.context.database.transaction() as db:
        endpoint = await db.get_one(Endpoint, 1)
        values = endpoint.model_dump(exclude={"id", "timeout", "schedule"})
        other = Endpoint(**values, timeout=30, schedule=[5])
        db.add(other)
        await db.flush()
        delivery = (await db.get_one(Delivery, 1)).model_dump(exclude={"id", "webhook_id", "endpoint_id"})
        db.add(Delivery(**delivery, webhook_id="msg_other", endpoint_id=other.id or 0))
        endpoint.timeout = 10**15  # no moment lies so far ahead
    assert await world.deliver() == 1
    assert [delivery.state for delivery in await world.rows(Delivery)] == ["pending", "sent"]


async def test_a_result_that_cannot_be_recorded_takes_no_other_along(world: World) -> None:
    await world.change(Endpoint, pace=3.0)
    await _decided(world, mails=3)
    deliverer = Deliverer(world.context)
    await deliverer.claim_due()
    async with world.context.database.transaction() as db:
        await db.exec(delete(Attempt).where(col(Attempt.delivery_id) == 2))
    async with running(deliverer):
        await deliverer.drain()
    assert [delivery.state for delivery in await world.rows(Delivery)] == ["sent", "sending", "sent"]
    world.clock.pass_(minutes=10)
    await sweep(world.context)  # its lease is over, and the attempt that is not there stops no sweep
    assert (await world.rows(Delivery))[1].state is DeliveryState.PENDING
    assert (await world.one(Endpoint)).pace == START


async def test_results_wait_for_a_database_that_is_busy(world: World) -> None:
    await _decided(world)
    pool = world.context.database._writer.sync_engine.pool  # noqa: SLF001 - nobody waits a minute here
    with capture_logs() as logs:
        await world.deliverer.claim_due()
        pool._timeout = 0.01  # type: ignore[attr-defined]  # noqa: SLF001
        async with world.context.database.transaction() as db:
            await db.connection()
            await eventually_async(lambda: [line for line in logs if line["event"] == "not written yet"])
        await world.deliverer.drain()
    assert (await world.one(Delivery)).state is DeliveryState.SENT


async def test_what_became_of_it_is_logged_when_the_write_lock_is_free(world: World) -> None:
    await _decided(world)
    with capture_logs() as logs:

        def note(*given: Any) -> None:  # noqa: ANN401 - as the events give them
            logs.append({"event": given[2].partition(" SET ")[0] if len(given) > 1 else "COMMIT"})

        event.listen(Engine, "before_cursor_execute", note)
        event.listen(Engine, "commit", note)
        try:
            await world.deliverer.claim_due()
            await world.deliverer.drain()
        finally:
            event.remove(Engine, "before_cursor_execute", note)
            event.remove(Engine, "commit", note)
    seen = [line["event"] for line in logs]
    assert "COMMIT" in seen[seen.index("UPDATE attempt") : seen.index("CUSTOM_WEBHOOK: attempt ended")]


@pytest.mark.parametrize("stop", ["parked", "paused"])
async def test_while_nothing_may_go_nobody_takes_the_write_lock(world: World, stop: str) -> None:
    await _decided(world)
    if stop == "parked":
        await world.change(Endpoint, state=EndpointState.PARKED)
    else:
        await world.set(sending=Sending.PAUSED)
    async with world.context.database.transaction() as db:
        await db.connection()
        async with asyncio.timeout(5):
            assert await world.deliver() == 0
