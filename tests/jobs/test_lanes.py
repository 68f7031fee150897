"""What a worker holds of an endpoint: requests under way, claims that wait, results to be written."""

from datetime import timedelta

from app.jobs.claim import claim, put_back
from app.jobs.deliver import Deliverer
from app.jobs.pause import turn
from app.jobs.sweep import sweep
from app.models import Attempt, Delivery, DeliveryState, Endpoint, Sending
from tests.jobs.conftest import World, room, running
from tests.letters import with_link


async def _decided(world: World, mails: int = 1) -> None:
    world.arrives(*(with_link() for _ in range(mails)))
    await world.poll()
    await world.decide()


async def test_a_claim_whose_request_was_never_begun_can_be_undone(world: World) -> None:
    await _decided(world)
    before = await world.one(Delivery)
    (claimed,) = await claim(world.context, room(1))
    await put_back(world.context, [claimed, claimed])
    after = await world.one(Delivery)
    assert (after.state, after.attempts, after.lease_owner) == (before.state, 0, None)
    assert await world.rows(Attempt) == []
    assert await world.deliver() == 1


async def test_where_answers_come_at_once_a_few_more_wait_for_a_free_place(world: World) -> None:
    await world.change(Endpoint, usual_ms=5.0, pace=4.0)
    await _decided(world, mails=8)
    claimed = await claim(world.context, room(100))
    assert len(claimed) == 4 + 2
    until = {row.lease_until for row in await world.rows(Delivery)} - {None}
    assert until == {world.clock() + timedelta(seconds=30 + 15)}


async def test_what_a_worker_still_has_in_hand_it_does_not_take_from_itself(world: World) -> None:
    await _decided(world)
    deliverer = Deliverer(world.context)  # it writes nothing down yet
    await deliverer.claim_due()
    world.clock.pass_(minutes=10)  # the clock was put on, or the database was full for so long
    await sweep(world.context)
    assert await world.deliver() == 0
    async with running(deliverer):
        await deliverer.drain()
    assert (await world.one(Delivery)).state is DeliveryState.SENT
    assert len(world.sink.seen) == 1


async def test_in_order_means_that_nothing_overtakes_what_a_pause_kept_back(world: World) -> None:
    await world.change(Endpoint, ordered=True)
    await _decided(world, mails=3)
    for to, per_minute in ((Sending.PAUSED, 0), (Sending.ON, 1)):
        async with world.context.database.transaction() as db:
            await turn(db, to=to, per_minute=per_minute, by="ada", now=world.clock())
    await _decided(world)
    for _ in range(4):
        await sweep(world.context)
        await world.deliver()
        world.clock.pass_(seconds=61)
    ids = [seen.headers["webhook-id"] for seen in world.sink.seen]
    assert ids == [delivery.webhook_id for delivery in await world.rows(Delivery)]
