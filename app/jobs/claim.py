"""Claim deliveries: one commit gives them leases and attempt rows; only then the network is touched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Row, bindparam, delete, insert, tuple_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.context import Context
from app.jobs.freeze import Taken, freeze
from app.models import Attempt, Delivery, DeliveryState, Endpoint, Mode, due
from app.models.due import Due
from app.models.refusal import against, used_this_hour
from app.rules.outcome import Word
from app.rules.verdict import Reason

GRACE = timedelta(seconds=15)  # what a lease lasts beyond the time limit
CONTENT_TYPES = {Mode.JSON: "application/json", Mode.FORM: "application/x-www-form-urlencoded"}
Room: TypeAlias = Callable[[Endpoint], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a worker needs to send one delivery once."""

    id: int
    generation: int
    webhook_id: str
    body: bytes
    content_type: str
    endpoint: Endpoint
    at: datetime
    places: int  # requests to its endpoint that may be under way with us
    probe: bool  # whether the breaker may close again


async def claim(context: Context, room: Room, *, look_first: bool = True) -> list[Claimed]:
    """Take what is due, of each endpoint as much as there is `room` for, unless something stops it now.

    While nothing may go, nobody needs the write lock: `look_first`, unless there is likely to be something.
    """
    owner = context.owner
    if look_first:
        now = context.now()
        async with context.database.reading() as db:
            if not await _shares(db, await due.endpoints(db, owner=owner, now=now), room, now):
                return []
    async with context.database.transaction() as db:
        now = context.now()  # a lease begins when we have the lock, however long we waited for it
        taken: list[Taken] = []
        waiting = await due.endpoints(db, owner=owner, now=now, for_update=True)
        shares = await _shares(db, waiting, room, now)
        for one in shares:
            until = now + timedelta(seconds=one.endpoint.timeout)
            rows = await due.take(db, one.endpoint, most=one.most, owner=owner, now=now, until=until + GRACE)
            if one.endpoint.opened and rows:  # nobody else is to try it out meanwhile
                one.endpoint.open_until = until
            taken += [(one.endpoint, row) for row in rows]
        places = {one.endpoint.id: one.places for one in shares}
        claimed = await _prepare(db, taken, places, owner=owner, now=now)
        if claimed:
            context.crash.point("claim.before_commit")
    context.crash.point("claim.after_commit")
    return claimed


async def put_back(context: Context, claimed: Sequence[Claimed]) -> None:
    """Undo claims whose requests were never begun."""
    held = tuple_(col(Delivery.id), col(Delivery.generation))
    ours = held.in_([(one.id, one.generation) for one in claimed]), Delivery.is_now(DeliveryState.SENDING)
    free = {"state": DeliveryState.PENDING, "lease_owner": None, "lease_until": None}
    back = update(Delivery).where(*ours).values(**free, attempts=Delivery.attempts - 1)
    async with context.database.transaction() as db:
        undone = (await db.exec(back.returning(col(Delivery.id), col(Delivery.generation)))).all()
        begun = tuple_(col(Attempt.delivery_id), col(Attempt.generation))
        await db.exec(delete(Attempt).where(begun.in_([tuple(row) for row in undone])))


class Share(NamedTuple):
    """How much of an endpoint's may be taken now, and how many requests may be under way with us."""

    endpoint: Endpoint
    most: int
    places: int


async def _shares(db: AsyncSession, waiting: Sequence[Due], room: Room, now: datetime) -> list[Share]:
    shares = []
    used = await used_this_hour(db, [one.endpoint for one in waiting], now)
    for one in waiting:
        endpoint, places = one.endpoint, one.endpoint.at_once - one.elsewhere
        most = min(room(endpoint), _free(one))
        if most <= 0:
            continue
        if endpoint.rate_per_hour:
            most = min(most, endpoint.rate_per_hour - used[endpoint.id])
        if against(endpoint, sending=one.sending, used=used[endpoint.id], now=now) is None:
            shares.append(Share(endpoint, most, places))
    return shares


def _free(one: Due) -> int:
    """Count the places; our own are counted by us, unless others send to it too or it goes in order.

    Then also what we have not written down yet counts, and nothing is taken ahead.
    """
    endpoint = one.endpoint
    if one.elsewhere or endpoint.at_once == 1:
        return endpoint.at_once - one.under_way
    return endpoint.at_once + endpoint.ahead


async def _prepare(
    db: AsyncSession, taken: Sequence[Taken], places: dict[int | None, int], *, owner: str, now: datetime
) -> list[Claimed]:
    """Freeze what is sent for the first time, and write an attempt down for each.

    One whose body cannot be made is held, and takes no other along.
    """
    if not taken:
        return []
    bodies = await freeze(db, [one for one in taken if one[1].body is None])
    await _begin(db, taken, owner=owner, now=now)
    frozen, claimed = [], []
    for endpoint, row in taken:
        body = row.body or bodies[row.id]
        if isinstance(body, Word):
            await _hold(db, row, body, now)
            endpoint.let_another_try(now)
            continue
        kind = row.content_type or CONTENT_TYPES[endpoint.mode]
        if row.body is None or not row.content_type:
            frozen.append({"frozen": row.id, "body": body, "content_type": kind})
        claimed.append(
            Claimed(
                id=row.id,
                generation=row.generation,
                webhook_id=row.webhook_id,
                body=body,
                content_type=kind,
                endpoint=endpoint,
                at=now,
                places=places[endpoint.id],
                probe=bool(endpoint.opened),
            )
        )
    if frozen:
        await (await db.connection()).execute(_FREEZE, frozen)
    return claimed


async def _begin(db: AsyncSession, taken: Sequence[Taken], *, owner: str, now: datetime) -> None:
    """Write an attempt down for each."""
    connection = await db.connection()
    rows = [
        {
            **_BEGUN,
            "delivery_id": row.id,
            "endpoint_id": endpoint.id,
            "url": endpoint.url,
            "generation": row.generation,
            "number": row.attempts,
            "owner": owner,
            "started_at": now,
        }
        for endpoint, row in taken
    ]
    await connection.execute(_ATTEMPT, rows)


async def _hold(db: AsyncSession, row: Row[Any], why: Word, now: datetime) -> None:
    """Keep what cannot be sent until somebody sees to it."""
    delivery = await db.get_one(Delivery, row.id)
    query = select(Attempt).where(Attempt.delivery_id == row.id, Attempt.generation == row.generation)
    attempt = (await db.exec(query)).one()
    attempt.ended_at, attempt.outcome = now, why.value
    delivery.state, delivery.reason = DeliveryState.HELD, Reason(why.value).to_json()
    delivery.needs_attention = True
    delivery.lease_owner = delivery.lease_until = None


_ATTEMPT = insert(Attempt)
_BEGUN = {  # what nobody knows yet
    "detail": "",
    "peer": "",
    "timings": {},
    "request_headers": {},
    "answer_headers": {},
    "truncated": False,
    "may_have_arrived": False,
}
_FREEZE = (
    update(Delivery)
    .where(col(Delivery.id) == bindparam("frozen"))
    .values(body=bindparam("body"), content_type=bindparam("content_type"))
)
