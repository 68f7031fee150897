"""Work that somebody asked for and watches: its progress and its end; and what a trial of rules found."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, UniqueConstraint, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.columns import facts, moment, word

POLL = "poll"  # the usual kind


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Run(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    kind: str = POLL
    mailbox_id: int | None = Field(default=None, foreign_key="mailbox.id", index=True)
    state: RunState = Field(default=RunState.QUEUED, sa_column=word(RunState, index=True))
    step: str = ""  # connecting, listing, fetching, ...
    total: int = 0  # mails or deliveries to look at, once that is known
    done: int = 0
    cancelled: bool = False  # somebody asked for its end
    details: dict[str, Any] = Field(
        default_factory=dict, sa_column=facts()
    )  # what was asked, what came of it
    reason: dict[str, Any] | None = Field(default=None, sa_column=facts(nullable=True))
    requested_by: str
    owner: str | None = None
    created_at: datetime = Field(sa_column=moment(nullable=False))
    started_at: datetime | None = Field(default=None, sa_column=moment())
    ended_at: datetime | None = Field(default=None, sa_column=moment())

    @classmethod
    async def find(cls, db: AsyncSession, kind: str, run_id: int | None) -> "Run | None":
        run = await db.get(cls, run_id) if run_id is not None else None
        return run if run and run.kind == kind else None

    @classmethod
    async def waiting(cls, db: AsyncSession, kind: str) -> int:
        query = select(func.count()).where(cls.kind == kind, cls.state == RunState.QUEUED)
        return (await db.exec(query)).one()

    @classmethod
    async def recent(cls, db: AsyncSession, kind: str, *, limit: int) -> list["Run"]:
        query = select(cls).where(cls.kind == kind).order_by(col(cls.id).desc()).limit(limit)
        return list((await db.exec(query)).all())

    def cancel(self, now: datetime) -> None:
        """Let it end; one that is under way ends when its worker next looks."""
        self.cancelled = True
        if self.state is RunState.QUEUED:
            self.state, self.ended_at = RunState.CANCELLED, now


class Change(StrEnum):
    """What a draft would make of a mail, beside what the live rules make of it."""

    GAINED = "gained"
    LOST = "lost"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class TrialResult(SQLModel, table=True):
    __tablename__ = "trial_result"
    __table_args__ = (
        UniqueConstraint("run_id", "message_id"),
        Index("ix_trial_result_change", "run_id", "change", "message_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", ondelete="CASCADE")
    message_id: int = Field(foreign_key="message.id", ondelete="CASCADE", index=True)
    change: Change = Field(sa_column=word(Change))
    live: dict[str, Any] = Field(sa_column=facts())  # verdict, reason, and what would go where
    draft: dict[str, Any] = Field(sa_column=facts())
