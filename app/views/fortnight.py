"""The days ahead as a page draws them: bars on the clock's face, with the same in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date

from app.rules.calendar import Day, Span, days
from app.rules.settings import Settings
from app.rules.window import clock_text
from app.web.i18n import reader
from app.web.templates import LOCALES

_MINUTE = timedelta(minutes=1)
WHOLE = 24 * 60  # minutes on a day's face, also on the two days of the year that last otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """`bars` are first minute and length of each stretch that is open, `hours` the same as texts."""

    label: str
    begins_week: bool
    why: str  # open, absence, vacation or no window
    bars: tuple[tuple[int, int], ...]
    hours: tuple[tuple[str, str], ...]
    now: int | None  # the minute, on the day that it is

    @property
    def whole(self) -> bool:
        return sum(length for _, length in self.bars) >= WHOLE


def fortnight(settings: Settings, now: datetime) -> list[DayRow]:
    local = now.astimezone(settings.clock)
    return [
        DayRow(
            label=_label(day.date),
            begins_week=day.date.weekday() == 0,
            why=day.why.value,
            bars=tuple(_bars(day, settings.clock)),
            hours=tuple(_hours(span, day, settings.clock) for span in day.spans),
            now=_minute(local) if day.date == local.date() else None,
        )
        for day in days(settings, local.date())
    ]


def _label(day: date) -> str:
    return format_date(day, "EEE d MMM", locale=LOCALES[reader().language])


def _bars(day: Day, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """By the clock on the wall; midnight is the next day's, so a bar ends where its last minute does."""
    for span in day.spans:
        start = _minute(span.start.astimezone(zone))
        yield start, _minute((span.end - _MINUTE).astimezone(zone)) + 1 - start


def _hours(span: Span, day: Day, zone: ZoneInfo) -> tuple[str, str]:
    end = span.end.astimezone(zone)
    last = clock_text(end.time()) if end.date() == day.date else "24h00"
    return clock_text(span.start.astimezone(zone).time()), last


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute
