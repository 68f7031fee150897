"""How long a mailbox that does not answer is left alone."""

from datetime import timedelta

LONGEST = timedelta(minutes=5)
JITTER = 0.2


def backoff(*, interval: timedelta, failures: int, random: float) -> timedelta:
    """Double with every failure in a row up to five minutes, ±20 % (`random` is 0 to 1), never below the interval."""
    doubled = min(interval * 2 ** min(failures, 12), max(LONGEST, interval))
    return doubled * (1 - JITTER + 2 * JITTER * random)
