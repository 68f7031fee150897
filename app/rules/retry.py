"""When a failed delivery is tried again."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_JITTER = 0.2
_LONGEST_WAIT = timedelta(hours=24)
_SECONDS = re.compile(r"[0-9]{1,10}")
_DATE_LENGTH = 64


def due_at(
    schedule: Sequence[float], tries: int, *, now: datetime, random: float, retry_after: str | None = None
) -> datetime | None:
    """The moment of the next try when `tries` failed before this one; None when that was the last.

    The schedule is in seconds; `random`, between 0 and 1, makes a jitter of ±20 %. What the receiver asked
    for is obeyed between our own delay and a day.
    """
    if tries >= len(schedule):
        return None
    own = timedelta(seconds=schedule[tries]) * (1 - _JITTER + 2 * _JITTER * random)
    asked = wait_asked(retry_after, now)
    return now + (own if asked is None else max(own, min(asked, _LONGEST_WAIT)))


def wait_asked(retry_after: str | None, now: datetime) -> timedelta | None:
    """A Retry-After header in seconds or as a date; None when it makes no sense."""
    text = (retry_after or "").strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text[:_DATE_LENGTH])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
