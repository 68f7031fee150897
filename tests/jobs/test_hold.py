"""What is held leaves when its time comes, and follows the settings of that moment."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlmodel import select

from app.jobs.hold import AT_ONCE, release_due
from app.jobs.intervene import Chosen, drop, release, take_back
from app.jobs.seed import add_endpoint, new_endpoint
from app.jobs.sweep import sweep
from app.models import (
    Decision,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    LogEvent,
    Message,
    RuleVersion,
    Sending,
)
from app.models.held import HeldFilter
from app.rules.verdict import Verdict
from tests.jobs.conftest import World
from tests.letters import desabo, matching, newsletter, with_link
from tests.servers import Answer


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
    await world.set(sending=Sending.PAUSED)
    world.arrives(with_link())
    await world.settle()
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.HELD, "paused")
    await world.set(sending=Sending.ON)
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
    await offered(world, urgent=True)
    assert (await world.one(Delivery)).state is DeliveryState.HELD
    world.clock.pass_(hours=12)
    await sweep(world.context)
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.DROPPED, "hold_expired")


async def test_an_urgent_offer_expires_with_its_day_though_sending_is_paused_still(world: World) -> None:
    await world.set(sending=Sending.PAUSED)
    await offered(world, urgent=True)
    held = await world.one(Delivery)
    assert (held.state, held.reason["code"], held.release_at) == (DeliveryState.HELD, "paused", None)
    world.clock.pass_(hours=12)
    await sweep(world.context)
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.DROPPED, "hold_expired")


async def test_an_urgent_offer_that_a_pause_held_is_still_urgent_after_closing(world: World) -> None:
    await world.set(window_start="9h00", window_end="19h00", sending=Sending.PAUSED)
    await offered(world, urgent=True)
    world.clock.pass_(hours=6)
    await world.set(sending=Sending.ON)
    await sweep(world.context)
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.HELD, "after_window")


async def test_an_offer_that_a_pause_held_is_still_answered_early(world: World) -> None:
    await world.set(window_start="15h00", window_end="19h00", sending=Sending.PAUSED)
    await offered(world)
    assert (await world.one(Delivery)).reason["code"] == "paused"
    await world.set(sending=Sending.ON)
    await world.settle()
    assert (await world.one(Delivery)).state is DeliveryState.SENT
    assert world.sink.seen[0].json["webhooks_time_start"] == "15h00"


async def test_what_lacks_a_link_is_held_until_the_opening_and_dropped_then(world: World) -> None:
    anything = {"conditions": {"mode": "all", "items": []}, "links_required": True}
    async with world.context.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion).where(RuleVersion.rule_id == 3))).all():
            version.definition = version.definition | anything
    await world.set(window_start="15h00", window_end="19h00")
    world.arrives(newsletter())
    await world.settle()
    held = await world.one(Delivery)
    assert (held.state, held.reason["code"]) == (DeliveryState.HELD, "before_window")
    assert held.lacks_link
    world.clock.pass_(hours=1)
    await world.settle()
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.DROPPED, "no_links")
    assert world.sink.seen == []


async def test_a_rule_without_receiver_holds_its_mail(world: World) -> None:
    await world.change(RuleVersion, endpoint_ids=[])
    world.arrives(with_link())
    await world.settle()
    message = await world.one(Message)
    assert message.verdict is Verdict.HOLD
    assert message.reason
    assert message.reason["code"] == "no_endpoint"


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


async def test_a_pause_in_the_night_does_not_cost_what_is_held_until_the_morning(world: World) -> None:
    async with world.context.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            policy = version.definition["policy"] | {"paused": "drop"}
            version.definition = version.definition | {"policy": policy}
    await world.set(window_start="15h00", window_end="19h00")
    world.arrives(with_link())
    await world.settle()
    opening = (await world.one(Delivery)).release_at
    for sending in (Sending.PAUSED, Sending.ON):
        await world.set(sending=sending)
        await sweep(world.context)
        delivery = await world.one(Delivery)
        assert (delivery.state, delivery.release_at) == (DeliveryState.HELD, opening)
    await world.set(sending=Sending.PAUSED)
    world.clock.pass_(hours=1)
    await sweep(world.context)
    assert (await world.one(Delivery)).state is DeliveryState.DROPPED


async def test_more_than_one_batch_is_let_go_the_most_urgent_first(world: World) -> None:
    await world.set(sending=Sending.PAUSED)
    world.arrives(*(matching(lot) for lot in range(AT_ONCE + 20)))
    await world.poll()
    await world.decide()
    await world.set(sending=Sending.ON)
    async with world.context.database.transaction() as db:
        (await db.get_one(Delivery, AT_ONCE + 20)).priority = 0
        assert await release_due(db, world.clock()) == AT_ONCE
        assert (await db.get_one(Delivery, AT_ONCE + 20)).state is DeliveryState.PENDING
    await sweep(world.context)
    assert {one.state for one in await world.rows(Delivery)} == {DeliveryState.PENDING}


async def test_what_is_released_by_hand_goes_outside_the_window_but_not_during_a_pause(world: World) -> None:
    await world.set(window_start="15h00", window_end="19h00", sending=Sending.PAUSED)
    world.arrives(with_link())
    await world.settle()
    await by_hand(world, release)
    await world.settle()
    assert (await world.one(Delivery)).state is DeliveryState.PENDING
    await world.set(sending=Sending.ON)
    await world.settle()
    assert (await world.one(Delivery)).state is DeliveryState.SENT


async def test_what_is_dropped_by_hand_speaks_for_its_group_no_more(world: World) -> None:
    await world.set(sending=Sending.PAUSED)
    world.arrives(matching(42))
    await world.settle()
    await by_hand(world, drop)
    world.arrives(matching(42))
    await world.settle()
    assert [one.state for one in await world.rows(Delivery)] == [DeliveryState.DROPPED, DeliveryState.HELD]


async def test_what_is_taken_back_is_held_as_the_gates_say_now(world: World) -> None:
    await world.set(window_start="15h00", window_end="19h00")
    world.arrives(with_link())
    await world.settle()
    held = await world.one(Delivery)
    await by_hand(world, drop)
    batch = (await world.one(Delivery)).reason["facts"]["batch"]
    async with world.context.database.transaction() as db:
        await take_back(db, batch, by="ada", now=world.clock())
    await sweep(world.context)
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason) == (DeliveryState.HELD, held.reason)
    assert delivery.release_at == held.release_at


async def test_what_its_receiver_held_is_tried_again_when_it_is_taken_back(world: World) -> None:
    world.sink.answers.append(Answer(status=410))
    world.arrives(with_link())
    await world.settle()
    assert (await world.one(Delivery)).reason["code"] == "gone"
    await by_hand(world, drop)
    batch = (await world.one(Delivery)).reason["facts"]["batch"]
    async with world.context.database.transaction() as db:
        await take_back(db, batch, by="ada", now=world.clock())
    await world.change(Endpoint, state=EndpointState.ACTIVE)
    await world.settle()
    assert (await world.one(Delivery)).state is DeliveryState.SENT


async def offered(world: World, *, urgent: bool = False) -> None:
    """An offer arrives now and is decided."""
    world.arrives(desabo(urgent=urgent))
    await world.poll()
    await world.change(Message, internal_at=world.clock())  # Dovecot's own clock knows nothing of ours
    await world.decide()


async def by_hand(world: World, act: Callable[..., Awaitable[LogEvent | None]]) -> None:
    """Do it to all that is held, as the page does."""
    async with world.context.database.transaction() as db:
        assert await act(db, Chosen(all_of=HeldFilter()), by="ada", now=world.clock())
