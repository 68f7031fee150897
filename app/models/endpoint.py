"""Receivers of webhooks, and how each of them is doing."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from app.models.columns import facts, moment, word


class EndpointState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    PARKED = "parked"  # it said 410, or has not answered for days


class Mode(StrEnum):
    JSON = "json"
    FORM = "form"


class Endpoint(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    url: str
    secret: bytes = Field(sa_type=LargeBinary)  # sealed
    previous_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    previous_until: datetime | None = Field(default=None, sa_column=moment())
    state: EndpointState = Field(default=EndpointState.ACTIVE, sa_column=word(EndpointState))
    verify_tls: bool = True
    mode: Mode = Field(default=Mode.JSON, sa_column=word(Mode))
    form_on_415: bool = True
    require_success: bool = False
    timeout: int = 30  # seconds, over everything
    concurrency: int = 8
    rate_per_hour: int = 0  # attempts; 0 is unlimited
    schedule: list[float] = Field(sa_column=facts())  # seconds between tries
    not_before: datetime | None = Field(default=None, sa_column=moment())  # Retry-After
    failures: int = 0  # in a row
    failing_since: datetime | None = Field(default=None, sa_column=moment())
    succeeded_at: datetime | None = Field(default=None, sa_column=moment())
    demo: bool = False
    created_at: datetime = Field(sa_column=moment(nullable=False))

    def secrets_at(self, now: datetime) -> list[bytes]:
        """Give the sealed secrets that sign at this moment: after a change both, for a while."""
        if not self.previous_secret or self.previous_until is None or self.previous_until <= now:
            return [self.secret]
        return [self.secret, self.previous_secret]

    def succeeded(self, now: datetime) -> None:
        self.failures, self.failing_since, self.not_before, self.succeeded_at = 0, None, None, now

    def failed(self, now: datetime) -> None:
        self.failures += 1
        self.failing_since = self.failing_since or now
