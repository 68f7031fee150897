"""Deliveries and every attempt at them."""

from datetime import datetime
from enum import StrEnum
from secrets import token_hex
from typing import Any

from sqlalchemy import ColumnElement, Index, LargeBinary, and_
from sqlmodel import Field, SQLModel, UniqueConstraint, col

from app.models.columns import facts, moment, partial_index, word, written_out


class DeliveryState(StrEnum):
    HELD = "held"
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


FINISHED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.DROPPED)
UNFINISHED = (DeliveryState.HELD, DeliveryState.PENDING, DeliveryState.SENDING)

# All that is asked each second is in the index, the state first: else SQLite takes the index of all states.
DUE = ("state", "endpoint_id", "priority", "due_at", "id", "in_line_since")
LINE = ("state", "priority", "id", "in_line_since")
HELD = ("state", "attempts", "release_at", "expires_at", "in_line_since", "planned_for", "needs_attention")


def new_webhook_id() -> str:
    """Make the id by which a receiver tells one delivery from another."""
    return f"msg_{token_hex(16)}"


class Delivery(SQLModel, table=True):
    __table_args__ = (
        UniqueConstraint("message_id", "rule_id", "endpoint_id", "occurrence"),
        partial_index("ix_delivery_due", *DUE, where="state = 'pending'"),
        partial_index("ix_delivery_held", *HELD, where="state = 'held'"),
        partial_index(
            "ix_delivery_sending", "state", "endpoint_id", "lease_owner", where="state = 'sending'"
        ),
        partial_index("ix_delivery_line", *LINE, where="in_line_since IS NOT NULL"),
        Index("ix_delivery_state", "state", "id"),
        Index("ix_delivery_finished", "state", "finished_at"),
        Index("ix_delivery_endpoint", "endpoint_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    webhook_id: str = Field(unique=True)  # the same over all attempts
    message_id: int = Field(foreign_key="message.id")
    rule_id: int = Field(foreign_key="rule.id", index=True)
    rule_version_id: int = Field(foreign_key="rule_version.id")
    endpoint_id: int = Field(foreign_key="endpoint.id")
    occurrence: int = 0
    state: DeliveryState = Field(sa_column=word(DeliveryState))
    reason: dict[str, Any] = Field(sa_column=facts())
    facts: dict[str, Any] = Field(sa_column=facts())  # what the body is made from, until it is frozen
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    content_type: str = ""
    priority: int = 1  # its place in the queue: lower goes first
    due_at: datetime = Field(sa_column=moment(nullable=False))
    release_at: datetime | None = Field(default=None, sa_column=moment())
    expires_at: datetime | None = Field(default=None, sa_column=moment())
    planned_for: int = 0  # the settings' revision that a hold was planned with
    in_line_since: datetime | None = Field(
        default=None, sa_column=moment()
    )  # kept by a pause: it goes in turn
    attempts: int = 0
    tries: int = 0  # failures that count towards the schedule; a process that died does not
    refusals: int = 0
    deaths: int = 0  # of processes, one after another, while they sent it
    generation: int = 0  # fences off a worker that comes back late
    lease_owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_column=moment())
    needs_attention: bool = False
    may_have_arrived: bool = False
    created_at: datetime = Field(sa_column=moment(nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=moment())

    @property
    def blocked(self) -> bool:
        """It is held, and will not go before somebody sees to it."""
        return self.state is DeliveryState.HELD and self.needs_attention

    @property
    def lacks_link(self) -> bool:
        """It is held, and its rule will drop it when its time comes: it has no delivery link."""
        return self.state is DeliveryState.HELD and bool(self.reason.get("facts", {}).get("lacks_link"))

    @property
    def drops_at(self) -> datetime | None:
        """Give when a hold ends without a sending, where it ends before the delivery may go by itself."""
        if self.state is not DeliveryState.HELD or self.release_at is None or self.expires_at is None:
            return None
        return self.expires_at if self.expires_at <= self.release_at else None

    @classmethod
    def is_now(cls, state: DeliveryState) -> ColumnElement[bool]:
        """Ask for a state in the form that the partial indexes serve."""
        return written_out(cls.state, state)

    @classmethod
    def is_due(cls, now: datetime) -> ColumnElement[bool]:
        """Ask for what may be claimed at this moment."""
        return and_(cls.is_now(DeliveryState.PENDING), col(cls.due_at) <= now, ~cls.in_line())

    @classmethod
    def is_dropping(cls) -> ColumnElement[bool]:
        """Ask for what `drops_at` has a moment for."""
        ends, goes = col(cls.expires_at), col(cls.release_at)
        return and_(cls.is_now(DeliveryState.HELD), ends.is_not(None), goes.is_not(None), ends <= goes)

    @classmethod
    def why(cls) -> ColumnElement[str]:
        """Ask for the code of its reason."""
        code: ColumnElement[str] = col(cls.reason)["code"].as_string()
        return code

    @classmethod
    def in_line(cls) -> ColumnElement[bool]:
        """Ask for what a pause kept back, and what goes at the pace of the resumption."""
        return col(cls.in_line_since).is_not(None)

    def send_again(self, now: datetime, by: str) -> None:
        """Start afresh with all its tries, the same body and the same webhook-id.

        Raises:
            ValueError: it is on its way already.
        """
        waits = self.state is DeliveryState.PENDING and (self.due_at > now or self.in_line_since is not None)
        if self.state in {DeliveryState.SENDING, DeliveryState.PENDING} and not waits:
            raise ValueError(self.state)
        code = "released_by_hand" if self.state is DeliveryState.HELD else "sent_again"
        self.reason = {"code": code, "facts": {"by": by, "from": self.reason.get("code", "")}}
        self.state, self.due_at, self.finished_at = DeliveryState.PENDING, now, None
        self.release_at = self.expires_at = self.in_line_since = None
        self.tries = self.refusals = self.deaths = 0
        self.needs_attention = False


class Attempt(SQLModel, table=True):
    __table_args__ = (
        UniqueConstraint("delivery_id", "generation"),
        Index("ix_attempt_endpoint", "endpoint_id", "started_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: int = Field(foreign_key="delivery.id", ondelete="CASCADE")
    endpoint_id: int = Field(foreign_key="endpoint.id")
    url: str = ""  # where it went; "": kept by none in the first release
    generation: int
    number: int
    owner: str
    started_at: datetime = Field(sa_column=moment(nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=moment())
    outcome: str | None = None  # a word of rules.outcome; None while it is under way
    detail: str = ""
    status: int | None = None
    peer: str = ""
    timings: dict[str, float] = Field(default_factory=dict, sa_column=facts())  # milliseconds
    request_headers: dict[str, str] = Field(default_factory=dict, sa_column=facts())
    answer_headers: dict[str, str] = Field(default_factory=dict, sa_column=facts())
    answer: bytes | None = Field(default=None, sa_type=LargeBinary)
    truncated: bool = False
    may_have_arrived: bool = False
