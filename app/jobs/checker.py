"""The tests of receivers that this process sends: taken one after the other, sent side by side."""

import asyncio
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events import Event
from app.jobs.border import guarded
from app.jobs.context import Context
from app.jobs.endpoint_test import end, send
from app.jobs.owner import dead
from app.models import Endpoint, EndpointState, EndpointTest
from app.models.refusal import used_this_hour
from app.rules.outcome import Word
from app.rules.verdict import Reason

AT_ONCE = 10  # of all, in one process
LONGEST = timedelta(minutes=12)  # that one can take: longer ago, nobody sends it any more
BROKE = Reason(Word.UNEXPECTED.value).to_json()
LOST = Reason(Word.LOST.value).to_json()


class Checker:
    """A receiver that hangs keeps no other's test waiting."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._under_way: set[asyncio.Task[None]] = set()

    async def start_waiting(self) -> None:
        """Start the tests that wait, and end those whose process died."""
        await _end_lost(self._context)
        while len(self._under_way) < AT_ONCE and (claimed := await _claim(self._context)):
            await self._context.queue.publish(Event.DELIVERY_CHANGED)
            if claimed[0].ended_at is None:
                self._start(*claimed)

    def _start(self, test: EndpointTest, endpoint: Endpoint) -> None:
        work = partial(send, self._context, test, endpoint)
        failed = partial(end, self._context, test, reason=BROKE)
        task = asyncio.create_task(guarded("endpoint test", work, failed=failed))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def drain(self) -> None:
        """Break off: a test is asked for again more quickly than it is waited for."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


async def _end_lost(context: Context) -> None:
    now = context.now()
    under_way = (col(EndpointTest.ended_at).is_(None), col(EndpointTest.owner).is_not(None))
    query = select(EndpointTest.id, EndpointTest.owner, EndpointTest.started_at).where(*under_way)
    async with context.database.reading() as db:
        found = (await db.exec(query)).all()
    lost = [number for number, owner, at in found if _is_lost(owner, at, now)]
    if not lost:
        return
    ended = update(EndpointTest).where(*under_way, col(EndpointTest.id).in_(lost))
    async with context.database.transaction() as db:
        await db.exec(ended.values(ended_at=now, reason=LOST))
    await context.queue.publish(Event.DELIVERY_CHANGED)


def _is_lost(owner: str | None, started_at: datetime | None, now: datetime) -> bool:
    return dead(owner or "") or started_at is None or abs(now - started_at) > LONGEST


async def _claim(context: Context) -> tuple[EndpointTest, Endpoint] | None:
    """Take the test that has waited longest; None when none waits.

    Little stands against a test, and what does ends it before it is begun.
    """
    now = context.now()
    queued = (col(EndpointTest.owner).is_(None), col(EndpointTest.ended_at).is_(None))
    first = select(EndpointTest.id).where(*queued).order_by(col(EndpointTest.id)).limit(1)
    async with context.database.reading() as db:  # most seconds there is none, and no need for the lock
        if (await db.exec(first)).first() is None:
            return None
    async with context.database.transaction() as db:
        taken = await db.exec(
            update(EndpointTest)
            .where(col(EndpointTest.id).in_(first.with_for_update(skip_locked=True)))
            .values(owner=context.owner)
            .returning(col(EndpointTest.id))
        )
        number = taken.scalar()
        if number is None:
            return None
        test = await db.get_one(EndpointTest, number)
        endpoint = await db.get_one(Endpoint, test.endpoint_id)
        against = await _against(db, endpoint, now)
        if against is None:
            test.started_at, test.url = now, endpoint.url
        else:
            test.ended_at, test.reason = now, against.to_json()
    return test, endpoint


async def _against(db: AsyncSession, endpoint: Endpoint, now: datetime) -> Reason | None:
    """Say what keeps even a test from it: not a pause, nor that it fails."""
    if endpoint.state is EndpointState.DELETED:
        return Reason("endpoint_deleted")
    used, limit = (await used_this_hour(db, [endpoint], now))[endpoint.id], endpoint.rate_per_hour
    return Reason("test_over_limit", {"used": used, "limit": limit}) if limit and used >= limit else None
