"""Claim deliveries: one commit gives them a lease and an attempt row; only then the network is touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from sqlalchemy import exists, update
from sqlalchemy.orm import defer
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.body import compose
from app.jobs.border import guarded
from app.jobs.context import Context
from app.models import Attempt, Delivery, DeliveryState, Endpoint, Message, Mode, Raw, RuleVersion
from app.models.refusal import refused
from app.rules import payload
from app.rules.outcome import Word
from app.rules.verdict import Reason

GRACE = timedelta(seconds=15)  # what a lease lasts beyond the time limit
_TURN = (col(Delivery.priority), col(Delivery.due_at), col(Delivery.id))
CONTENT_TYPES = {Mode.JSON: "application/json", Mode.FORM: "application/x-www-form-urlencoded"}

Parts: TypeAlias = tuple[Message, Raw, RuleVersion]


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
    due = exists().where(col(Delivery.endpoint_id) == Endpoint.id, Delivery.is_due(now))
    return (await db.exec(select(Endpoint.id, Endpoint.concurrency).where(due))).all()  # type: ignore[return-value]


async def claim(context: Context, endpoint_id: int, most: int) -> list[Claimed]:
    """Take up to `most` due deliveries of an endpoint, unless something stops it now (`rules.claim`)."""
    now = context.now()
    async with context.database.reading() as db:  # while it is refused, nobody needs the write lock
        if (await refused(db, await db.get_one(Endpoint, endpoint_id), now))[0] is not None:
            return []
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
        .where(Delivery.endpoint_id == endpoint.id, Delivery.is_due(now))
        .order_by(*_TURN)
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
    """Freeze what is sent for the first time, and write an attempt down for each.

    One whose body cannot be made is held, and takes no other along.
    """
    query = select(Delivery).where(col(Delivery.id).in_(ids)).order_by(*_TURN)
    deliveries = (await db.exec(query)).all()
    parts = await _parts(db, [delivery for delivery in deliveries if delivery.body is None])
    claimed = []
    for delivery in deliveries:
        attempt = _attempt(delivery, owner, now)
        db.add(attempt)
        if delivery.body is None:
            await guarded(f"body of {delivery.id}", partial(_freeze, delivery, parts))
        if delivery.body is None:
            _hold(delivery, attempt, now)
        else:
            delivery.content_type = delivery.content_type or CONTENT_TYPES[endpoint.mode]
            claimed.append(_claimed(delivery, delivery.body, endpoint))
    return claimed


async def _parts(db: AsyncSession, deliveries: Sequence[Delivery]) -> dict[int | None, Parts]:
    """Find what bodies are made of; the sources stay where they are."""
    query = (
        select(Delivery.id, Message, Raw, RuleVersion)
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(Raw, col(Raw.message_id) == Delivery.message_id)
        .join(RuleVersion, col(RuleVersion.id) == Delivery.rule_version_id)
        .where(col(Delivery.id).in_([delivery.id for delivery in deliveries]))
        .options(defer(Raw.body, raiseload=True))  # type: ignore[arg-type]
    )
    return {
        delivery_id: (message, raw, version) for delivery_id, message, raw, version in await db.exec(query)
    }


async def _freeze(delivery: Delivery, parts: dict[int | None, Parts]) -> None:
    """Make the body, once: from now on every retry sends these very bytes."""
    message, raw, version = parts[delivery.id]
    form = version.as_value().template
    plain, html = raw.plain or "", raw.html or ""
    delivery.body = payload.encode(compose(message, plain=plain, html=html, facts=delivery.facts, form=form))


def _hold(delivery: Delivery, attempt: Attempt, now: datetime) -> None:
    """Keep what cannot be sent until somebody sees to it."""
    attempt.ended_at, attempt.outcome = now, Word.UNEXPECTED.value
    delivery.state, delivery.reason = DeliveryState.HELD, Reason(Word.UNEXPECTED.value).to_json()
    delivery.needs_attention = True
    delivery.lease_owner = delivery.lease_until = None


def _attempt(delivery: Delivery, owner: str, now: datetime) -> Attempt:
    return Attempt(
        delivery_id=delivery.id or 0,
        endpoint_id=delivery.endpoint_id,
        generation=delivery.generation,
        number=delivery.attempts,
        owner=owner,
        started_at=now,
    )


def _claimed(delivery: Delivery, body: bytes, endpoint: Endpoint) -> Claimed:
    return Claimed(
        id=delivery.id or 0,
        generation=delivery.generation,
        webhook_id=delivery.webhook_id,
        body=body,
        content_type=delivery.content_type,
        endpoint=endpoint,
    )
