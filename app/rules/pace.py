"""How many requests at once a receiver takes well: more while it answers quickly, fewer when it does not."""

from dataclasses import dataclass, replace

START = 2.0
_LEAST = 1.0
_LEARNT = 0.2  # of a quicker answer, in what is usual
_FORGOTTEN = 0.02  # of a slower one: a receiver that has become slow is not blamed for ever
_SLOWER = 2.0  # times the usual is slow
_SLACK = 200.0  # milliseconds more than the usual are none the less quick


@dataclass(frozen=True, slots=True)
class Pace:
    """Requests at once, and the milliseconds that an answer usually takes (None: not known yet)."""

    now: float = START
    usual: float | None = None


def quicker(pace: Pace, *, limit: int, busy: bool) -> Pace:
    """After a good answer; only one of a receiver that was kept `busy` shows that it could take more."""
    return replace(pace, now=min(pace.now + 1 / pace.now, float(limit))) if busy else pace


def slower(pace: Pace) -> Pace:
    """After a failure, a 429 or a slow answer."""
    return replace(pace, now=max(pace.now / 2, _LEAST))


def is_slow(pace: Pace, took: float) -> bool:
    return pace.usual is not None and took > max(_SLOWER * pace.usual, pace.usual + _SLACK)


def learnt(pace: Pace, took: float) -> Pace:
    """Remember how long an answer took, in milliseconds."""
    if pace.usual is None:
        return replace(pace, usual=took)
    share = _LEARNT if took < pace.usual else _FORGOTTEN
    return replace(pace, usual=pace.usual + share * (took - pace.usual))
