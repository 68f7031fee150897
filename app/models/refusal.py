"""What stops an endpoint's due deliveries at this moment: asked by every claim, and shown on the page."""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.delivery import Attempt
from app.models.endpoint import Endpoint
from app.models.setting import Sending, Setting
from app.rules.claim import refusal
from app.rules.verdict import Reason

HOUR = timedelta(hours=1)


async def refused(db: AsyncSession, endpoint: Endpoint, now: datetime) -> tuple[Reason | None, int]:
    """Say why nothing goes to it now, if so; and how many attempts the hour had, where that counts."""
    used = await attempts_this_hour(db, endpoint, now)
    return against(endpoint, sending=(await Setting.load(db)).sending, used=used, now=now), used


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


async def attempts_this_hour(db: AsyncSession, endpoint: Endpoint, now: datetime) -> int:
    if not endpoint.rate_per_hour:
        return 0
    query = select(func.count()).where(
        col(Attempt.endpoint_id) == endpoint.id, col(Attempt.started_at) >= now - HOUR
    )
    return (await db.exec(query)).one()
