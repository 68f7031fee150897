"""Work that somebody asked for and watches: its progress and its end."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from app.models.columns import facts, moment, word


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Run(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    kind: str = "poll"
    mailbox_id: int | None = Field(default=None, foreign_key="mailbox.id", index=True)
    state: RunState = Field(default=RunState.QUEUED, sa_column=word(RunState, index=True))
    step: str = ""  # connecting, listing, fetching, ...
    listed: int = 0
    stored: int = 0
    reason: dict[str, Any] | None = Field(default=None, sa_column=facts(nullable=True))
    requested_by: str
    owner: str | None = None
    created_at: datetime = Field(sa_column=moment(nullable=False))
    started_at: datetime | None = Field(default=None, sa_column=moment())
    ended_at: datetime | None = Field(default=None, sa_column=moment())
