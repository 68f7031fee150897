"""One delivery sent as new: another one that says the same, beside it."""

import secrets
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Delivery, DeliveryState, Message
from app.models.replay import FINISHED
from app.rules.verdict import Reason


async def as_new(db: AsyncSession, delivery: Delivery, *, by: str, now: datetime) -> Delivery:
    """Make another delivery that says the same, under an id of its own; the first stays as it is.

    Raises:
        ValueError: it has not ended yet.
    """
    if delivery.state not in FINISHED:
        raise ValueError(delivery.state)
    copy = Delivery(
        webhook_id=f"msg_{secrets.token_hex(16)}",
        message_id=delivery.message_id,
        rule_id=delivery.rule_id,
        rule_version_id=delivery.rule_version_id,
        endpoint_id=delivery.endpoint_id,
        occurrence=await next_occurrence(
            db, delivery.message_id, rule_id=delivery.rule_id, endpoint_id=delivery.endpoint_id
        ),
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
    db.add(copy)
    return copy


async def on_its_way(db: AsyncSession, delivery: Delivery) -> bool:
    """Say whether the same mail goes to the same receiver by the same rule at this moment."""
    like = (
        Delivery.message_id == delivery.message_id,
        Delivery.rule_id == delivery.rule_id,
        Delivery.endpoint_id == delivery.endpoint_id,
    )
    going = col(Delivery.state).in_([DeliveryState.PENDING, DeliveryState.SENDING])
    await db.get_one(Message, delivery.message_id, with_for_update=True)
    return (await db.exec(select(Delivery.id).where(*like, going).limit(1))).first() is not None


async def next_occurrence(db: AsyncSession, message_id: int, *, rule_id: int, endpoint_id: int) -> int:
    """Number a further delivery of a mail: never 0, for that is what the mail's own verdict made."""
    await db.get_one(Message, message_id, with_for_update=True)  # nobody else numbers one meanwhile
    highest = select(func.max(Delivery.occurrence)).where(
        Delivery.message_id == message_id, Delivery.rule_id == rule_id, Delivery.endpoint_id == endpoint_id
    )
    return ((await db.exec(highest)).one() or 0) + 1
