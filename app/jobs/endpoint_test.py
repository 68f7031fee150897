"""A test of a receiver: the same way as a delivery, with a payload that says it is none, and kept apart."""

import asyncio
import secrets
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import delete, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events import Event
from app.integrations.errors import IntegrationError
from app.integrations.webhook import DeliveryError
from app.jobs.body import shaped
from app.jobs.border import guarded
from app.jobs.claim import CONTENT_TYPES
from app.jobs.context import Context
from app.jobs.owner import dead
from app.jobs.request import headers_of, target_of
from app.models import Attempt, Endpoint, EndpointTest, Mode
from app.rules import outcome, payload
from app.rules.outcome import Word
from app.rules.verdict import Reason

MOST_WAITING = 5  # of one receiver
KEPT = 20  # of one receiver
AT_ONCE = 10  # of all, in one process
LONGEST = timedelta(minutes=12)  # that one can take: longer ago, nobody sends it any more
HOUR = timedelta(hours=1)
UNSUPPORTED = 415
BROKE = Reason(Word.UNEXPECTED.value).to_json()
LOST = Reason(Word.LOST.value).to_json()

Columns = dict[str, Any]

log = structlog.get_logger()


async def waiting(db: AsyncSession, endpoint_id: int) -> int:
    """Count the tests of a receiver that have not ended."""
    query = select(func.count()).where(
        EndpointTest.endpoint_id == endpoint_id, col(EndpointTest.ended_at).is_(None)
    )
    return (await db.exec(query)).one()


async def request_test(db: AsyncSession, endpoint: Endpoint, *, by: str, now: datetime) -> EndpointTest:
    """Ask for a test; the oldest that are kept make room for it."""
    test = EndpointTest(
        endpoint_id=endpoint.id or 0,
        webhook_id=f"test_{secrets.token_hex(16)}",
        requested_by=by,
        requested_at=now,
    )
    db.add(test)
    await db.flush()
    own = col(EndpointTest.endpoint_id) == endpoint.id
    kept = select(EndpointTest.id).where(own).order_by(col(EndpointTest.id).desc()).limit(KEPT).subquery()
    old = (col(EndpointTest.ended_at).is_not(None), col(EndpointTest.id).not_in(select(kept.c.id)))
    await db.exec(delete(EndpointTest).where(own, *old))
    return test


def sample(now: datetime) -> Columns:
    """Make a payload like a mail's that nobody can take for one."""
    return payload.build(
        email_id="test",
        subject="[TEST] Signal Server",
        date_header=format_datetime(now),
        sender_header="Signal Server <test@signal-server.invalid>",
        sender="test@signal-server.invalid",
        content="[TEST] Somebody tests this receiver. There is no mail behind it, and nothing to do.",
        detector=None,
        delivery_time=None,
        window_start=None,
        window_end=None,
        links=[],
    )


class Checker:
    """The tests that this process sends: a receiver that hangs keeps no other's test waiting."""

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
        work = partial(_send, self._context, test, endpoint)
        failed = partial(_end, self._context, test, reason=BROKE)
        task = asyncio.create_task(guarded("endpoint test", work, failed=failed))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def finish(self) -> None:
        """Wait until what is under way has ended."""
        if self._under_way:
            await asyncio.wait(self._under_way)

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

    Only the limit of an hour holds for a test as well: beyond it, one ends before it is begun.
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
        over = await _over_limit(db, endpoint, now)
        if over is None:
            test.started_at = now
        else:
            test.ended_at, test.reason = now, over.to_json()
    return test, endpoint


async def _over_limit(db: AsyncSession, endpoint: Endpoint, now: datetime) -> Reason | None:
    if not endpoint.rate_per_hour:
        return None
    used = 0
    for kind in (Attempt, EndpointTest):
        lately = (col(kind.endpoint_id) == endpoint.id, col(kind.started_at) >= now - HOUR)
        used += (await db.exec(select(func.count()).where(*lately))).one()
    facts = {"used": used, "limit": endpoint.rate_per_hour}
    return Reason("test_over_limit", facts) if used >= endpoint.rate_per_hour else None


async def _send(context: Context, test: EndpointTest, endpoint: Endpoint) -> None:
    """Send it, whatever keeps deliveries from this receiver."""
    body = payload.encode(shaped(sample(context.now()), endpoint))
    post = partial(_post, context, endpoint, webhook_id=test.webhook_id, body=body)
    ended = await post(content_type=CONTENT_TYPES[endpoint.mode])
    if ended.get("status") == UNSUPPORTED and endpoint.form_on_415 and endpoint.mode is Mode.JSON:
        ended = await post(content_type=CONTENT_TYPES[Mode.FORM])
    await _end(context, test, body=body, **ended)


async def _post(
    context: Context, endpoint: Endpoint, *, webhook_id: str, body: bytes, content_type: str
) -> Columns:
    """Send it once, and give how that went."""
    kept: dict[str, str] = {}
    ended: Columns = {}
    at = context.now()
    try:
        headers = headers_of(
            context, endpoint, webhook_id=webhook_id, content_type=content_type, body=body, at=at
        )
        kept = headers.kept
        answer = await context.webhooks.post(
            target_of(context, endpoint), body, headers.sent, endpoint.timeout
        )
    except IntegrationError as error:
        told = outcome.Answer(word=Word(error.reason.value), detail=error.detail)
        if isinstance(error, DeliveryError):
            ended = {"timings": error.timings, "peer": error.peer}
    else:
        told = outcome.Answer(status=answer.status, body=answer.body.decode("utf-8", "replace"))
        ended = {
            "status": answer.status,
            "answer_headers": answer.headers,
            "answer": answer.body,
            "truncated": answer.truncated,
            "timings": answer.timings,
            "peer": answer.peer,
        }
    reason = _judge(endpoint, told, context.now())
    log.info("receiver tested", endpoint=endpoint.id, outcome=reason.code, status=told.status)
    return {**ended, "request_headers": kept, "reason": reason.to_json()}


def _judge(endpoint: Endpoint, told: outcome.Answer, now: datetime) -> Reason:
    """Say how a delivery would have ended; what would follow for the receiver does not."""
    treatment = outcome.treat(
        told,
        tries=0,
        refusals=0,
        now=now,
        random=0.5,
        schedule=endpoint.schedule,
        require_success=endpoint.require_success,
    )
    gone = treatment.reason.code == Word.GONE
    return Reason(Word.BAD_STATUS.value, {"status": told.status}) if gone else treatment.reason


async def _end(context: Context, test: EndpointTest, **columns: Any) -> None:  # noqa: ANN401 - columns
    under_way = (col(EndpointTest.id) == test.id, col(EndpointTest.ended_at).is_(None))
    ended = update(EndpointTest).where(*under_way).values(ended_at=context.now(), **columns)
    async with context.database.transaction() as db:
        await db.exec(ended)
    await context.queue.publish(Event.DELIVERY_CHANGED)
