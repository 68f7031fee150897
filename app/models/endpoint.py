"""Receivers of webhooks, and how each of them is doing."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from app.models.columns import facts, moment, word


class EndpointState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    PARKED = "parked"  # it said 410, or has not answered for days
    DELETED = "deleted"  # kept for the history; nothing goes to it any more


class Mode(StrEnum):
    JSON = "json"
    FORM = "form"


class Content(StrEnum):
    """What of the usual body an endpoint is sent (D20)."""

    WHOLE = "whole"
    WITHOUT_CONTENT = "without_content"
    TEMPLATE = "template"


class Endpoint(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    url: str
    secret: bytes = Field(sa_type=LargeBinary)  # sealed
    previous_secret: bytes | None = Field(default=None, sa_type=LargeBinary)
    previous_until: datetime | None = Field(default=None, sa_column=moment())
    state: EndpointState = Field(default=EndpointState.ACTIVE, sa_column=word(EndpointState))
    state_since: datetime | None = Field(default=None, sa_column=moment())
    parked_for: dict[str, Any] | None = Field(default=None, sa_column=facts(nullable=True))  # the reason
    verify_tls: bool = True
    authority: str = ""  # certificates in PEM that are trusted besides the usual ones
    mode: Mode = Field(default=Mode.JSON, sa_column=word(Mode))
    form_on_415: bool = True
    content: Content = Field(default=Content.WHOLE, sa_column=word(Content))
    template: str = ""  # of its own, where that is its content
    extra_headers: bytes | None = Field(default=None, sa_type=LargeBinary)  # a JSON object, sealed
    require_success: bool = False
    timeout: int = 30  # seconds, over everything
    concurrency: int = 16  # requests at once, at most
    ordered: bool = False  # one after the other, in the order in which the mails came
    rate_per_hour: int = 0  # attempts; 0 is unlimited
    schedule: list[float] = Field(sa_column=facts())  # seconds between tries
    not_before: datetime | None = Field(default=None, sa_column=moment())  # Retry-After
    failures: int = 0  # in a row
    failing_since: datetime | None = Field(default=None, sa_column=moment())
    succeeded_at: datetime | None = Field(default=None, sa_column=moment())
    pace: float = 2.0  # requests at once that it takes well at this time
    usual_ms: float | None = None  # how long its answers take when it is not hurried
    opened: int = 0  # how often in a row the breaker has opened; 0: it is closed
    open_until: datetime | None = Field(default=None, sa_column=moment())  # then one try may go
    first_pause: float = 30.0  # seconds that an open breaker waits
    longest_pause: float = 600.0  # to which it grows
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
