"""What a reader of the page would want to know happened, apart from mails and deliveries."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from app.models.columns import facts, moment


class LogEvent(SQLModel, table=True):
    __tablename__ = "log_event"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=moment(index=True, nullable=False))
    level: str = "info"
    event: str = Field(index=True)  # a constant phrase
    subject: str = Field(default="", index=True)  # whom it is about: a process, a mailbox, an address
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=facts())
