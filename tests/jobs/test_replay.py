"""Deliveries that are sent again: which, under which id, how fast, and each of them once."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app.jobs.copies import as_new
from app.jobs.progress import broke
from app.jobs.replay import next_replay
from app.models import Attempt, Delivery, DeliveryState, Endpoint, EndpointState, Run, RunState, Sending
from app.models.invariants import broken_invariants
from app.models.replay import KIND
from tests.jobs.conftest import World
from tests.jobs.replays import (
    FAILED,
    PENDING,
    SENT,
    arrived,
    ask,
    deliveries,
    fail,
    lots,
    put_back,
    seconds,
    the_run,
)
from tests.letters import matching


async def test_what_is_sent_again_keeps_its_id_and_its_body(world: World) -> None:
    await lots(world, 1, 2)
    await ask(world)
    assert await put_back(world) == 2
    while await world.deliver():
        pass
    first, again = world.sink.seen[:2], world.sink.seen[2:]
    bodies = {one.headers["webhook-id"]: one.body for one in first}
    assert {one.headers["webhook-id"]: one.body for one in again} == bodies
    assert len(bodies) == len(again) == 2
    assert {one.state for one in await deliveries(world)} == {SENT}


async def test_each_try_keeps_the_address_that_it_went_to(world: World) -> None:
    await lots(world, 1)
    then = (await world.one(Endpoint)).url
    await world.change(Endpoint, url=f"{then}/moved")
    await ask(world)
    await put_back(world)
    await world.deliver()
    assert [attempt.url for attempt in await world.rows(Attempt)] == [then, f"{then}/moved"]


async def test_as_new_it_says_the_same_under_an_id_of_its_own(world: World) -> None:
    await lots(world, 1)
    await ask(world, as_new=True)
    await put_back(world)
    while await world.deliver():
        pass
    first, again = world.sink.seen
    assert again.body == first.body
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["webhook-id"] != first.headers["webhook-id"]
    original, copy = await deliveries(world)
    assert (original.state, original.attempts, original.occurrence) == (SENT, 1, 0)
    assert (copy.state, copy.attempts, copy.occurrence) == (SENT, 1, 1)


async def test_every_further_copy_has_its_own_number_and_breaks_no_invariant(world: World) -> None:
    await lots(world, 1)
    for _ in range(2):
        await ask(world, as_new=True)
        await put_back(world)
        while await world.deliver():
            pass
    assert [one.occurrence for one in await deliveries(world)] == [0, 1, 2, 3]
    async with world.context.database.reading() as db:
        assert set((await broken_invariants(db)).values()) == {0}


async def test_a_copy_of_what_was_never_frozen_is_made_of_the_same_facts(world: World) -> None:
    world.arrives(matching(1))
    await world.poll()
    await world.decide()
    await world.change(Delivery, state=DeliveryState.DROPPED, finished_at=world.clock())
    await ask(world, as_new=True)
    await put_back(world)
    original, copy = await deliveries(world)
    assert (copy.body, copy.facts, copy.rule_version_id) == (None, original.facts, original.rule_version_id)
    assert copy.reason == {"code": "replayed", "facts": {"by": "ada", "delivery": original.id}}
    await world.deliver()
    assert arrived(world) == [1]


async def test_what_has_not_ended_cannot_be_copied(world: World) -> None:
    world.arrives(matching(1))
    await world.poll()
    await world.decide()
    async with world.context.database.transaction() as db:
        with pytest.raises(ValueError, match="pending"):
            await as_new(db, await db.get_one(Delivery, 1), by="ada", now=world.clock())


async def test_sixty_a_minute_is_one_a_second_the_oldest_first(world: World) -> None:
    await lots(world, 1, 2, 3)
    await ask(world, per_minute=60)
    began = world.clock()
    for waiting in (1, 2, 3):
        assert await put_back(world) == waiting
        assert await put_back(world) == waiting
        world.clock.pass_(seconds=1)
    assert seconds([began, *(one.due_at for one in await deliveries(world))]) == [0, 0, 1, 2]
    assert (await the_run(world)).state is RunState.DONE


async def test_what_a_stop_has_missed_is_not_made_up_for(world: World) -> None:
    await lots(world, *range(1, 9))
    await ask(world, per_minute=60)
    assert await put_back(world) == 1
    world.clock.pass_(hours=1)
    assert await put_back(world) == 2
    world.clock.pass_(seconds=3)
    assert await put_back(world) == 5
    world.clock.pass_(hours=-9)  # a clock that was set back stops nothing
    assert await put_back(world) == 6


async def test_all_at_once_goes_in_commits_of_fifty(world: World) -> None:
    await many(world, 120)
    number = await ask(world)
    done = []
    while await next_replay(world.context):
        done.append((await the_run(world, number)).done)
    assert done == [50, 100, 121]


async def test_as_new_fifty_take_no_more_questions_than_one(world: World) -> None:
    await lots(world, *range(1, 51))
    asked: Counter[str] = Counter()

    def note(*given: Any) -> None:  # noqa: ANN401 - as the event gives them
        asked[given[2].partition(" ")[0]] += 1

    spent = []
    for state in (SENT, FAILED):
        await fail(world, 50)
        await ask(world, as_new=True, state=state)
        event.listen(Engine, "before_cursor_execute", note)
        await next_replay(world.context)
        event.remove(Engine, "before_cursor_execute", note)
        spent.append(asked.pop("SELECT"))
    assert spent[0] == spent[1]
    assert [(await the_run(world, number)).done for number in (1, 2)] == [49, 1]


async def test_only_what_matched_when_it_was_asked_goes(world: World) -> None:
    await lots(world, 1, 2, 3)
    await fail(world, 1, 2)
    await ask(world, state="failed", per_minute=1)
    world.clock.pass_(seconds=1)
    await lots(world, 4)
    await fail(world, 3, 4)
    async with world.context.database.transaction() as db:
        (await db.get_one(Delivery, 3)).finished_at = world.clock()  # it failed after somebody asked
    for _ in range(5):
        await put_back(world)
        world.clock.pass_(minutes=1)
    run = await the_run(world)
    assert (run.state, run.done, run.total) == (RunState.DONE, 2, 2)
    assert [one.state for one in await deliveries(world)] == [PENDING, PENDING, FAILED, FAILED]


async def test_what_is_on_its_way_is_left_alone_and_counted(world: World) -> None:
    await lots(world, 1, 2, 3)
    async with world.context.database.transaction() as db:
        (await db.get_one(Delivery, 3)).send_again(world.clock(), "ada")
    await ask(world, per_minute=1)
    assert (await the_run(world)).details["left"] == {"on_its_way": 1}
    await put_back(world)
    async with world.context.database.transaction() as db:  # meanwhile somebody sends the second by hand
        (await db.get_one(Delivery, 2)).send_again(world.clock(), "bo")
    world.clock.pass_(minutes=1)
    await put_back(world)
    run = await the_run(world)
    assert (run.state, run.done, run.total) == (RunState.DONE, 1, 2)
    assert [one.reason["facts"]["by"] for one in await deliveries(world)] == ["ada", "bo", "ada"]


async def test_nothing_goes_to_a_receiver_that_was_deleted_meanwhile(world: World) -> None:
    await lots(world, 1, 2)
    await ask(world, per_minute=1)
    await put_back(world)
    await world.change(Endpoint, state=EndpointState.DELETED)
    world.clock.pass_(minutes=1)
    await put_back(world)
    run = await the_run(world)
    assert (run.state, run.done, run.total) == (RunState.DONE, 1, 2)


async def test_while_sending_is_paused_it_waits_in_the_line(world: World) -> None:
    await lots(world, 1)
    await world.set(sending=Sending.PAUSED)
    await ask(world)
    assert await put_back(world) == 1
    assert await world.deliver() == 0
    await world.set(sending=Sending.ON)
    await world.deliver()
    assert arrived(world) == [1, 1]


async def test_the_window_is_not_asked(world: World) -> None:
    await lots(world, 1)
    await world.set(window_start="6h00", window_end="7h00", absence_enabled=True, absence_days=["monday"])
    await ask(world)
    await put_back(world)
    await world.deliver()
    assert arrived(world) == [1, 1]


async def test_a_replay_that_waits_is_cancelled_at_once_and_one_under_way_at_its_next_step(
    world: World,
) -> None:
    await lots(world, 1, 2)
    first, second = await ask(world, per_minute=1), await ask(world)
    await put_back(world)
    for number in (first, second):
        async with world.context.database.transaction() as db:
            (await db.get_one(Run, number)).cancel(world.clock())
    assert (await the_run(world, second)).state is RunState.CANCELLED
    assert await put_back(world) == 1
    run = await the_run(world, first)
    assert (run.state, run.done, run.ended_at) == (RunState.CANCELLED, 1, world.clock())


async def test_one_goes_at_a_time_in_the_order_in_which_they_were_asked(world: World) -> None:
    await lots(world, 1, 2)
    await ask(world, per_minute=1)
    await ask(world, as_new=True)
    assert await put_back(world) == 1
    assert (await the_run(world, 2)).state is RunState.QUEUED
    world.clock.pass_(minutes=1)
    await put_back(world)
    assert [(await the_run(world, number)).state for number in (1, 2)] == [RunState.DONE, RunState.DONE]


async def test_what_another_worker_is_at_is_left_to_it(world: World) -> None:
    await lots(world, 1)
    number = await ask(world)
    async with world.context.database.transaction() as db:
        run = await db.get_one(Run, number)
        run.state, run.owner = RunState.RUNNING, "elsewhere/worker/2/2"
    assert await put_back(world) == 0


async def test_a_replay_that_breaks_says_so(world: World) -> None:
    await lots(world, 1, 2)
    number = await ask(world, per_minute=1)
    await put_back(world)
    await broke(world.context, KIND)
    run = await the_run(world, number)
    assert (run.state, run.reason) == (RunState.FAILED, {"code": "unexpected", "facts": {}})


async def many(world: World, number: int) -> None:
    """One delivery that was made, and so many of its like."""
    await lots(world, 1)
    async with world.context.database.transaction() as db:
        known = (await db.get_one(Delivery, 1)).model_dump(exclude={"id", "webhook_id", "occurrence"})
        db.add_all(
            [Delivery(**known, webhook_id=f"msg_{place}", occurrence=place) for place in range(1, number + 1)]
        )
