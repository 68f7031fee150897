"""What an operator is told of by mail, and on the page: a receiver that is parked, a mailbox that fails."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from app.models.columns import facts, moment, word


class NoticeKind(StrEnum):
    ENDPOINT_PARKED = "endpoint_parked"
    ENDPOINT_RECOVERED = "endpoint_recovered"
    MAILBOX_FAILING = "mailbox_failing"
    MAILBOX_RECOVERED = "mailbox_recovered"
    DELIVERY_FAILED = "delivery_failed"


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
