"""The hours in which mailboxes are looked at."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from app.rules.calendar import named_days
from app.rules.settings import DAYS
from app.rules.verdict import Reason


def active(now: datetime, *, days: Collection[int], start_hour: int, end_hour: int, zone: str) -> bool:
    """Days count from Monday = 0, hours from 0 to 24; 0 to 24 is always, equal hours are never.

    When the hours wrap midnight, the day is that of the calendar, not that on which they began.
    """
    local = now.astimezone(ZoneInfo(zone))
    if local.weekday() not in days:
        return False
    if start_hour <= end_hour:
        return start_hour <= local.hour < end_hour
    return local.hour >= start_hour or local.hour < end_hour


def effect(*, on: bool, days: Collection[int], start_hour: int, end_hour: int, seconds: int) -> Reason:
    """Say when mailboxes are looked at."""
    if not on:
        return Reason("polling_off")
    facts = {"seconds": seconds, **named_days([DAYS[day] for day in days])}
    if (start_hour, end_hour) != (0, 24):
        facts |= {"opens": f"{start_hour:02d}h00", "closes": f"{end_hour:02d}h00"}
    return Reason("polling", facts)
