"""What an operator may change: one row, read at each use, effective for the next mail."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.columns import facts, moment, word
from app.rules.rule import Priority
from app.rules.settings import Settings, day_names
from app.rules.window import parse_time


class Sending(StrEnum):
    """The big switch. While it drains, what is on its way still goes and nothing new is let in."""

    ON = "on"
    DRAINING = "draining"
    PAUSED = "paused"


class Setting(SQLModel, table=True):
    id: int = Field(default=1, primary_key=True)
    revision: int = 1  # counts the saves; holds planned with an older one are planned again
    demo: bool = False
    username: str = ""
    password_hash: str = ""
    zone: str = "Europe/Paris"
    polling_active: bool = True
    polling_interval: int = 30  # seconds
    polling_days: list[int] = Field(sa_column=facts())  # 0 is Monday
    polling_start_hour: int = 0
    polling_end_hour: int = 24
    window_start: str = ""  # as typed, "9h00"
    window_end: str = ""
    absence_enabled: bool = False
    absence_days: list[str] = Field(sa_column=facts())
    vacation_start: date | None = None
    vacation_end: date | None = None
    sending: Sending = Field(default=Sending.ON, sa_column=word(Sending))
    resume_per_minute: int = 0  # how fast what a pause held may go; 0 is at once
    resume_from: datetime | None = Field(default=None, sa_column=moment())  # when the next of it may go
    group_dedup: bool = True
    exclude_keywords: list[str] = Field(sa_column=facts())
    require_attachments: bool = False
    sender_priority: dict[str, str] = Field(default_factory=dict, sa_column=facts())  # address: priority
    max_email_size_mb: int | None = None
    mirror_media: bool = True  # links of mails go to the mirror too, where there is one
    mirror_id: int | None = Field(default=None, foreign_key="endpoint.id")
    notify_on_failure: bool = False
    notify_to: list[str] = Field(default_factory=list, sa_column=facts())  # addresses
    notify_language: str = "en"  # of whoever chose them
    keep_sources: int = 365  # days; 0 is for ever
    keep_bodies: int = 365
    keep_attempts: int = 365
    keep_logs: int = 90
    bodies_from: datetime | None = Field(
        default=None, sa_column=moment()
    )  # of deliveries that ended up to then no body is kept any more
    attempts_from: datetime | None = Field(default=None, sa_column=moment())  # the same of their attempts
    saved_at: datetime = Field(sa_column=moment(nullable=False))
    saved_by: str = ""

    @classmethod
    async def load(cls, db: AsyncSession, *, for_update: bool = False) -> "Setting":
        return await db.get_one(cls, 1, with_for_update=for_update or None, populate_existing=for_update)

    def having(self, values: Mapping[str, Any]) -> "Setting":
        """Give what is saved, with these values in its place; nothing is saved."""
        return Setting(**self.model_dump() | dict(values))

    def change(self, values: Mapping[str, Any], *, by: str, now: datetime) -> list[str]:
        """Save some settings; what is held is planned again with them. Gives the names of what differs."""
        changed = [name for name, value in values.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, values[name])
        self.revision += 1
        self.saved_at, self.saved_by = now, by
        return changed

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def as_value(self) -> Settings:
        """Give what judgement needs of them."""
        return Settings(
            zone=self.zone,
            window_start=parse_time(self.window_start),
            window_end=parse_time(self.window_end),
            window_start_text=self.window_start or None,
            window_end_text=self.window_end or None,
            absence_enabled=self.absence_enabled,
            absence_days=day_names(self.absence_days),
            vacation_start=self.vacation_start,
            vacation_end=self.vacation_end,
            sending_enabled=self.sending is Sending.ON,
            group_dedup=self.group_dedup,
            exclude_keywords=tuple(self.exclude_keywords),
            require_attachments=self.require_attachments,
            sender_priority={sender: Priority(value) for sender, value in self.sender_priority.items()},
        )
