"""Trials of drafts: how fast one goes, and the mails about which it found a change."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.history import PAGE, Page
from app.models.message import Message
from app.models.run import Change, Run, TrialResult

KIND = "trial"
UNREAD = "unread"  # mails that no parser can read
COUNTED = (*(change.value for change in Change), UNREAD)


@dataclass(frozen=True, slots=True)
class TrialRow:
    result: TrialResult
    message: Message

    @property
    def until(self) -> datetime | None:
        """When the draft would let it go, if it would hold it and that is known."""
        kept = self.result.draft["release_at"]
        return datetime.fromisoformat(kept) if kept else None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a run goes, as far as that can be told."""

    per_second: float
    ends_at: datetime


async def results(
    db: AsyncSession, run_id: int, change: Change, *, before: int | None, limit: int = PAGE
) -> Page[TrialRow]:
    """Give the mails of one kind of change, the newest first."""
    query = (
        select(TrialResult, Message)
        .join(Message, col(Message.id) == TrialResult.message_id)
        .where(TrialResult.run_id == run_id, TrialResult.change == change)
        .order_by(col(TrialResult.message_id).desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(col(TrialResult.message_id) < before)
    found = [TrialRow(*row) for row in (await db.exec(query)).all()]
    rows = found[:limit]
    return Page(rows, rows[-1].message.id if len(found) > limit else None)


async def result(db: AsyncSession, run_id: int, message_id: int) -> TrialResult | None:
    query = select(TrialResult).where(TrialResult.run_id == run_id, TrialResult.message_id == message_id)
    return (await db.exec(query)).first()


def pace(run: Run, now: datetime) -> Pace | None:
    """Say how fast it goes and when it will be through; None before anything can be told, and at the end."""
    seconds = (now - run.started_at).total_seconds() if run.started_at else 0.0
    if run.ended_at is not None or not run.done or seconds <= 0:
        return None
    rate = run.done / seconds
    return Pace(rate, now + timedelta(seconds=(run.total - run.done) / rate))
