"""A sending that somebody asked for to see whether a receiver works: no mail's, and kept apart from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from app.models.columns import facts, moment


class EndpointTest(SQLModel, table=True):
    __tablename__ = "endpoint_test"
    __table_args__ = (Index("ix_endpoint_test_endpoint", "endpoint_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    endpoint_id: int = Field(foreign_key="endpoint.id")
    url: str = ""  # where the receiver was then
    webhook_id: str
    requested_by: str
    requested_at: datetime = Field(sa_column=moment(nullable=False))
    owner: str | None = None
    started_at: datetime | None = Field(default=None, sa_column=moment())
    ended_at: datetime | None = Field(default=None, sa_column=moment())
    reason: dict[str, Any] | None = Field(default=None, sa_column=facts(nullable=True))  # how it ended
    body: bytes | None = Field(default=None, sa_type=LargeBinary)
    status: int | None = None
    peer: str = ""
    timings: dict[str, float] = Field(default_factory=dict, sa_column=facts())  # milliseconds
    request_headers: dict[str, str] = Field(default_factory=dict, sa_column=facts())
    answer_headers: dict[str, str] = Field(default_factory=dict, sa_column=facts())
    answer: bytes | None = Field(default=None, sa_type=LargeBinary)
    truncated: bool = False
