"""Claim deliveries: one commit gives them a lease and an attempt row; only then the network is touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.context import Context
from app.models import Attempt, Delivery, DeliveryState, Endpoint, Message, Mode, Raw
from app.models.refusal import refused
from app.rules import payload

GRACE = timedelta(seconds=15)  # what a lease lasts beyond the time limit
CONTENT_TYPES = {Mode.JSON: "application/json", Mode.FORM: "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a worker needs to send one delivery once."""

    id: int
    generation: int
    webhook_id: str
    body: bytes
    content_type: str
    endpoint: Endpoint


async def due_endpoints(db: AsyncSession, now: datetime) -> Sequence[tuple[int, int]]:
    """Give the endpoints that have something due, each with how many requests it takes at once."""
    due = select(Delivery.endpoint_id).where(Delivery.is_now(DeliveryState.PENDING), Delivery.due_at <= now)
    return (await db.exec(select(Endpoint.id, Endpoint.concurrency).where(col(Endpoint.id).in_(due)))).all()  # type: ignore[return-value]


async def claim(context: Context, endpoint_id: int, most: int) -> list[Claimed]:
    """Take up to `most` due deliveries of an endpoint, unless something stops it now (`rules.claim`)."""
    now = context.now()
    async with context.database.transaction() as db:
        endpoint = await db.get_one(Endpoint, endpoint_id)
        reason, used = await refused(db, endpoint, now)
        if reason is not None:
            return []
        if endpoint.rate_per_hour:
            most = min(most, endpoint.rate_per_hour - used)
        ids = await _take(db, endpoint, most, owner=context.owner, now=now)
        claimed = await _prepare(db, endpoint, ids, owner=context.owner, now=now)
    context.crash.point("claim.after_commit")
    return claimed


async def _take(
    db: AsyncSession, endpoint: Endpoint, most: int, *, owner: str, now: datetime
) -> Sequence[int]:
    due = (
        select(Delivery.id)
        .where(
            Delivery.endpoint_id == endpoint.id,
            Delivery.is_now(DeliveryState.PENDING),
            Delivery.due_at <= now,
        )
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    taken = await db.exec(
        update(Delivery)
        .where(col(Delivery.id).in_(due))
        .values(
            state=DeliveryState.SENDING,
            generation=Delivery.generation + 1,
            attempts=Delivery.attempts + 1,
            lease_owner=owner,
            lease_until=now + timedelta(seconds=endpoint.timeout) + GRACE,
        )
        .returning(col(Delivery.id))
    )
    return sorted(taken.scalars())


async def _prepare(
    db: AsyncSession, endpoint: Endpoint, ids: Sequence[int], *, owner: str, now: datetime
) -> list[Claimed]:
    """Freeze what is sent for the first time, and write an attempt down for each."""
    query = select(Delivery).where(col(Delivery.id).in_(ids)).order_by(col(Delivery.due_at), col(Delivery.id))
    deliveries = (await db.exec(query)).all()
    await _freeze(db, [delivery for delivery in deliveries if delivery.body is None])
    for delivery in deliveries:
        delivery.content_type = delivery.content_type or CONTENT_TYPES[endpoint.mode]
        db.add(
            Attempt(
                delivery_id=delivery.id or 0,
                endpoint_id=delivery.endpoint_id,
                generation=delivery.generation,
                number=delivery.attempts,
                owner=owner,
                started_at=now,
            )
        )
    return [
        Claimed(
            id=delivery.id or 0,
            generation=delivery.generation,
            webhook_id=delivery.webhook_id,
            body=delivery.body or b"",
            content_type=delivery.content_type,
            endpoint=endpoint,
        )
        for delivery in deliveries
    ]


async def _freeze(db: AsyncSession, deliveries: Sequence[Delivery]) -> None:
    """Make the bodies, once: from now on every retry sends these very bytes."""
    ids = {delivery.message_id for delivery in deliveries}
    query = select(Message, Raw).where(col(Message.id).in_(ids), Raw.message_id == Message.id)
    mails = {message.id: (message, raw) for message, raw in (await db.exec(query)).all()}
    for delivery in deliveries:
        delivery.body = _body(delivery, *mails[delivery.message_id])


def _body(delivery: Delivery, message: Message, raw: Raw) -> bytes:
    facts = delivery.facts
    return payload.encode(
        payload.build(
            email_id=message.email_id,
            subject=message.subject,
            date_header=message.date_header,
            sender_header=message.sender_header,
            sender=message.sender,
            content=f"{raw.plain or ''}\n{raw.html or ''}",
            detector=facts["detector"],
            delivery_time=facts["delivery_time"],
            window_start=facts["window_start"],
            window_end=facts["window_end"],
            links=facts["links"],
        )
    )
