"""A receiver that fails is left alone and tried out; its deliveries wait, and their tries are not used up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.jobs.claim import claim
from app.jobs.sweep import sweep
from app.models import Delivery, DeliveryState, Endpoint, EndpointState, Notice, Setting
from app.models.refusal import against
from app.rules.verdict import Reason
from tests.jobs.conftest import World, room
from tests.letters import with_link
from tests.servers import Answer

MAILS = 8


async def _decided(world: World, mails: int = MAILS) -> None:
    world.arrives(*(with_link() for _ in range(mails)))
    await world.poll()
    await world.decide()


async def _broken(world: World) -> Endpoint:
    """Let the receiver fail until its breaker opens."""
    world.sink.default = Answer(status=500)
    await _decided(world)
    await world.deliver()
    return await world.one(Endpoint)


async def _refusal(world: World) -> Reason | None:
    async with world.context.database.reading() as db:
        endpoint = await db.get_one(Endpoint, 1)
        return against(endpoint, sending=(await Setting.load(db)).sending, used=0, now=world.clock())


async def test_after_five_failures_the_others_wait_and_burn_no_tries(world: World) -> None:
    endpoint = await _broken(world)
    assert (endpoint.opened, endpoint.failures) == (1, 5)
    assert endpoint.open_until == world.clock() + timedelta(seconds=30)
    tries = [delivery.tries for delivery in await world.rows(Delivery)]
    assert tries == [1] * 5 + [0] * 3
    world.clock.pass_(seconds=29)
    assert await world.deliver() == 0
    reason = await _refusal(world)
    assert reason is not None
    assert reason.code == "breaker_open"


async def test_then_one_delivery_tries_it_out_and_each_pause_is_longer(world: World) -> None:
    await _broken(world)
    for seconds in (30, 60, 120):
        before = len(world.sink.seen)
        world.clock.pass_(seconds=seconds)
        assert await world.deliver() == 1
        assert len(world.sink.seen) == before + 1
        endpoint = await world.one(Endpoint)
        assert endpoint.open_until == world.clock() + timedelta(seconds=2 * seconds)
    assert [notice.kind for notice in await world.rows(Notice)] == ["endpoint_failing"]


async def test_a_success_closes_it_and_it_begins_slowly_again(world: World) -> None:
    await world.change(Endpoint, pace=8.0)
    await _broken(world)
    world.sink.default = Answer()
    world.clock.pass_(seconds=30)
    (probe,) = await claim(world.context, room(1))
    await world.deliverer._send(probe, busy=False)  # noqa: SLF001
    await world.deliverer.drain()
    endpoint = await world.one(Endpoint)
    assert (endpoint.opened, endpoint.open_until, endpoint.failures) == (0, None, 0)
    assert endpoint.pace == 1
    assert await world.deliver() == MAILS - 1
    assert {delivery.state for delivery in await world.rows(Delivery)} == {DeliveryState.SENT}


async def test_one_failure_after_it_has_closed_does_not_open_it_for_what_was_before(world: World) -> None:
    await _broken(world)
    world.sink.default = Answer()
    world.clock.pass_(minutes=1)
    await world.deliver()
    world.sink.answer(500)
    await _decided(world, mails=1)
    await world.deliver()
    assert (await world.one(Endpoint)).opened == 0


async def test_while_one_worker_tries_it_out_no_other_does(world: World) -> None:
    await _broken(world)
    world.clock.pass_(seconds=30)
    workers = [replace(world.context, owner=f"elsewhere/worker/{number}/1") for number in range(3)]
    claimed = [await claim(worker, room(5)) for worker in workers]
    assert [len(share) for share in claimed] == [1, 0, 0]
    assert claimed[0][0].probe


async def test_when_the_process_that_tried_it_out_dies_another_may_at_once(world: World) -> None:
    await _broken(world)
    world.clock.pass_(seconds=30)
    await claim(replace(world.context, owner="elsewhere/worker/2/2"), room(1))
    world.clock.pass_(seconds=46)  # as long as its lease
    await sweep(world.context)
    world.sink.default = Answer()
    world.clock.pass_(seconds=1)
    assert await world.deliver() == MAILS


async def test_what_a_receiver_refuses_is_no_failure_of_its_own(world: World) -> None:
    world.sink.default = Answer(status=422)
    await _decided(world)
    assert await world.deliver() == MAILS
    assert (await world.one(Endpoint)).opened == 0


async def test_a_receiver_that_fails_for_five_days_is_parked_and_nothing_is_lost(world: World) -> None:
    await world.change(Endpoint, schedule=[3600] * 200)
    await _broken(world)
    for _ in range(20):
        world.clock.pass_(hours=7)
        await world.deliver()
    endpoint = await world.one(Endpoint)
    assert endpoint.state is EndpointState.PARKED
    assert endpoint.parked_for is not None
    assert endpoint.parked_for["code"] == "receiver_silent"
    assert {delivery.state for delivery in await world.rows(Delivery)} == {DeliveryState.PENDING}
    kinds = [notice.kind for notice in await world.rows(Notice)]
    assert kinds == ["endpoint_failing", "endpoint_parked"]


async def test_people_are_told_when_a_parked_receiver_works_again(world: World) -> None:
    world.sink.answer(410)
    await _decided(world, mails=1)
    await world.deliver()
    await world.change(Endpoint, state=EndpointState.ACTIVE)
    await _decided(world, mails=1)
    await world.deliver()
    kinds = [notice.kind for notice in await world.rows(Notice)]
    assert kinds == ["endpoint_parked", "endpoint_recovered"]
    assert (await world.one(Endpoint)).parked_for is None


async def test_they_are_not_told_so_before_it_has_taken_something(world: World) -> None:
    world.sink.answer(410, 422)
    await _decided(world, mails=1)
    await world.deliver()
    await world.change(Endpoint, state=EndpointState.ACTIVE)
    await _decided(world, mails=1)
    await world.deliver()
    assert [notice.kind for notice in await world.rows(Notice)] == ["endpoint_parked"]


async def test_a_wish_for_patience_holds_though_an_earlier_request_ends_well(world: World) -> None:
    patient = Answer(status=429, headers={"Retry-After": "600"})
    world.sink.answers.extend([patient, Answer()])
    await _decided(world, mails=2)
    first, second = await claim(world.context, room(2))
    world.clock.pass_(seconds=1)
    for one in (first, second):
        await world.deliverer._send(one, busy=True)  # noqa: SLF001
    await world.deliverer.drain()
    assert (await world.one(Endpoint)).not_before == world.clock() + timedelta(seconds=600)


async def test_an_error_of_ours_is_not_laid_at_the_receivers_door(world: World) -> None:
    await _decided(world)
    for one in await claim(world.context, room(2)):
        await world.deliverer._broke(one)  # noqa: SLF001
    await world.deliverer.drain()
    endpoint = await world.one(Endpoint)
    assert (endpoint.failures, endpoint.opened, endpoint.pace) == (0, 0, 2.0)


async def test_while_nothing_can_be_tried_its_time_is_not_put_off(world: World) -> None:
    await world.change(Endpoint, ordered=True, opened=1, open_until=world.clock())
    await _decided(world, mails=2)
    async with world.context.database.transaction() as db:
        (await db.get_one(Delivery, 1)).due_at = world.clock() + timedelta(seconds=100)
    assert await world.deliver() == 0
    assert (await world.one(Endpoint)).open_until == world.clock()
    world.clock.pass_(seconds=100)
    assert await world.deliver() == 2


@pytest.mark.parametrize("status", [400, 410, 415, 500])
async def test_what_an_old_address_says_is_not_held_against_the_new_one(world: World, status: int) -> None:
    world.sink.answer(status)
    await _decided(world, mails=1)
    (claimed,) = await claim(world.context, room(1))
    await world.change(Endpoint, url=f"{world.sink.url}/elsewhere")
    await world.deliverer._send(claimed, busy=False)  # noqa: SLF001
    await world.deliverer.drain()
    assert (await world.one(Endpoint)).state is EndpointState.ACTIVE
    assert await world.deliver() == 1
    assert [seen.path for seen in world.sink.seen] == ["/hook", "/hook/elsewhere"]
    assert {seen.headers["content-type"] for seen in world.sink.seen} == {"application/json"}


@pytest.mark.parametrize("status", [400, 410, 415, 500])
async def test_what_a_deleted_one_says_holds_nothing_that_it_was_sent(world: World, status: int) -> None:
    world.sink.answer(status)
    await _decided(world, mails=1)
    (claimed,) = await claim(world.context, room(1))
    await world.change(Endpoint, state=EndpointState.DELETED)
    await world.deliverer._send(claimed, busy=False)  # noqa: SLF001
    await world.deliverer.drain()
    await sweep(world.context)
    dropped = await world.one(Delivery)
    assert (dropped.state, dropped.reason["code"]) == (DeliveryState.DROPPED, "endpoint_deleted")
    assert not dropped.needs_attention


async def test_what_a_wrong_clock_wrote_keeps_nothing_back_once_it_is_right(world: World) -> None:
    far = timedelta(days=3650)
    world.clock.at += far
    await _broken(world)
    await world.change(Endpoint, not_before=world.clock(), closed_at=world.clock(), rate_per_hour=100)
    world.clock.at -= far
    world.sink.default = Answer()
    for _ in range(3):
        await sweep(world.context)
        await world.deliver()
        world.clock.pass_(hours=1)
    assert {delivery.state for delivery in await world.rows(Delivery)} == {DeliveryState.SENT}
    closed_at = (await world.one(Endpoint)).closed_at
    assert closed_at is not None
    assert closed_at < world.clock()


async def test_more_goes_at_once_while_answers_are_quick_and_less_after_a_failure(world: World) -> None:
    await _decided(world, mails=12)
    await world.deliver()
    quick = (await world.one(Endpoint)).pace
    assert 3 < quick <= 16
    world.sink.answer(429)
    await _decided(world, mails=1)
    await world.deliver()
    assert (await world.one(Endpoint)).pace == quick / 2


@pytest.mark.parametrize("pace", [1.0, 16.0])
async def test_in_order_means_one_after_the_other_and_nothing_overtakes(world: World, pace: float) -> None:
    await world.change(Endpoint, ordered=True, pace=pace)
    world.sink.answer(200, 500)
    await _decided(world, mails=4)
    await world.deliver()
    sent = [delivery.state for delivery in await world.rows(Delivery)]
    assert sent == [DeliveryState.SENT, *[DeliveryState.PENDING] * 3]
    world.clock.pass_(seconds=10)
    await world.deliver()
    ids = [seen.headers["webhook-id"] for seen in world.sink.seen]
    first, second, third, fourth = (delivery.webhook_id for delivery in await world.rows(Delivery))
    assert ids == [first, second, second, third, fourth]


async def test_other_workers_requests_count_for_the_limit(world: World) -> None:
    await world.change(Endpoint, concurrency=3, pace=3.0)
    await _decided(world)
    workers = [replace(world.context, owner=f"elsewhere/worker/{number}/1") for number in range(3)]
    assert [len(await claim(worker, room(2))) for worker in workers] == [2, 1, 0]
