"""Mails that somebody leaves as they are: settled with a reason, and to be had again."""

from app.jobs.leave import leave
from app.jobs.seed import add_endpoint, new_endpoint
from app.models import Decision, Delivery, DeliveryState, LogEvent, Message, MessageState, RuleVersion
from app.models.invariants import broken_invariants
from app.models.standing import count
from app.rules.verdict import Verdict
from tests.jobs.conftest import World
from tests.letters import with_link

KILLED = {"code": "parser_killed", "facts": {"tries": 3}}


async def left(world: World) -> LogEvent | None:
    async with world.context.database.transaction() as db:
        message = await db.get_one(Message, 1)
        return await leave(db, message, by="ada", now=world.clock())


async def tried_again(world: World) -> None:
    async with world.context.database.transaction() as db:
        (await db.get_one(Message, 1)).try_again(world.clock())
    await world.settle()


async def connected(world: World) -> None:
    """Connect a receiver, which gets the mail that waited for one."""
    async with world.context.database.transaction() as db:
        endpoint = new_endpoint("Another", world.sink.url, world.context.vault, world.clock())
        await add_endpoint(db, endpoint, by="ada", now=world.clock())
    await world.settle()


async def waiting(world: World) -> tuple[int, int]:
    async with world.context.database.reading() as db:
        counts = await count(db, world.clock(), world.clock())
        assert not any((await broken_invariants(db)).values())
    return counts.stuck, counts.owed


async def test_a_mail_set_aside_is_left_with_both_reasons_and_can_be_tried_again(world: World) -> None:
    world.arrives(with_link())
    await world.poll()
    await world.change(Message, state=MessageState.QUARANTINED, reason=KILLED, decide_at=None)
    assert await waiting(world) == (1, 0)
    done = await left(world)
    assert done
    assert (done.subject, done.facts) == ("ada", {"message": 1})
    message = await world.one(Message)
    assert (message.state, message.verdict) == (MessageState.DECIDED, Verdict.IGNORE)
    assert message.reason == {"code": "left_by_hand", "facts": {"by": "ada"}}
    assert [step["code"] for step in message.steps] == ["parser_killed", "left_by_hand"]
    assert await waiting(world) == (0, 0)
    assert await left(world) is None
    await tried_again(world)
    assert (await world.one(Delivery)).state is DeliveryState.SENT


async def test_a_mail_without_receiver_that_was_left_waits_for_none(world: World) -> None:
    await world.change(RuleVersion, endpoint_ids=[])
    world.arrives(with_link())
    await world.settle()
    assert await waiting(world) == (0, 1)
    assert await left(world)
    assert await waiting(world) == (0, 0)
    await connected(world)
    assert (await world.one(Message)).verdict is Verdict.IGNORE
    assert await world.rows(Delivery) == []
    await tried_again(world)
    assert (await world.one(Delivery)).state is DeliveryState.SENT


async def test_of_a_mail_that_went_elsewhere_only_what_is_owed_is_left(world: World) -> None:
    world.arrives(with_link())
    await world.settle()
    owed = {"code": "no_endpoint", "facts": {"rule": "another"}}
    taken = next(one for one in await world.rows(Decision) if not one.matched)
    async with world.context.database.transaction() as db:
        decision = await db.get_one(Decision, taken.id)
        decision.verdict, decision.reason = Verdict.HOLD, owed
    assert await waiting(world) == (0, 1)
    assert await left(world)
    assert await waiting(world) == (0, 0)
    message = await world.one(Message)
    assert (message.verdict, await left(world)) == (Verdict.DELIVER, None)


async def test_a_mail_that_is_being_decided_is_not_left(world: World) -> None:
    world.arrives(with_link())
    await world.poll()
    assert await left(world) is None
