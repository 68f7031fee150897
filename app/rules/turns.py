"""Work that goes at a pace: how many may go now, and when the next may."""

from datetime import datetime, timedelta

CATCH_UP = timedelta(seconds=5)  # what is late by more is not made up for
AT_ONCE = timedelta(0)


def gap(per_minute: int) -> timedelta:
    """Give the time between two turns; 0 a minute is as fast as can be."""
    return timedelta(minutes=1) / per_minute if per_minute else AT_ONCE


def next_turn(planned: datetime | None, between: timedelta, now: datetime) -> datetime:
    """Say when the next may go: now, when a stop, a jump of the clock or another pace has upset the plan."""
    at = planned or now
    return at if now - CATCH_UP <= at <= now + between else now


def turns(at: datetime, between: timedelta, now: datetime, *, most: int) -> int:
    """Count whose turn has come when the first goes at this moment, up to so many."""
    if at > now:
        return 0
    return min(most, (now - at) // between + 1) if between else most
