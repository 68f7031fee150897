"""What stops an endpoint's due deliveries at this moment: asked by every claim, and shown on the page."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.delivery import Attempt
from app.models.endpoint import Endpoint
from app.models.endpoint_test import EndpointTest
from app.models.setting import Sending
from app.rules.claim import refusal
from app.rules.verdict import Reason

HOUR = timedelta(hours=1)
KINDS = (Attempt, EndpointTest)  # of requests


async def stops(
    db: AsyncSession, endpoint: Endpoint, *, sending: Sending, used: int, now: datetime
) -> Reason | None:
    """Say why nothing goes to it, and until when where that is known."""
    reason = against(endpoint, sending=sending, used=used, now=now)
    if reason is not None and reason.code == "rate_limited":
        until = await _room_at(db, endpoint, now)
        reason = Reason(reason.code, reason.facts | {"until": until.isoformat() if until else None})
    return reason


async def stops_each(
    db: AsyncSession, endpoints: Sequence[Endpoint], *, sending: Sending, now: datetime
) -> dict[int | None, Reason | None]:
    """Say the same of each of them, by its id."""
    used = await used_this_hour(db, endpoints, now)
    return {one.id: await stops(db, one, sending=sending, used=used[one.id], now=now) for one in endpoints}


def against(endpoint: Endpoint, *, sending: Sending, used: int, now: datetime) -> Reason | None:
    """Say what stands against a request to it, which has had `used` of them in the last hour."""
    return refusal(
        sending_enabled=sending is not Sending.PAUSED,
        endpoint_state=endpoint.state,
        not_before=endpoint.not_before,
        open_until=endpoint.open_until if endpoint.opened else None,
        rate=(used, endpoint.rate_per_hour),
        now=now,
    )


async def _room_at(db: AsyncSession, endpoint: Endpoint, now: datetime) -> datetime | None:
    """Say when so many of its requests are an hour old that one more may go."""
    lately = [
        select(kind.started_at).where(
            col(kind.endpoint_id) == endpoint.id, col(kind.started_at).between(now - HOUR, now)
        )
        for kind in KINDS
    ]
    begun = union_all(*lately).subquery()
    query = select(begun.c.started_at).order_by(begun.c.started_at.desc())
    blocking = (await db.exec(query.offset(endpoint.rate_per_hour - 1).limit(1))).first()
    return blocking + HOUR if blocking else None


async def used_this_hour(
    db: AsyncSession, endpoints: Iterable[Endpoint], now: datetime
) -> Counter[int | None]:
    """Count each one's requests of the last hour, tests among them, by its id; 0 for one without a limit."""
    limited = [endpoint.id for endpoint in endpoints if endpoint.rate_per_hour]
    used: Counter[int | None] = Counter()
    for kind in KINDS if limited else ():
        lately = (col(kind.endpoint_id).in_(limited), col(kind.started_at).between(now - HOUR, now))
        query = select(kind.endpoint_id, func.count()).where(*lately).group_by(col(kind.endpoint_id))
        used.update(dict((await db.exec(query)).all()))
    return used
