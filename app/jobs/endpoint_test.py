"""A test of a receiver: the same way as a delivery, with a payload that says it is none, and kept apart."""

import secrets
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import delete, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events import Event
from app.jobs.body import shaped
from app.jobs.claim import CONTENT_TYPES
from app.jobs.context import Context
from app.jobs.request import UNSUPPORTED, exchange
from app.models import Endpoint, EndpointTest, Mode
from app.rules import outcome, payload
from app.rules.outcome import Word
from app.rules.verdict import Reason

MOST_WAITING = 5  # of one receiver
KEPT = 20  # of one receiver

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


async def send(context: Context, test: EndpointTest, endpoint: Endpoint) -> None:
    """Send it, whatever keeps deliveries from this receiver."""
    body = payload.encode(shaped(sample(context.now()), endpoint))
    post = partial(_post, context, endpoint, webhook_id=test.webhook_id, body=body)
    ended = await post(content_type=CONTENT_TYPES[endpoint.mode])
    if ended.get("status") == UNSUPPORTED and endpoint.form_on_415 and endpoint.mode is Mode.JSON:
        ended = await post(content_type=CONTENT_TYPES[Mode.FORM])
    await end(context, test, body=body, **ended)


async def end(context: Context, test: EndpointTest, **columns: Any) -> None:  # noqa: ANN401 - columns
    """Say what came of it, unless that is known already."""
    under_way = (col(EndpointTest.id) == test.id, col(EndpointTest.ended_at).is_(None))
    ended = update(EndpointTest).where(*under_way).values(ended_at=context.now(), **columns)
    async with context.database.transaction() as db:
        await db.exec(ended)
    await context.queue.publish(Event.DELIVERY_CHANGED)


async def _post(
    context: Context, endpoint: Endpoint, *, webhook_id: str, body: bytes, content_type: str
) -> Columns:
    """Send it once, and give how that went."""
    made = await exchange(
        context, endpoint, webhook_id=webhook_id, content_type=content_type, body=body, over="tests"
    )
    reason = _judge(endpoint, made.told, context.now())
    log.info("receiver tested", endpoint=endpoint.id, outcome=reason.code, status=made.told.status)
    return {**made.columns(), "reason": reason.to_json()}


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
