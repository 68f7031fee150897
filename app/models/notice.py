"""What an operator is told of by mail, and on the page: a receiver that is parked, a mailbox that fails."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, and_, col, exists, func, not_, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.columns import facts, moment, word
from app.models.endpoint import Endpoint, EndpointState
from app.rules import notices

SHOWN = 6


class NoticeKind(StrEnum):
    ENDPOINT_FAILING = "endpoint_failing"
    ENDPOINT_UNREACHABLE = "endpoint_unreachable"
    ENDPOINT_PARKED = "endpoint_parked"
    ENDPOINT_RECOVERED = "endpoint_recovered"
    MAILBOX_FAILING = "mailbox_failing"
    MAILBOX_RECOVERED = "mailbox_recovered"
    DELIVERY_FAILED = "delivery_failed"
    MAIL_TEST = "mail_test"  # somebody wants to see whether mails arrive


TROUBLES = (
    NoticeKind.ENDPOINT_FAILING,
    NoticeKind.ENDPOINT_UNREACHABLE,
    NoticeKind.ENDPOINT_PARKED,
    NoticeKind.MAILBOX_FAILING,
)
RECOVERIES = (NoticeKind.ENDPOINT_RECOVERED, NoticeKind.MAILBOX_RECOVERED)


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

    @classmethod
    def settled(cls) -> ColumnElement[bool]:
        """Ask for what is over: it works again, or it does not any more, or there is nothing left to mend."""
        later, receiver = aliased(cls), aliased(Endpoint)
        turned = or_(
            and_(col(cls.kind).in_(TROUBLES), col(later.kind).in_(RECOVERIES)),
            and_(col(cls.kind).in_(RECOVERIES), col(later.kind).in_((*TROUBLES, *RECOVERIES))),
        )
        same = or_(
            col(later.endpoint_id) == col(cls.endpoint_id), col(later.mailbox_id) == col(cls.mailbox_id)
        )
        well = or_(
            col(receiver.state) == EndpointState.DELETED,
            and_(col(cls.kind).in_(TROUBLES), col(receiver.succeeded_at) > col(cls.at)),
            and_(col(cls.kind) == NoticeKind.ENDPOINT_PARKED, col(receiver.state) != EndpointState.PARKED),
        )
        return or_(
            exists().where(col(later.id) > col(cls.id), same, turned),
            exists().where(col(receiver.id) == col(cls.endpoint_id), well),
        )

    @property
    def said(self) -> dict[str, Any]:
        """Give it as a reason, for `words.say`."""
        return notices.told(self.kind, self.subject, self.reason).to_json()


@dataclass(frozen=True, slots=True)
class Board:
    """What nobody has put away and what is not over: the newest of it, and how much that is in all."""

    rows: list[Notice]
    count: int

    @classmethod
    async def load(cls, db: AsyncSession) -> "Board":
        stands = and_(col(Notice.seen_at).is_(None), not_(Notice.settled()))
        newest = select(Notice).where(stands).order_by(col(Notice.id).desc()).limit(SHOWN)
        count = select(func.count()).select_from(Notice).where(stands)
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
