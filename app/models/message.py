"""Every mail ever listed: one row each, whatever became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Index, LargeBinary
from sqlmodel import Field, SQLModel, UniqueConstraint

from app.models.columns import facts, moment, partial_index, word, written_out
from app.rules.verdict import Mark, Verdict


class MessageState(StrEnum):
    STORED = "stored"
    DECIDED = "decided"
    QUARANTINED = "quarantined"
    OVERSIZE = "oversize"
    VANISHED = "vanished"


# All that is asked each second is in the index, the state first: else SQLite takes the index of all states.
WAITING = ("state", "decide_tries", "id", "decide_owner", "decide_at")


class Message(SQLModel, table=True):
    __table_args__ = (
        UniqueConstraint("folder_id", "uidvalidity", "uid", "occurrence"),
        partial_index("ix_message_waiting", *WAITING, where="state = 'stored'"),
        partial_index("ix_message_owed", "folder_id", "fetch_at", where="fetch_at IS NOT NULL"),
        Index("ix_message_verdict", "verdict", "id"),
        Index("ix_message_state", "state", "id"),
        Index("ix_message_day", "stored_at", "state", "verdict"),  # covers the counts of the strip
    )

    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = Field(foreign_key="mailbox.id", index=True)
    folder_id: int = Field(foreign_key="folder.id")
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(sa_type=BigInteger)
    occurrence: int = 0  # a server may use a UID again for another mail
    size: int
    internal_at: datetime = Field(sa_column=moment(nullable=False))  # when the server took it in
    stored_at: datetime = Field(sa_column=moment(nullable=False))
    email_id: str = Field(default="", index=True)
    digest: str | None = Field(default=None, index=True)
    fingerprint: str = Field(default="", index=True)
    message_id: str = ""  # the header
    subject: str = ""
    sender: str = ""
    sender_header: str = ""
    date_header: str = ""
    state: MessageState = Field(sa_column=word(MessageState))
    verdict: Verdict | None = Field(default=None, sa_column=word(Verdict, nullable=True))
    reason: dict[str, Any] | None = Field(default=None, sa_column=facts(nullable=True))
    steps: list[dict[str, Any]] = Field(default_factory=list, sa_column=facts())
    duplicate_of: int | None = Field(default=None, foreign_key="message.id")
    insisted: bool = False  # somebody wants it handled although it is a duplicate, or too large
    expected_deliveries: int = 0
    fetch_tries: int = 0
    fetch_at: datetime | None = Field(
        default=None, sa_column=moment()
    )  # when the server is asked for it again
    decide_tries: int = 0
    decide_at: datetime | None = Field(default=None, sa_column=moment())  # when it may be taken for deciding
    decide_owner: str | None = None
    decided_at: datetime | None = Field(default=None, sa_column=moment())
    source_removed_at: datetime | None = Field(default=None, sa_column=moment())  # by the clean-up

    @classmethod
    def is_waiting(cls) -> ColumnElement[bool]:
        """Ask for mail to be decided, in the form that the partial index serves."""
        return written_out(cls.state, MessageState.STORED)

    def settle(
        self, state: MessageState, verdict: Verdict | None, reason: dict[str, Any], now: datetime
    ) -> None:
        """End the mail's way through the rules; only `try_again` and `decide_rest` open it."""
        self.state, self.verdict, self.reason, self.decided_at = state, verdict, reason, now
        self.decide_owner = self.decide_at = None

    @property
    def can_be_tried_again(self) -> bool:
        """Whether another try could change anything, and repeat nothing that was sent."""
        if self.state in {MessageState.QUARANTINED, MessageState.OVERSIZE}:
            return True
        if self.source_removed_at is not None:
            return False
        return self.expected_deliveries == 0 and (
            self.verdict is Verdict.DUPLICATE or self._code in {"no_endpoint", "left_by_hand"}
        )

    @property
    def can_be_left(self) -> bool:
        """Whether it waits for somebody, and would wait for ever."""
        waits = self.state is MessageState.DECIDED and self._code == "no_endpoint"
        return self.state is MessageState.QUARANTINED or (waits and self.expected_deliveries == 0)

    @property
    def _code(self) -> str:
        return self.reason["code"] if self.reason else ""

    def try_again(self, now: datetime) -> None:
        """Let the mail be decided afresh; one that we never fetched is asked for at the next poll.

        A duplicate goes out all the same, and one that is too large is fetched: somebody insists.

        Raises:
            ValueError: it has a verdict that stands.
        """
        if not self.can_be_tried_again:
            raise ValueError(self.state)
        refused = self.verdict is Verdict.DUPLICATE or self.state is MessageState.OVERSIZE
        self.insisted = self.insisted or refused
        if self.digest is None:
            self.state, self.fetch_tries, self.fetch_at = MessageState.QUARANTINED, 0, now
            self.verdict, self.reason = None, {"code": "not_fetched", "facts": {}}
            return
        self.state, self.verdict, self.reason, self.decided_at = MessageState.STORED, None, None, None
        self.decide_tries, self.decide_at, self.decide_owner = 0, now, None

    def leave(self, reason: dict[str, Any], now: datetime) -> None:
        """Ignore it for a reason, until somebody tries again; why it had been set aside stays told."""
        if self.state is MessageState.QUARANTINED:
            before = [{**self.reason, "mark": Mark.NOTED}] if self.reason else []
            self.steps = [*self.steps, *before, {**reason, "mark": Mark.STOPPED}]
        self.fetch_at = None
        self.settle(MessageState.DECIDED, Verdict.IGNORE, reason, now)

    def decide_rest(self, now: datetime) -> None:
        """Let the rules that had no receiver be asked again; what the others made of it stands."""
        self.state, self.decide_tries, self.decide_at, self.decide_owner = MessageState.STORED, 0, now, None


class Raw(SQLModel, table=True):
    """What the server gave, apart from the row that lists scan; and what the parser read in it."""

    message_id: int = Field(foreign_key="message.id", primary_key=True, ondelete="CASCADE")
    body: bytes = Field(sa_type=LargeBinary)
    plain: str | None = None
    html: str | None = None
    text: str | None = None
    headers: list[list[str]] | None = Field(default=None, sa_column=facts(nullable=True))  # name, value
    attachments: int = 0


class UidAlias(SQLModel, table=True):
    """A further place of a mail that is in the ledger already."""

    __tablename__ = "uid_alias"

    folder_id: int = Field(foreign_key="folder.id", primary_key=True)
    uidvalidity: int = Field(primary_key=True, sa_type=BigInteger)
    uid: int = Field(primary_key=True, sa_type=BigInteger)
    message_id: int = Field(foreign_key="message.id", index=True)
