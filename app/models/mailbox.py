"""Mailboxes that are watched, and how far each of their folders was read."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel, UniqueConstraint, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.columns import facts, moment, word


class FirstContact(StrEnum):
    """Which mail counts when a folder is met for the first time (D34)."""

    NOW = "now"
    UNSEEN = "unseen"
    SINCE = "since"


class MailboxState(StrEnum):
    NEW = "new"
    OK = "ok"
    FAILING = "failing"
    REFUSED = "refused"  # the server does not take the name or the password


class Mailbox(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("host", "port", "username"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    host: str
    port: int
    tls: bool = True
    username: str
    password: bytes = Field(sa_type=LargeBinary)  # sealed
    active: bool = True
    senders: list[str] = Field(sa_column=facts())  # empty: everybody
    mark_seen: bool = True
    first_contact: FirstContact = Field(default=FirstContact.NOW, sa_column=word(FirstContact))
    since_on: date | None = None
    demo: bool = False
    state: MailboxState = Field(default=MailboxState.NEW, sa_column=word(MailboxState))
    reason: dict[str, Any] | None = Field(default=None, sa_column=facts(nullable=True))
    state_since: datetime = Field(sa_column=moment(nullable=False))
    failures: int = 0
    polled_at: datetime | None = Field(default=None, sa_column=moment())
    answered_at: datetime | None = Field(default=None, sa_column=moment())
    poll_at: datetime = Field(sa_column=moment(nullable=False))
    created_at: datetime = Field(sa_column=moment(nullable=False))

    @classmethod
    async def names(cls, db: AsyncSession) -> dict[int, str]:
        found = await db.exec(select(cls.id, cls.name).order_by(col(cls.id)))
        return {mailbox_id or 0: name for mailbox_id, name in found.all()}

    def answered(self, now: datetime, began_at: datetime, poll_at: datetime) -> None:
        """Take note of a poll that went through; the next one is counted from its beginning."""
        if self.state is not MailboxState.OK:
            self.state, self.state_since = MailboxState.OK, now
        self.reason, self.failures, self.poll_at = None, 0, poll_at
        self.polled_at, self.answered_at = began_at, now

    def failed(self, state: MailboxState, reason: dict[str, Any], now: datetime, poll_at: datetime) -> None:
        """Take note of a poll that did not, and of when the next one is due."""
        if self.state is not state:
            self.state, self.state_since = state, now
        self.reason, self.polled_at, self.poll_at = reason, now, poll_at
        self.failures += 1


class Folder(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("mailbox_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = Field(foreign_key="mailbox.id", index=True)
    name: str = "INBOX"
    uidvalidity: int | None = Field(default=None, sa_type=BigInteger)
    mark: int = Field(default=0, sa_type=BigInteger)  # every UID up to here has a row
    baseline: int = Field(default=0, sa_type=BigInteger)  # the highest UID when the folder was met
    started_at: datetime | None = Field(
        default=None, sa_column=moment()
    )  # the mail before the baseline is settled
    swept_at: datetime | None = Field(default=None, sa_column=moment())  # when the whole folder was compared
    missing: int = 0  # UIDs of the last listing that have no row yet (I1)
    lease_owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_column=moment())
