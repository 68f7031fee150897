"""When a receiver that fails is left alone, for how long, and when it is given up: each for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

IN_A_ROW = 5
OF_DELIVERIES = 2  # one mail that no receiver could take does not speak for the others
LOOKED_AT = 20  # tries
LEAST_LOOKED_AT = 10
SHARE = 0.7
GIVEN_UP_AFTER = timedelta(hours=120)
LEAST_FAILURES = 10


@dataclass(frozen=True, slots=True)
class Try:
    delivery_id: int
    failed: bool


def opens(tries: Sequence[Try]) -> bool:
    """Say whether the last tries, newest first, are reason enough to leave the receiver alone."""
    row = tries[:IN_A_ROW]
    if len(row) == IN_A_ROW and all(one.failed for one in row):
        return len({one.delivery_id for one in row}) >= OF_DELIVERIES
    some = tries[:LOOKED_AT]
    failed = [one for one in some if one.failed]
    enough = len(some) >= LEAST_LOOKED_AT and len(failed) >= SHARE * len(some)
    return enough and len({one.delivery_id for one in failed}) >= OF_DELIVERIES


def pause(opened: int, *, first: float, longest: float) -> timedelta:
    """Give how long it is left alone when it has opened `opened` times in a row, from `first` seconds on."""
    doublings = min(opened - 1, 30)  # more would be no number of seconds
    return timedelta(seconds=min(first * 2**doublings, longest))


def gives_up(failing_since: datetime | None, failures: int, now: datetime) -> bool:
    """Say whether a receiver has failed for so long that somebody must see to it."""
    long = failing_since is not None and now - failing_since >= GIVEN_UP_AFTER
    return long and failures >= LEAST_FAILURES
