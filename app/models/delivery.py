"""Deliveries and every attempt at them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Index, LargeBinary
from sqlmodel import Field, SQLModel, UniqueConstraint

from app.models.columns import facts, moment, partial_index, word, written_out


class DeliveryState(StrEnum):
    HELD = "held"
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class Delivery(SQLModel, table=True):
    __table_args__ = (
        UniqueConstraint("message_id", "rule_id", "endpoint_id", "occurrence"),
        partial_index("ix_delivery_due", "endpoint_id", "due_at", "id", where="state = 'pending'"),
        partial_index("ix_delivery_lease", "lease_until", where="state = 'sending'"),
        partial_index("ix_delivery_held", "release_at", where="state = 'held'"),
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
    due_at: datetime = Field(sa_column=moment(nullable=False))
    release_at: datetime | None = Field(default=None, sa_column=moment())
    expires_at: datetime | None = Field(default=None, sa_column=moment())
    planned_for: int = 0  # the settings' revision that a hold was planned with
    attempts: int = 0
    tries: int = 0  # failures that count towards the schedule; a process that died does not
    refusals: int = 0
    generation: int = 0  # fences off a worker that comes back late
    lease_owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_column=moment())
    needs_attention: bool = False
    may_have_arrived: bool = False
    created_at: datetime = Field(sa_column=moment(nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=moment())

    @classmethod
    def is_now(cls, state: DeliveryState) -> ColumnElement[bool]:
        """Ask for a state in the form that the partial indexes serve."""
        return written_out(cls.state, state)

    def send_again(self, now: datetime) -> None:
        """Start afresh with all its tries, the same body and the same webhook-id.

        Raises:
            ValueError: it is on its way already.
        """
        waits = self.state is DeliveryState.PENDING and self.due_at > now
        if self.state in {DeliveryState.SENDING, DeliveryState.PENDING} and not waits:
            raise ValueError(self.state)
        self.state, self.due_at, self.finished_at = DeliveryState.PENDING, now, None
        self.reason = {"code": "sent_again", "facts": {"from": self.reason.get("code", "")}}
        self.release_at = self.expires_at = None
        self.tries = self.refusals = 0
        self.needs_attention = False


class Attempt(SQLModel, table=True):
    __table_args__ = (
        UniqueConstraint("delivery_id", "generation"),
        Index("ix_attempt_endpoint", "endpoint_id", "started_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: int = Field(foreign_key="delivery.id", ondelete="CASCADE")
    endpoint_id: int = Field(foreign_key="endpoint.id")
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
