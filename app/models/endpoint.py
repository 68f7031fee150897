"""Receivers of webhooks, and how each of them is doing."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, and_
from sqlmodel import Field, SQLModel, col

from app.models.columns import facts, moment, word
from app.rules import breaker
from app.rules.address import host_of
from app.rules.pace import START
from app.rules.verdict import Reason

QUICK = 250.0  # milliseconds


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
    url_since: datetime | None = Field(default=None, sa_column=moment())  # None: since it was made
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
    pace: float = START  # requests at once that it takes well at this time
    usual_ms: float | None = None  # how long its answers take when it is not hurried
    slowed_at: datetime | None = Field(default=None, sa_column=moment())  # when the pace last went down
    opened: int = 0  # how often in a row the breaker has opened; 0: it is closed
    open_until: datetime | None = Field(default=None, sa_column=moment())  # then one try may go
    closed_at: datetime | None = Field(default=None, sa_column=moment())  # tries before do not count any more
    first_pause: float = 30.0  # seconds that an open breaker waits
    longest_pause: float = 600.0  # to which it grows
    demo: bool = False
    saved_by: str = ""  # who last changed it in its form; "": nobody has
    created_at: datetime = Field(sa_column=moment(nullable=False))

    @classmethod
    def is_own(cls) -> ColumnElement[bool]:
        """Ask for what is in use and not the demo's."""
        return and_(col(cls.demo).is_(False), col(cls.state) != EndpointState.DELETED)

    @property
    def host(self) -> str:
        """Where its address leads, without what may be secret in it."""
        return host_of(self.url) or self.url

    def secrets_at(self, now: datetime) -> list[bytes]:
        """Give the sealed secrets that sign at this moment: after a change both, for a while."""
        if not self.previous_secret or self.previous_until is None or self.previous_until <= now:
            return [self.secret]
        return [self.secret, self.previous_secret]

    @property
    def at_once(self) -> int:
        """How many requests may be under way at this time."""
        one_by_one = self.ordered or bool(self.opened)
        return 1 if one_by_one else max(1, min(int(self.pace), self.concurrency))

    @property
    def ahead(self) -> int:
        """How many more may wait for a free place: where answers come at once, places would stand empty."""
        quick = self.usual_ms is not None and self.usual_ms < QUICK
        return self.at_once // 2 if quick and self.at_once > 1 and not self.failures else 0

    def moved_after(self, at: datetime) -> bool:
        """Say whether its address was changed after a moment."""
        return self.url_since is not None and self.url_since > at

    def succeeded(self, asked_at: datetime, now: datetime) -> None:
        """Take it up again, slowly when its breaker was open; a wish for patience that came later holds."""
        if self.opened:
            self.closed_at, self.pace = now, 1.0
        self.opened, self.open_until = 0, None
        self.failures, self.failing_since, self.succeeded_at = 0, None, now
        if self.slowed_at is None or asked_at > self.slowed_at:
            self.not_before = None

    def failed(self, now: datetime) -> None:
        self.failures += 1
        self.failing_since = self.failing_since or now

    def leave_alone(self, now: datetime) -> None:
        """Open the breaker, or keep it open for longer."""
        self.opened += 1
        self.open_until = now + breaker.pause(self.opened, first=self.first_pause, longest=self.longest_pause)

    def begin_anew(self, now: datetime) -> None:
        """Forget how it did: somebody has mended it, or it is another one now."""
        self.failures, self.failing_since, self.not_before = 0, None, None
        self.opened, self.open_until, self.closed_at = 0, None, now
        self.pace = START

    def let_another_try(self, now: datetime) -> None:
        """Where one that tried it out says nothing about it, the next one may."""
        if self.opened:
            self.open_until = now

    def park(self, reason: Reason, now: datetime) -> None:
        """Send nothing to it any more, until somebody takes it up again."""
        self.state, self.state_since, self.parked_for = EndpointState.PARKED, now, reason.to_json()
