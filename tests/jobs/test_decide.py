"""A stored mail gets its verdict, its links, its deliveries and its group's mark in one commit."""

import pytest
from sqlmodel import select

from app.models import (
    Decision,
    Delivery,
    DeliveryState,
    GroupMark,
    Link,
    Message,
    MessageState,
    RuleVersion,
)
from app.models.invariants import broken_invariants
from app.rules.verdict import Verdict
from tests.jobs.conftest import World
from tests.letters import a_mail, desabo, matching, newsletter, with_link


async def test_a_recadrage_mission_is_delivered_with_its_deadline(world: World) -> None:
    world.arrives(matching(42))
    await world.settle()
    message, delivery = await world.one(Message), await world.one(Delivery)
    assert (message.state, message.verdict) == (MessageState.DECIDED, Verdict.DELIVER)
    assert (delivery.state, message.expected_deliveries) == (DeliveryState.SENT, 1)
    (link,) = await world.rows(Link)
    assert link.raw_url == "https://www.dropbox.com/scl/fo/abc42"
    (seen,) = world.sink.seen
    assert seen.json["detector"] == "recadrage"
    assert seen.json["delivery_time"] == "16h30"
    assert seen.json["microsoft_graph_email_id"] == message.email_id


async def test_every_mail_says_why_nothing_left(world: World) -> None:
    world.arrives(newsletter(), a_mail("Re: Lot 3", "Merci"))
    await world.settle()
    assert [(message.verdict, message.reason) for message in await world.rows(Message)] == [
        (Verdict.IGNORE, {"code": "no_rule_matched", "facts": {}}),
        (Verdict.IGNORE, {"code": "reply_prefix", "facts": {"prefix": "Re:"}}),
    ]
    assert all(message.steps for message in await world.rows(Message))
    assert world.sink.seen == []


async def test_each_rule_that_was_asked_leaves_a_decision_with_its_steps(world: World) -> None:
    world.arrives(with_link())
    await world.settle()
    decisions = await world.rows(Decision)
    assert [decision.matched for decision in decisions] == [False, False, True]
    assert all(decision.steps[-1]["mark"] == "stopped" for decision in decisions)


async def test_the_same_lot_in_the_same_month_is_sent_once(world: World) -> None:
    world.arrives(matching(7), matching(7))
    await world.settle()
    first, second = await world.rows(Message)
    assert second.verdict is Verdict.DUPLICATE
    assert second.reason
    assert second.reason["facts"]["message_id"] == first.id
    assert len(world.sink.seen) == 1


async def test_a_mark_counts_only_while_its_delivery_is_neither_failed_nor_dropped(world: World) -> None:
    world.arrives(matching(7))
    await world.settle()
    await world.change(Delivery, state=DeliveryState.FAILED)
    world.arrives(matching(7))
    await world.settle()
    assert [message.verdict for message in await world.rows(Message)] == [Verdict.DELIVER, Verdict.DELIVER]
    assert (await world.one(GroupMark)).message_id == 2


async def test_a_dropped_mail_speaks_for_nobody_in_its_own_batch(world: World) -> None:
    await world.set(window_start="18h00", window_end="19h00")
    world.arrives(matching(7), matching(7))
    await world.poll()
    await world.decide()
    assert [one.verdict for one in await world.rows(Message)] == [Verdict.IGNORE, Verdict.IGNORE]
    assert [one.state for one in await world.rows(Delivery)] == [DeliveryState.DROPPED] * 2
    assert await world.rows(GroupMark) == []


async def test_what_goes_once_in_two_days_goes_again_on_the_third(world: World) -> None:
    async with world.context.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.definition = version.definition | {"group": "days:2"}
    for _ in range(4):
        world.arrives(with_link())
        await world.settle()
        world.clock.pass_(days=1)
    assert [one.verdict for one in await world.rows(Message)] == [Verdict.DELIVER, Verdict.DUPLICATE] * 2
    assert [one.message_id for one in await world.rows(Delivery)] == [1, 3]


async def test_the_invariants_hold_for_every_kind_of_mail(world: World) -> None:
    await world.set(window_start="18h00", window_end="19h00")
    world.arrives(
        matching(), matching(5), matching(5), newsletter(), with_link(), desabo(), desabo(urgent=True)
    )
    await world.settle()
    async with world.context.database.reading() as db:
        assert await broken_invariants(db) == {"I1": 0, "I2": 0, "I3": 0}


async def test_a_duplicate_goes_out_all_the_same_when_somebody_insists(world: World) -> None:
    twice = matching(7)
    world.arrives(twice, twice, matching(7))
    await world.settle()
    assert len(world.sink.seen) == 1
    for number in (2, 3):
        async with world.context.database.transaction() as db:
            (await db.get_one(Message, number)).try_again(world.clock())
    await world.settle()
    assert len(world.sink.seen) == 3
    with pytest.raises(ValueError, match="decided"):
        (await world.rows(Message))[2].try_again(world.clock())


async def test_who_insists_twice_insists_all_the_same(world: World) -> None:
    await world.set(max_email_size_mb=1)
    world.arrives(a_mail("large", "https://fromsmash.com/large " + "x" * 1_100_000))
    await world.poll()
    for _ in range(2):
        async with world.context.database.transaction() as db:
            (await db.get_one(Message, 1)).try_again(world.clock())
    await world.settle()
    assert (await world.one(Message)).verdict is Verdict.DELIVER


async def test_a_mail_that_is_too_large_is_fetched_when_somebody_insists(world: World) -> None:
    await world.set(max_email_size_mb=1)
    world.arrives(a_mail("large", "https://fromsmash.com/large " + "x" * 1_100_000))
    await world.settle()
    message = await world.one(Message)
    assert message.state is MessageState.OVERSIZE
    async with world.context.database.transaction() as db:
        (await db.get_one(Message, message.id)).try_again(world.clock())
    await world.settle()
    assert (await world.one(Message)).verdict is Verdict.DELIVER
    assert len(world.sink.seen) == 1
