"""What a reader of the page would want to know happened, apart from mails and deliveries."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.columns import facts, moment


class LogEvent(SQLModel, table=True):
    __tablename__ = "log_event"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=moment(index=True, nullable=False))
    level: str = "info"
    event: str = Field(index=True)  # a constant phrase
    subject: str = Field(default="", index=True)  # whom it is about: a process, a mailbox, an address
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=facts())

    @classmethod
    async def latest(cls, db: AsyncSession, event: str) -> "LogEvent | None":
        query = select(cls).where(cls.event == event).order_by(col(cls.id).desc()).limit(1)
        return (await db.exec(query)).first()
