"""Life after a clean-up: the same mail is still known, and what can be sent again is."""

from app.jobs.retention import clean
from app.models import Attempt, Delivery, DeliveryState, Message, Raw, RunState
from app.rules.verdict import Verdict
from tests.jobs.conftest import World
from tests.jobs.trials import about, tried
from tests.letters import with_link


async def _sent_long_ago(world: World, mail: bytes) -> Delivery:
    world.arrives(mail)
    await world.settle()
    world.clock.pass_(days=400)
    return await world.one(Delivery)


async def _send_again(world: World) -> Delivery:
    async with world.context.database.transaction() as db:
        (await db.get_one(Delivery, 1)).send_again(world.clock(), "ada")
    await world.deliver()
    return await world.one(Delivery)


async def test_a_mail_whose_source_went_is_known_when_it_comes_again(world: World) -> None:
    mail = with_link()
    await _sent_long_ago(world, mail)
    await clean(world.context, pause=0)
    assert await world.rows(Raw) == []
    world.arrives(mail)
    await world.settle()
    _, again = await world.rows(Message)
    assert (again.verdict, again.duplicate_of) == (Verdict.DUPLICATE, 1)
    assert len(world.sink.seen) == 1


async def test_a_new_uidvalidity_repeats_no_mail_whose_source_went(world: World) -> None:
    await _sent_long_ago(world, with_link())
    await clean(world.context, pause=0)
    world.imap.renumber(world.user, uidvalidity=4242)
    await world.settle()
    assert len(await world.rows(Message)) == 1
    assert len(world.sink.seen) == 1


async def test_a_body_that_went_is_made_again_of_the_source(world: World) -> None:
    await world.set(keep_sources=0)
    first = await _sent_long_ago(world, with_link())
    await clean(world.context, pause=0)
    assert (await world.one(Delivery)).body is None
    assert await world.rows(Attempt) == []
    again = await _send_again(world)
    assert (again.state, again.body) == (DeliveryState.SENT, first.body)
    assert [seen.body for seen in world.sink.seen] == [first.body, first.body]
    assert len({seen.headers["webhook-id"] for seen in world.sink.seen}) == 1
    (attempt,) = await world.rows(Attempt)
    assert (attempt.number, again.attempts) == (2, 2)


async def test_without_body_and_source_it_is_held_with_a_name(world: World) -> None:
    """The page refuses it; a program or a replay may still ask."""
    await _sent_long_ago(world, with_link())
    await clean(world.context, pause=0)
    again = await _send_again(world)
    assert (again.state, again.reason["code"]) == (DeliveryState.HELD, "source_removed")
    assert len(world.sink.seen) == 1


async def test_a_body_stays_when_only_the_source_went(world: World) -> None:
    await world.set(keep_bodies=0)
    await _sent_long_ago(world, with_link())
    await clean(world.context, pause=0)
    assert (await _send_again(world)).state is DeliveryState.SENT


async def test_a_trial_passes_over_mails_without_source(world: World) -> None:
    await _sent_long_ago(world, with_link())
    await clean(world.context, pause=0)
    world.arrives(with_link())
    await world.settle()
    run = await tried(world, about("lot"), days=500)
    assert (run.state, run.total) == (RunState.DONE, 1)
