"""The days ahead: when sending is open, and the sentence that says so of a schedule."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any

from app.rules.moments import midnight, turning_points
from app.rules.settings import DAYS, Settings
from app.rules.verdict import Reason
from app.rules.window import Position, clock_text

_HORIZON = 400  # days
_SOON = timedelta(minutes=90)
_SHORTEST_RUN = 3


class Why(StrEnum):
    """Why a day is as it is; `no window` when the window opens at no moment of it."""

    OPEN = "open"
    ABSENCE = "absence"
    VACATION = "vacation"
    NO_WINDOW = "no window"


@dataclass(frozen=True, slots=True)
class Span:
    """Half open, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the zone, from midnight to midnight."""

    date: date
    why: Why
    spans: tuple[Span, ...]


def days(settings: Settings, today: date, count: int = 14) -> tuple[Day, ...]:
    """What absence, vacation and window leave of `today` and the days after; the pause is not asked."""
    return tuple(_day(settings, today + timedelta(days=number)) for number in range(count))


def is_open(settings: Settings, at: datetime) -> bool:
    """Whether an ordinary mail may leave, as far as absence, vacation and window are concerned."""
    local = at.astimezone(settings.clock)
    window = settings.window
    free = _away(settings, local.date()) is None
    return free and (window is None or window.position(local.time()) is Position.INSIDE)


def next_change(settings: Settings, at: datetime) -> datetime | None:
    """When open turns to closed or closed to open; None when neither happens within 400 days."""
    before, first = is_open(settings, at), at.astimezone(settings.clock).date()
    for number in range(_HORIZON + 1):
        for point in _turning_points(settings, first + timedelta(days=number)):
            if at < point and is_open(settings, point) is not before:
                return point
    return None


def effect(settings: Settings, now: datetime) -> tuple[Reason, ...]:
    """What a schedule means: when webhooks leave, the vacation to come, and what holds at this moment."""
    return (_schedule(settings), *_vacation(settings, now), _standing(settings, now))


def named_days(chosen: Collection[str]) -> dict[str, Any]:
    """Nothing for all seven; a run of some days, which may go over Sunday, by its first and its last."""
    listed = [day for day in DAYS if day in chosen]
    firsts = [day for day in listed if DAYS[DAYS.index(day) - 1] not in chosen]
    if len(listed) == len(DAYS):
        return {}
    if len(firsts) == 1 and len(listed) >= _SHORTEST_RUN:
        last = DAYS[(DAYS.index(firsts[0]) + len(listed) - 1) % len(DAYS)]
        return {"from_day": firsts[0], "to_day": last}
    return {"days": listed}


def _day(settings: Settings, day: date) -> Day:
    spans = tuple(_spans(settings, day, midnight(day + timedelta(days=1), settings.clock)))
    why = _away(settings, day) or (Why.OPEN if spans else Why.NO_WINDOW)
    return Day(day, why, spans)


def _away(settings: Settings, day: date) -> Why | None:
    """Absence and vacation, in the order of the gates."""
    if settings.absent_on(day):
        return Why.ABSENCE
    return Why.VACATION if settings.on_vacation(day) else None


def _spans(settings: Settings, day: date, end: datetime) -> Iterator[Span]:
    opened: datetime | None = None
    for point in _turning_points(settings, day):
        if point >= end:
            break
        if is_open(settings, point):
            opened = opened or point
        elif opened:
            yield Span(opened, point)
            opened = None
    if opened:
        yield Span(opened, end)


def _turning_points(settings: Settings, day: date) -> list[datetime]:
    """A day away from work turns at its midnight only."""
    window = None if _away(settings, day) else settings.window
    return turning_points(day, (window.start, window.end) if window else (), settings.clock)


def _schedule(settings: Settings) -> Reason:
    window, working = settings.window, _working_days(settings)
    facts = working | {"zone": settings.zone.rpartition("/")[2].replace("_", " ")}
    if window and working != {"days": []}:
        clocks = {"opens": clock_text(window.start), "closes": clock_text(window.end)}
        return Reason("schedule_window", facts | clocks)
    return Reason("schedule_days", facts) if working else Reason("schedule_always")


def _working_days(settings: Settings) -> dict[str, Any]:
    return named_days(
        [day for day in DAYS if not (settings.absence_enabled and day in settings.absence_days)]
    )


def _vacation(settings: Settings, now: datetime) -> Iterator[Reason]:
    start, end = settings.vacation_start, settings.vacation_end
    if start and end and start <= end and now.astimezone(settings.clock).date() <= end:
        yield Reason("schedule_vacation", {"start": str(start), "end": str(end)})


def _standing(settings: Settings, now: datetime) -> Reason:
    until = next_change(settings, now)
    facts: dict[str, Any] = {"until": until.isoformat()} if until else {}
    if until and until - now <= _SOON:
        facts["minutes"] = ceil((until - now) / timedelta(minutes=1))
    if is_open(settings, now):
        return Reason("open_now", facts)
    return Reason("closed_now", facts) if until else Reason("closed_for_good")
