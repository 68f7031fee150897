"""A stored mail gets its verdict, its links, its deliveries and its group's mark in one commit."""

from datetime import timedelta
from functools import partial

import pytest

from app.jobs.again import try_again
from app.jobs.border import guarded
from app.jobs.decide import give_back_decisions, give_back_own
from app.jobs.owner import machine
from app.jobs.poll import due_polls
from app.jobs.seed import add_endpoint, new_endpoint
from app.jobs.sweep import sweep
from app.models import (
    Decision,
    Delivery,
    DeliveryState,
    GroupMark,
    Link,
    Message,
    MessageState,
    Raw,
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


async def test_outside_the_window_a_mail_with_links_is_held_and_leaves_at_the_opening(world: World) -> None:
    await world.set(window_start="15h00", window_end="19h00")  # in Paris it is 14h00
    world.arrives(with_link())
    await world.settle()
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.HELD, "before_window")
    assert delivery.release_at == world.clock() + timedelta(hours=1)
    world.clock.pass_(hours=1)
    await world.settle()
    assert (await world.one(Delivery)).state is DeliveryState.SENT
    assert world.sink.seen[0].json["webhooks_time_start"] == "maintenant"
    assert world.sink.seen[0].json["webhooks_time_end"] == "19h00"


async def test_a_held_mail_follows_the_settings_of_the_moment(world: World) -> None:
    await world.set(window_start="18h00", window_end="19h00")
    world.arrives(with_link())
    await world.settle()
    await world.set(window_start="", window_end="")
    await world.settle()
    assert (await world.one(Delivery)).state is DeliveryState.SENT


async def test_while_paused_mail_is_held_and_leaves_when_sending_is_on_again(world: World) -> None:
    await world.set(sending_enabled=False)
    world.arrives(with_link())
    await world.settle()
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.HELD, "paused")
    await world.set(sending_enabled=True)
    await world.settle()
    assert (await world.one(Delivery)).state is DeliveryState.SENT


async def test_a_recadrage_outside_the_window_is_dropped_and_kept(world: World) -> None:
    await world.set(window_start="18h00", window_end="19h00")
    world.arrives(matching())
    await world.settle()
    message, delivery = await world.one(Message), await world.one(Delivery)
    assert (message.verdict, delivery.state) == (Verdict.IGNORE, DeliveryState.DROPPED)
    await world.change(Delivery, state=DeliveryState.PENDING)
    await world.settle()
    assert len(world.sink.seen) == 1


async def test_an_urgent_offer_that_is_held_expires_with_its_day(world: World) -> None:
    await world.set(absence_enabled=True, absence_days=["monday"])
    world.arrives(desabo(urgent=True))
    await world.poll()
    await world.change(Message, internal_at=world.clock())  # Dovecot's own clock knows nothing of ours
    await world.settle()
    assert (await world.one(Delivery)).state is DeliveryState.HELD
    world.clock.pass_(hours=12)
    await world.settle()
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.DROPPED, "hold_expired")


async def test_a_rule_without_receiver_holds_its_mail(world: World) -> None:
    await world.change(RuleVersion, endpoint_ids=[])
    world.arrives(with_link())
    await world.settle()
    message = await world.one(Message)
    assert message.verdict is Verdict.HOLD
    assert message.reason
    assert message.reason["code"] == "no_endpoint"


async def test_a_mail_that_breaks_the_parser_is_set_aside_and_the_next_one_goes_on(world: World) -> None:
    world.arrives(matching(1), matching(2))
    await world.poll()
    async with world.context.database.transaction() as db:
        (await db.get_one(Raw, 1)).body = (
            b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\n" * 1
        )
    await world.decide()
    assert [message.state for message in await world.rows(Message)][1] is MessageState.DECIDED


async def test_what_a_dead_process_was_deciding_is_decided_by_the_next(world: World) -> None:
    world.arrives(matching())
    await world.poll()
    await world.change(
        Message,
        decide_owner=f"{machine()}/worker/999999999/1",
        decide_at=world.clock() + timedelta(seconds=60),
    )
    await world.decide()
    assert (await world.one(Message)).state is MessageState.STORED
    await sweep(world.context)
    await world.decide()
    message = await world.one(Message)
    assert (message.state, message.decide_tries) == (MessageState.DECIDED, 1)


@pytest.mark.parametrize("deaths", [3])
async def test_a_mail_that_processes_die_of_is_quarantined(world: World, deaths: int) -> None:
    world.arrives(matching())
    await world.poll()
    for _ in range(deaths):
        await world.change(Message, decide_owner="a process that died")
        async with world.context.database.transaction() as db:
            await give_back_decisions(db, {"a process that died"}, world.clock())
    await sweep(world.context)
    message = await world.one(Message)
    assert message.state is MessageState.QUARANTINED
    assert message.reason
    assert message.reason["code"] == "parser_killed"


async def test_the_invariants_hold_for_every_kind_of_mail(world: World) -> None:
    await world.set(window_start="18h00", window_end="19h00")
    world.arrives(
        matching(), matching(5), matching(5), newsletter(), with_link(), desabo(), desabo(urgent=True)
    )
    await world.settle()
    async with world.context.database.reading() as db:
        assert await broken_invariants(db) == {"I1": 0, "I2": 0, "I3": 0}


async def test_a_receiver_that_is_connected_later_gets_the_mail_that_waited_for_one(world: World) -> None:
    await world.change(RuleVersion, endpoint_ids=[])
    world.arrives(with_link())
    await world.settle()
    async with world.context.database.transaction() as db:
        endpoint = new_endpoint("Another", world.sink.url, world.context.vault, world.clock())
        await add_endpoint(db, endpoint, by="ada", now=world.clock())
    await world.settle()
    message, delivery = await world.one(Message), await world.one(Delivery)
    assert (message.verdict, delivery.state) == (Verdict.DELIVER, DeliveryState.SENT)
    assert len(await world.rows(Decision)) == 3


async def test_a_duplicate_goes_out_all_the_same_when_somebody_insists(world: World) -> None:
    twice = matching(7)
    world.arrives(twice, twice, matching(7))
    await world.settle()
    assert len(world.sink.seen) == 1
    for number in (2, 3):
        async with world.context.database.transaction() as db:
            await try_again(db, await db.get_one(Message, number), world.clock())
    await world.settle()
    assert len(world.sink.seen) == 3
    with pytest.raises(ValueError, match="decided"):
        (await world.rows(Message))[2].try_again(world.clock())


async def test_a_mail_that_is_too_large_is_fetched_when_somebody_insists(world: World) -> None:
    await world.set(max_email_size_mb=1)
    world.arrives(a_mail("large", "https://fromsmash.com/large " + "x" * 1_100_000))
    await world.settle()
    message = await world.one(Message)
    assert message.state is MessageState.OVERSIZE
    async with world.context.database.transaction() as db:
        await try_again(db, await db.get_one(Message, message.id), world.clock())
    await world.settle()
    assert (await world.one(Message)).verdict is Verdict.DELIVER
    assert len(world.sink.seen) == 1


async def test_a_mail_that_breaks_the_deciding_takes_no_other_along(world: World) -> None:
    world.arrives(matching(1), matching(2), matching(3))
    await world.poll()
    async with world.context.database.transaction() as db:
        reason = {"code": "no_rule", "facts": {}}
        stray = Decision(  # what no code had thought of: the row that deciding is about to write
            message_id=2,
            rule_id=1,
            rule_version_id=1,
            position=0,
            matched=False,
            reason=reason,
            steps=[],
            created_at=world.clock(),
        )
        db.add(stray)
    for _ in range(6):
        await guarded("decide", world.decide, failed=partial(give_back_own, world.context))
        await sweep(world.context)
    assert [message.state for message in await world.rows(Message)] == [
        MessageState.DECIDED,
        MessageState.QUARANTINED,
        MessageState.DECIDED,
    ]


async def test_a_mail_stored_by_a_clock_that_ran_ahead_is_decided_all_the_same(world: World) -> None:
    world.clock.pass_(days=3650)
    world.arrives(matching())
    await world.poll()
    world.clock.pass_(days=-3650)
    await sweep(world.context)
    await world.decide()
    assert (await world.one(Message)).state is MessageState.DECIDED
    world.arrives(matching())
    assert await due_polls(world.context) == [(1, None)]
    await world.poll()
    assert len(await world.rows(Message)) == 2
