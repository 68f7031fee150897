"""How long a mailbox that does not answer is left alone."""

from datetime import timedelta

LONGEST = timedelta(minutes=5)
JITTER = 0.2


def backoff(*, interval: timedelta, failures: int, random: float) -> timedelta:
    """Double with every failure in a row up to five minutes, ±20 % (`random` is between 0 and 1)."""
    doubled = min(interval * 2 ** min(failures, 12), max(LONGEST, interval))
    wait: timedelta = doubled * (1 - JITTER + 2 * JITTER * random)
    return wait
