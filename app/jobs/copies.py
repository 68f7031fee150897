"""Deliveries sent as new: others that say the same, beside them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Delivery, DeliveryState, Message
from app.models.delivery import FINISHED, new_webhook_id
from app.rules.verdict import Reason


async def as_new(db: AsyncSession, delivery: Delivery, *, by: str, now: datetime) -> Delivery:
    """Make another delivery that says the same, under an id of its own; the first stays as it is.

    Raises:
        ValueError: it has not ended yet.
    """
    (copy,) = await all_as_new(db, [delivery], by=by, now=now)
    return copy


async def all_as_new(
    db: AsyncSession, originals: Sequence[Delivery], *, by: str, now: datetime
) -> list[Delivery]:
    """Do so with many, in as many statements as for one."""
    copies = [_copy(one, by=by, now=now) for one in originals]
    await add_further(db, copies)
    return copies


async def add_further(db: AsyncSession, made: Sequence[Delivery]) -> None:
    """Add further deliveries of mails, numbered: never 0, for that is what the mail's own verdict made."""
    mails = {one.message_id for one in made}
    await _lock(db, mails)  # nobody else numbers any meanwhile
    key = (col(Delivery.message_id), col(Delivery.rule_id), col(Delivery.endpoint_id))
    known = select(*key, func.max(Delivery.occurrence)).where(key[0].in_(mails)).group_by(*key)
    last = {tuple(ids): number for *ids, number in (await db.exec(known)).all()}
    for one in made:
        ids = (one.message_id, one.rule_id, one.endpoint_id)
        one.occurrence = last[ids] = last.get(ids, 0) + 1
    db.add_all(made)


async def on_its_way(db: AsyncSession, delivery: Delivery) -> bool:
    """Say whether the same mail goes to the same receiver by the same rule at this moment."""
    like = (
        Delivery.message_id == delivery.message_id,
        Delivery.rule_id == delivery.rule_id,
        Delivery.endpoint_id == delivery.endpoint_id,
    )
    going = col(Delivery.state).in_([DeliveryState.PENDING, DeliveryState.SENDING])
    await _lock(db, {delivery.message_id})
    return (await db.exec(select(Delivery.id).where(*like, going).limit(1))).first() is not None


async def _lock(db: AsyncSession, mails: set[int]) -> None:
    locked = select(Message.id).where(col(Message.id).in_(mails)).order_by(col(Message.id))
    await db.exec(locked.with_for_update())


def _copy(delivery: Delivery, *, by: str, now: datetime) -> Delivery:
    if delivery.state not in FINISHED:
        raise ValueError(delivery.state)
    return Delivery(
        webhook_id=new_webhook_id(),
        message_id=delivery.message_id,
        rule_id=delivery.rule_id,
        rule_version_id=delivery.rule_version_id,
        endpoint_id=delivery.endpoint_id,
        state=DeliveryState.PENDING,
        reason=Reason("replayed", {"by": by, "delivery": delivery.id}).to_json(),
        facts=delivery.facts,
        body=delivery.body,
        content_type=delivery.content_type,
        priority=delivery.priority,
        due_at=now,
        planned_for=delivery.planned_for,
        created_at=now,
    )
