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
    used = await _attempts_this_hour(db, endpoint, now)
    reason = refusal(
        sending_enabled=(await Setting.load(db)).sending is not Sending.PAUSED,
        endpoint_state=endpoint.state,
        not_before=endpoint.not_before,
        rate=(used, endpoint.rate_per_hour),
        now=now,
    )
    return reason, used


async def _attempts_this_hour(db: AsyncSession, endpoint: Endpoint, now: datetime) -> int:
    if not endpoint.rate_per_hour:
        return 0
    query = select(func.count()).where(
        col(Attempt.endpoint_id) == endpoint.id, col(Attempt.started_at) >= now - HOUR
    )
    return (await db.exec(query)).one()
