"""What each rule said of a mail, with the facts it saw; the links found; the groups that are taken."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Index, and_
from sqlmodel import Field, SQLModel, UniqueConstraint, col

from app.models.columns import facts, moment, partial_index, word, written_out
from app.rules.verdict import Mark, Verdict


class Decision(SQLModel, table=True):
    __table_args__ = (
        UniqueConstraint("message_id", "rule_id"),
        Index("ix_decision_matched", "matched", "created_at", "rule_id"),  # covers the counts of the rules
        partial_index("ix_decision_held", "message_id", where="verdict = 'hold'"),
    )

    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id", ondelete="CASCADE")
    rule_id: int = Field(foreign_key="rule.id", index=True)
    rule_version_id: int = Field(foreign_key="rule_version.id")
    position: int
    matched: bool
    verdict: Verdict | None = Field(default=None, sa_column=word(Verdict, nullable=True))
    reason: dict[str, Any] = Field(sa_column=facts())
    steps: list[dict[str, Any]] = Field(sa_column=facts())
    created_at: datetime = Field(sa_column=moment(nullable=False))

    @classmethod
    def owed(cls) -> ColumnElement[bool]:
        """Ask for what a rule would have sent, had it had a receiver."""
        held = written_out(cls.verdict, Verdict.HOLD)
        return and_(held, col(cls.reason)["code"].as_string() == "no_endpoint")

    @property
    def is_owed(self) -> bool:
        """Say of this one what `owed` asks for."""
        return self.verdict is Verdict.HOLD and self.reason["code"] == "no_endpoint"

    def leave(self, reason: dict[str, Any]) -> None:
        """Wait for a receiver no more; what the rule said before stays told."""
        self.verdict, self.reason = Verdict.IGNORE, reason
        self.steps = [*self.steps, {**reason, "mark": Mark.STOPPED}]


class Link(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id", index=True, ondelete="CASCADE")
    position: int
    provider: str
    raw_url: str
    upload: bool = False  # a request for files: shown, never delivered


class GroupMark(SQLModel, table=True):
    """The mail that speaks for its group, as long as its delivery is neither failed nor dropped (D10)."""

    __tablename__ = "group_mark"
    __table_args__ = (UniqueConstraint("rule_id", "scope", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    rule_id: int = Field(foreign_key="rule.id")
    scope: str  # "2026-11" for a month, "days" for a number of days
    name: str
    message_id: int = Field(foreign_key="message.id", index=True)
    marked_at: datetime = Field(sa_column=moment(nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=moment())
