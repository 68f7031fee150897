"""The hours in which mailboxes are looked at."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo


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
