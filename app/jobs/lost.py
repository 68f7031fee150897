"""Deliveries whose process died while it sent them."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs import notices
from app.models import Attempt, Delivery, DeliveryState, Endpoint
from app.rules.outcome import Word
from app.rules.verdict import Reason

MOST_DEATHS = 10  # one after another: a run of bad luck is shorter
APART = 10.0  # seconds, at most, between deliveries whose process died twice: one of them may be the cause


async def give_back_deliveries(db: AsyncSession, deliveries: Sequence[Delivery], now: datetime) -> None:
    """Free what was being sent when its process died: it may have arrived, and it counts as no failure.

    What processes die of, time after time, has failed all the same.
    """
    tried_out = (
        col(Endpoint.id).in_({delivery.endpoint_id for delivery in deliveries}),
        col(Endpoint.opened) > 0,
    )
    await db.exec(update(Endpoint).where(*tried_out).values(open_until=now))  # another may try it out now
    for delivery in deliveries:
        attempt = await _attempt(db, delivery)
        attempt.ended_at, attempt.outcome, attempt.may_have_arrived = now, Word.LOST.value, True
        delivery.may_have_arrived = True
        delivery.deaths += 1
        apart = timedelta(seconds=random.random() * APART if delivery.deaths > 1 else 0)  # noqa: S311 - no secret
        delivery.state, delivery.due_at = DeliveryState.PENDING, now + apart
        delivery.reason = Reason(Word.LOST.value).to_json()
        delivery.lease_owner = delivery.lease_until = None
        if delivery.deaths >= MOST_DEATHS:
            delivery.state, delivery.finished_at, delivery.needs_attention = DeliveryState.FAILED, now, True
            why = Reason("sender_killed", {"tries": delivery.deaths})
            delivery.reason = why.to_json()
            endpoint = await db.get_one(Endpoint, delivery.endpoint_id)
            notices.delivery_failed(db, delivery.id or 0, endpoint, reason=why, now=now)


async def _attempt(db: AsyncSession, delivery: Delivery) -> Attempt:
    query = select(Attempt).where(
        Attempt.delivery_id == delivery.id, Attempt.generation == delivery.generation
    )
    return (await db.exec(query)).one()
