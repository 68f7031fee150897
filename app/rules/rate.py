"""How many attempts an endpoint gets within a sliding hour."""

from collections.abc import Sequence
from datetime import datetime, timedelta

_HOUR = timedelta(hours=1)


def allowed(events: Sequence[datetime], limit: int, now: datetime) -> bool:
    """Whether one more attempt fits; 0 is no limit, and an attempt exactly an hour old still counts."""
    return limit <= 0 or sum(now - event <= _HOUR for event in events) < limit
