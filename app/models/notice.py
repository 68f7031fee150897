"""What an operator is told of by mail, and on the page: a receiver that is parked, a mailbox that fails."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.columns import facts, moment, word
from app.rules import notices

SHOWN = 6


class NoticeKind(StrEnum):
    ENDPOINT_FAILING = "endpoint_failing"
    ENDPOINT_PARKED = "endpoint_parked"
    ENDPOINT_RECOVERED = "endpoint_recovered"
    MAILBOX_FAILING = "mailbox_failing"
    MAILBOX_RECOVERED = "mailbox_recovered"
    DELIVERY_FAILED = "delivery_failed"
    MAIL_TEST = "mail_test"  # somebody wants to see whether mails arrive


class Notice(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    kind: NoticeKind = Field(sa_column=word(NoticeKind))
    subject: str  # the name of whom it is about, as it was then
    endpoint_id: int | None = Field(default=None, foreign_key="endpoint.id", index=True)
    mailbox_id: int | None = Field(default=None, foreign_key="mailbox.id", index=True)
    reason: dict[str, Any] = Field(sa_column=facts())
    at: datetime = Field(sa_column=moment(index=True, nullable=False))
    mailed_at: datetime | None = Field(
        default=None, sa_column=moment(index=True)
    )  # or let be: nobody wants it
    seen_at: datetime | None = Field(default=None, sa_column=moment())  # somebody has put it away

    @property
    def said(self) -> dict[str, Any]:
        """Give it as a reason, for `words.say`."""
        return notices.told(self.kind, self.subject, self.reason).to_json()


@dataclass(frozen=True, slots=True)
class Board:
    """What nobody has put away: the newest of it, and how much that is in all."""

    rows: list[Notice]
    count: int

    @classmethod
    async def load(cls, db: AsyncSession) -> "Board":
        unseen = col(Notice.seen_at).is_(None)
        newest = select(Notice).where(unseen).order_by(col(Notice.id).desc()).limit(SHOWN)
        count = select(func.count()).select_from(Notice).where(unseen)
        return cls(list((await db.exec(newest)).all()), (await db.exec(count)).one())


class Mailing(SQLModel, table=True):
    """How the last mail went, and who is at the next one: one row."""

    id: int = Field(default=1, primary_key=True)
    sent_at: datetime | None = Field(default=None, sa_column=moment())
    tried_at: datetime | None = Field(default=None, sa_column=moment())
    failures: int = 0  # in a row
    reason: dict[str, Any] | None = Field(default=None, sa_column=facts(nullable=True))  # of the last one
    owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_column=moment())
