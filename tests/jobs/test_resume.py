"""The big switch: nothing leaves while it is off, and afterwards what waited goes at the pace asked for."""

from datetime import UTC, datetime

from sqlmodel import col, select

from app.jobs.pause import turn
from app.jobs.sweep import sweep
from app.models import Delivery, DeliveryState, LogEvent, RuleVersion, Sending, Setting
from app.models.standing import standing
from tests.jobs.conftest import World
from tests.letters import matching, with_link

PENDING, HELD, SENT = DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.SENT


async def switch(world: World, to: Sending, per_minute: int = 0) -> None:
    async with world.context.database.transaction() as db:
        await turn(db, to=to, per_minute=per_minute, by="ada", now=world.clock())


async def states(world: World) -> list[DeliveryState]:
    async with world.context.database.reading() as db:
        query = select(Delivery.state).order_by(col(Delivery.id))
        return [DeliveryState(state) for state in (await db.exec(query)).all()]


async def sent(world: World) -> int:
    """Let a second's work be done, and count what has arrived by then."""
    await sweep(world.context)
    while await world.deliver():
        pass
    return (await states(world)).count(SENT)


async def what_is_said(world: World) -> tuple[str, int]:
    async with world.context.database.reading() as db:
        switch = (await standing(db, world.clock())).switch
    return switch.word, switch.kept


async def lots(world: World, *numbers: int) -> None:
    """Let a mail about each of these lots arrive and be decided."""
    world.arrives(*map(matching, numbers))
    await world.poll()
    await world.decide()


def arrived(world: World) -> list[int]:
    """The lots that the receiver knows of, in the order in which it was told."""
    return [int(seen.json["subject"].split()[-1]) for seen in world.sink.seen]


async def test_from_a_pause_on_nothing_is_claimed_and_what_matches_is_held(world: World) -> None:
    await lots(world, 1)
    await switch(world, Sending.PAUSED)
    await lots(world, 2)
    assert await sent(world) == 0
    assert await states(world) == [PENDING, HELD]
    assert (await world.rows(Delivery))[1].reason["code"] == "paused"
    assert await what_is_said(world) == ("paused", 2)


async def test_a_rule_may_drop_what_matches_during_a_pause(world: World) -> None:
    async with world.context.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            policy = version.definition["policy"] | {"paused": "drop"}
            version.definition = version.definition | {"policy": policy}
    await switch(world, Sending.PAUSED)
    await lots(world, 1)
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.DROPPED, "paused")


async def test_draining_lets_go_what_is_on_its_way_and_holds_what_is_new(world: World) -> None:
    await lots(world, 1, 2)
    await switch(world, Sending.DRAINING)
    assert (await what_is_said(world))[0] == "draining"
    await lots(world, 3)
    assert await sent(world) == 2
    assert await states(world) == [SENT, SENT, HELD]
    assert await what_is_said(world) == ("drained", 1)


async def test_resumed_at_once_all_of_it_goes_at_once(world: World) -> None:
    await lots(world, 1)
    await switch(world, Sending.PAUSED)
    await lots(world, 2, 3)
    await switch(world, Sending.ON)
    assert await sent(world) == 3
    assert await what_is_said(world) == ("on", 0)


async def test_resumed_at_ten_a_minute_one_goes_every_six_seconds_the_oldest_first(world: World) -> None:
    await lots(world, 1)  # pending when the pause begins
    await switch(world, Sending.PAUSED)
    await lots(world, 2, 3, 4)
    await switch(world, Sending.ON, per_minute=10)
    began = world.clock()
    for _ in range(19):
        await sent(world)
        world.clock.pass_(seconds=1)
    deliveries = await world.rows(Delivery)
    assert [(one.due_at - began).total_seconds() for one in deliveries] == [0, 6, 12, 18]
    assert arrived(world) == [1, 2, 3, 4]


async def test_while_it_resumes_new_mail_goes_at_once(world: World) -> None:
    await switch(world, Sending.PAUSED)
    await lots(world, 1, 2, 3)
    await switch(world, Sending.ON, per_minute=1)
    assert await sent(world) == 1
    await lots(world, 4)
    assert await sent(world) == 2
    assert await states(world) == [SENT, HELD, HELD, SENT]
    assert await what_is_said(world) == ("resuming", 2)


async def test_the_urgent_goes_before_the_old(world: World) -> None:
    await switch(world, Sending.PAUSED)
    await lots(world, 1, 2, 3)
    async with world.context.database.transaction() as db:
        (await db.get_one(Delivery, 3)).priority = 0
    await switch(world, Sending.ON, per_minute=1)
    await sent(world)
    assert await states(world) == [HELD, HELD, SENT]


async def test_a_pause_in_the_middle_keeps_what_has_not_gone(world: World) -> None:
    await lots(world, 1, 2, 3)
    await switch(world, Sending.PAUSED)
    await switch(world, Sending.ON, per_minute=10)
    assert await sent(world) == 1
    await switch(world, Sending.PAUSED)
    world.clock.pass_(minutes=5)
    assert await sent(world) == 1
    await lots(world, 4)
    await switch(world, Sending.ON, per_minute=60)
    for _ in range(3):
        await sent(world)
        world.clock.pass_(seconds=1)
    assert await states(world) == [SENT] * 4
    assert arrived(world) == [1, 2, 3, 4]


async def test_another_pace_counts_from_the_next_one_on(world: World) -> None:
    await switch(world, Sending.PAUSED)
    await lots(world, 1, 2, 3, 4)
    await switch(world, Sending.ON, per_minute=1)
    assert await sent(world) == 1
    await switch(world, Sending.ON, per_minute=30)
    world.clock.pass_(seconds=2)
    assert await sent(world) == 2
    await switch(world, Sending.ON)
    assert await sent(world) == 4


async def test_draining_in_the_middle_goes_on_with_what_was_pending(world: World) -> None:
    await lots(world, 1, 2)
    await switch(world, Sending.PAUSED)
    await lots(world, 3)
    await switch(world, Sending.ON, per_minute=60)
    await switch(world, Sending.DRAINING)
    for _ in range(4):
        await sent(world)
        world.clock.pass_(seconds=1)
    assert await states(world) == [SENT, SENT, HELD]


async def test_a_clock_that_jumps_neither_stops_nor_floods(world: World) -> None:
    await switch(world, Sending.PAUSED)
    await lots(world, 1, 2, 3, 4, 5, 6)
    await switch(world, Sending.ON, per_minute=10)
    assert await sent(world) == 1
    world.clock.pass_(hours=3)
    assert await sent(world) == 2
    world.clock.pass_(hours=-6)
    assert await sent(world) == 3
    assert await sent(world) == 3
    world.clock.pass_(seconds=6)
    assert await sent(world) == 4


async def test_a_worker_that_was_away_begins_anew_at_the_same_pace(world: World) -> None:
    await switch(world, Sending.PAUSED)
    await lots(world, 1, 2, 3)
    await switch(world, Sending.ON, per_minute=60)
    world.clock.pass_(minutes=10)
    assert await sent(world) == 1


async def test_in_its_turn_the_gates_are_asked_and_what_they_stop_costs_no_turn(world: World) -> None:
    await switch(world, Sending.PAUSED)
    world.arrives(with_link(), with_link())
    await world.settle()
    await world.set(window_start="9h00", window_end="12h00")  # in Paris it is 14h00
    await switch(world, Sending.ON, per_minute=1)
    await sent(world)
    deliveries = await world.rows(Delivery)
    assert [one.reason["code"] for one in deliveries] == ["after_window"] * 2
    assert {one.release_at for one in deliveries} == {datetime(2026, 11, 17, 8, 0, tzinfo=UTC)}
    assert await what_is_said(world) == ("on", 0)


async def test_what_stands_in_line_can_be_sent_at_once_by_hand(world: World) -> None:
    await switch(world, Sending.PAUSED)
    await lots(world, 1, 2)
    await switch(world, Sending.ON, per_minute=1)
    assert await sent(world) == 1
    async with world.context.database.transaction() as db:
        (await db.get_one(Delivery, 2)).send_again(world.clock(), "ada")
    assert await sent(world) == 2


async def test_a_try_that_fell_due_during_the_pause_goes_in_its_turn_too(world: World) -> None:
    world.sink.answer(503, 503)
    await lots(world, 1, 2)
    assert await sent(world) == 0
    await switch(world, Sending.PAUSED)
    world.clock.pass_(hours=1)
    await switch(world, Sending.ON, per_minute=1)
    assert await sent(world) == 1
    world.clock.pass_(minutes=1)
    assert await sent(world) == 2


async def test_turning_the_switch_is_written_down_once(world: World) -> None:
    before = (await world.one(Setting)).revision
    for _ in range(2):
        await switch(world, Sending.PAUSED)
    setting, event = await world.one(Setting), await world.one(LogEvent)
    assert (setting.revision, setting.saved_by, setting.saved_at) == (before + 1, "ada", world.clock())
    assert (event.event, event.subject) == ("sending paused", "ada")
    assert setting.sending is Sending.PAUSED
