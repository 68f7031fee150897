"""Work that somebody asked for and watches: its progress and its end; and what a trial of rules found."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, UniqueConstraint

from app.models.columns import facts, moment, word


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Run(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    kind: str = "poll"
    mailbox_id: int | None = Field(default=None, foreign_key="mailbox.id", index=True)
    state: RunState = Field(default=RunState.QUEUED, sa_column=word(RunState, index=True))
    step: str = ""  # connecting, listing, fetching, ...
    total: int = 0  # mails to look at, once that is known
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
