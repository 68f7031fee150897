"""Sources, bodies and tries: what is old goes, and never what somebody still needs."""

from datetime import timedelta
from itertools import product

import pytest
from sqlmodel import select

from app.jobs.context import Context
from app.jobs.retention import AT_ONCE, clean
from app.models import (
    Attempt,
    Decision,
    Delivery,
    DeliveryState,
    LogEvent,
    Message,
    MessageState,
    Setting,
)
from app.models.delivery import FINISHED, UNFINISHED
from app.rules.retention import Kind
from app.rules.verdict import Verdict
from tests.jobs.retention.ledger import NOW, OLD, YOUNG, a_sent_mail, broken, keep, rows, sources
from tests.views.cast import (
    Cast,
    a_delivery,
    a_mail_without_receiver,
    a_message,
    an_attempt,
)


async def test_an_old_source_goes_and_the_mail_says_when(context: Context, cast: Cast) -> None:
    async with context.database.transaction() as db:
        old, young = await a_message(db, cast, "old", at=OLD), await a_message(db, cast, "young", at=YOUNG)
    assert (await clean(context, pause=0))[Kind.SOURCES] == 1
    assert await sources(context) == {young.id}
    gone, kept = sorted(await rows(context, Message), key=lambda row: row.id or 0)
    assert (gone.source_removed_at, kept.source_removed_at) == (NOW, None)
    assert (gone.digest, gone.fingerprint, gone.steps) == (old.digest, old.fingerprint, old.steps)


async def test_a_source_stays_as_long_as_anything_may_need_it(context: Context, cast: Cast) -> None:
    needed = set()
    async with context.database.transaction() as db:
        for undecided in (MessageState.STORED, MessageState.QUARANTINED):
            needed.add((await a_message(db, cast, undecided, at=OLD, state=undecided)).id)
        for finished, unfinished in product(FINISHED, UNFINISHED):
            mail = await a_message(db, cast, f"{finished}, {unfinished}", at=OLD)
            await a_delivery(db, cast, mail, state=finished)
            await a_delivery(db, cast, mail, state=unfinished, endpoint=1, body=None, finished_at=None)
            needed.add(mail.id)
        owed = await a_mail_without_receiver(db, cast, "no receiver yet")
        owed.stored_at = OLD
        needed.add(owed.id)
        for state in FINISHED:
            await a_delivery(db, cast, await a_message(db, cast, state, at=OLD), state=state)
    assert (await clean(context, pause=0))[Kind.SOURCES] == len(FINISHED)
    assert await sources(context) == needed


async def test_a_mail_whose_source_is_gone_is_not_decided_again(context: Context, cast: Cast) -> None:
    async with context.database.transaction() as db:
        mail = await a_message(db, cast, "twin", at=OLD, verdict=Verdict.DUPLICATE)
        assert mail.can_be_tried_again
    await clean(context, pause=0)
    (gone,) = await rows(context, Message)
    assert not gone.can_be_tried_again


@pytest.mark.parametrize("state", FINISHED)
async def test_the_body_and_the_tries_of_what_ended_long_ago_go(
    context: Context, cast: Cast, state: DeliveryState
) -> None:
    async with context.database.transaction() as db:
        old = await a_sent_mail(db, cast, OLD, state=state)
        young = await a_sent_mail(db, cast, OLD, state=state, finished_at=YOUNG)
    removed = await clean(context, pause=0)
    assert (removed[Kind.BODIES], removed[Kind.ATTEMPTS]) == (1, 1)
    first, second = sorted(await rows(context, Delivery), key=lambda row: row.id or 0)
    assert (first.body, second.body, first.attempts) == (None, young.body, 1)
    assert first.facts == old.facts
    assert [attempt.delivery_id for attempt in await rows(context, Attempt)] == [young.id]
    assert await broken(context) == {0}


@pytest.mark.parametrize("state", UNFINISHED)
async def test_nothing_of_what_is_not_finished_goes(
    context: Context, cast: Cast, state: DeliveryState
) -> None:
    async with context.database.transaction() as db:
        await a_sent_mail(db, cast, OLD, state=state, finished_at=None)
    assert (await clean(context, pause=0)).total() == 0
    assert [row.body is not None for row in await rows(context, Delivery)] == [True]
    assert len(await rows(context, Attempt)) == len(await sources(context)) == 1


async def test_what_ended_at_one_moment_goes_in_several_batches(context: Context, cast: Cast) -> None:
    number = 2 * AT_ONCE + 50
    async with context.database.transaction() as db:
        mail = await a_message(db, cast, "many", at=OLD)
        for occurrence in range(number):
            delivery = await a_delivery(
                db, cast, mail, occurrence=occurrence, webhook_id=f"w{occurrence}", finished_at=OLD
            )
            await an_attempt(db, delivery)
    first = await clean(context, pause=0, most=1)
    assert (first[Kind.BODIES], first[Kind.ATTEMPTS]) == (AT_ONCE, AT_ONCE)
    rest = await clean(context, pause=0)
    assert (rest[Kind.BODIES], rest[Kind.ATTEMPTS]) == (number - AT_ONCE, number - AT_ONCE)
    assert await rows(context, Attempt) == []


async def test_every_try_of_a_delivery_is_still_there_while_the_mark_has_not_passed_it(
    context: Context, cast: Cast
) -> None:
    """I3 lets a finished delivery be without tries only up to the mark."""
    async with context.database.transaction() as db:
        young = await a_sent_mail(db, cast, YOUNG)
    await clean(context, pause=0)
    assert await broken(context) == {0}
    async with context.database.transaction() as db:
        await db.delete((await db.exec(select(Attempt).where(Attempt.delivery_id == young.id))).one())
        (await db.get_one(Message, young.message_id)).expected_deliveries = 1
    assert await broken(context) == {0, 1}


async def test_a_longer_time_brings_nothing_back_and_breaks_nothing(context: Context, cast: Cast) -> None:
    async with context.database.transaction() as db:
        await a_sent_mail(db, cast, YOUNG)
    await keep(context, bodies=30, attempts=30)
    await clean(context, pause=0)
    await keep(context, bodies=1000, attempts=1000)
    assert (await clean(context, pause=0)).total() == 0
    setting = (await rows(context, Setting))[0]
    assert setting.attempts_from == setting.bodies_from == NOW - timedelta(days=30)
    assert await broken(context) == {0}


async def test_nothing_goes_of_what_is_kept_for_ever(context: Context, cast: Cast) -> None:
    async with context.database.transaction() as db:
        await a_sent_mail(db, cast, OLD)
        db.add_all([LogEvent(at=OLD, event="rule saved"), LogEvent(at=OLD, event="rule saved")])
    await keep(context, sources=0, bodies=0, attempts=0, logs=0)
    assert (await clean(context, pause=0)).total() == 0
    assert len(await rows(context, LogEvent)) == 2


async def test_the_ledger_itself_is_never_touched(context: Context, cast: Cast) -> None:
    async with context.database.transaction() as db:
        for days in range(1, 900, 90):
            await a_sent_mail(db, cast, NOW - timedelta(days=days))
    before = [len(await rows(context, table)) for table in (Message, Delivery, Decision)]
    await keep(context, sources=1, bodies=1, attempts=1, logs=1)
    await clean(context, pause=0)
    assert [len(await rows(context, table)) for table in (Message, Delivery, Decision)] == before
    assert await broken(context) == {0}


async def test_large_sources_go_one_by_one(context: Context, cast: Cast) -> None:
    async with context.database.transaction() as db:
        for _ in range(3):
            await a_message(db, cast, "large", at=OLD, size=20 * 2**20)
    assert (await clean(context, pause=0, most=1))[Kind.SOURCES] == 1
    assert (await clean(context, pause=0))[Kind.SOURCES] == 2
