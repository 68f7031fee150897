"""Deliveries whose process died while it sent them."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import tuple_, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs import notices
from app.models import Attempt, Delivery, DeliveryState, Endpoint
from app.models.database import UNSEEN
from app.rules.outcome import Word
from app.rules.pace import START
from app.rules.verdict import Reason

MOST_DEATHS = 10  # one after another: a run of bad luck is shorter
APART = 10.0  # seconds, at most, between deliveries whose process died twice: one of them may be the cause


async def give_back_deliveries(db: AsyncSession, deliveries: Sequence[Delivery], now: datetime) -> None:
    """Free what was being sent when its process died: it may have arrived, and it counts as no failure.

    What processes die of, time after time, has failed all the same.
    """
    theirs = update(Endpoint).where(col(Endpoint.id).in_({delivery.endpoint_id for delivery in deliveries}))
    await db.exec(theirs.where(col(Endpoint.opened) > 0).values(open_until=now))  # another may try it out now
    await db.exec(theirs.values(pace=START))  # should the next process die too, fewer arrive twice
    await _end_attempts(db, deliveries, now)
    for delivery in deliveries:
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


async def _end_attempts(db: AsyncSession, deliveries: Sequence[Delivery], now: datetime) -> None:
    begun = tuple_(col(Attempt.delivery_id), col(Attempt.generation))
    lost = update(Attempt).where(begun.in_([(one.id, one.generation) for one in deliveries]))
    values = {"ended_at": now, "outcome": Word.LOST.value, "may_have_arrived": True}
    await db.exec(lost.values(values), **UNSEEN)
