"""What the operator has set for all rules together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from zoneinfo import ZoneInfo

from app.rules.rule import Priority
from app.rules.window import Window

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def day_names(values: Iterable[object]) -> frozenset[str]:
    """The names of days in `values`, however they are cased; everything else is left out."""
    return frozenset(value.strip().lower() for value in values if isinstance(value, str)) & frozenset(DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A bound of the window is kept twice: as a time, and as typed, which is what receivers are told."""

    zone: str = "Europe/Paris"
    window_start: time | None = None
    window_end: time | None = None
    window_start_text: str | None = None
    window_end_text: str | None = None
    absence_enabled: bool = False
    absence_days: frozenset[str] = frozenset()
    vacation_start: date | None = None
    vacation_end: date | None = None
    sending_enabled: bool = True
    group_dedup: bool = True
    exclude_keywords: tuple[str, ...] = ()
    require_attachments: bool = False
    sender_priority: Mapping[str, Priority] = field(default_factory=dict)

    @property
    def clock(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def window(self) -> Window | None:
        """Half a window is no window."""
        if self.window_start is None or self.window_end is None:
            return None
        return Window(self.window_start, self.window_end)

    def absent_on(self, day: date) -> bool:
        return self.absence_enabled and DAYS[day.weekday()] in self.absence_days

    def away_on(self, day: date) -> bool:
        return self.absent_on(day) or self.on_vacation(day)

    def on_vacation(self, day: date) -> bool:
        if self.vacation_start is None or self.vacation_end is None:
            return False
        return self.vacation_start <= day <= self.vacation_end
