"""How long a mailbox that does not answer, or a mail that it does not give, is left alone."""

from datetime import timedelta

LONGEST = timedelta(minutes=5)
JITTER = 0.2
FETCH_TRIES = 20


def backoff(*, interval: timedelta, failures: int, random: float) -> timedelta:
    """Double with every failure in a row up to five minutes, ±20 % (`random` is between 0 and 1)."""
    doubled = min(interval * 2 ** min(failures, 12), max(LONGEST, interval))
    wait: timedelta = doubled * (1 - JITTER + 2 * JITTER * random)
    return wait


def fetch_wait(tries: int) -> timedelta | None:
    """Say how long to wait until a mail that was not given is asked for again; None: it is given up.

    From a minute to an hour, over some fifteen hours: a server's bad day loses nothing.
    """
    if tries >= FETCH_TRIES:
        return None
    wait: timedelta = min(timedelta(minutes=1) * 2 ** max(0, tries - 1), timedelta(hours=1))
    return wait
