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

    at_once: float = START
    usual: float | None = None


def after(pace: Pace, took: float | None, *, well: bool, limit: int, busy: bool, may_slow: bool) -> Pace:
    """Give the pace after an answer that took so many milliseconds (None: there was none).

    `well`: it was no failure and no wish for patience. Only a receiver that was kept `busy` shows that it
    could take more. `may_slow`: it was asked after the pace last went down; what was under way with a
    failure says nothing new.
    """
    if not well or (took is not None and is_slow(pace, took)):
        changed = slower(pace) if may_slow else pace
    else:
        changed = quicker(pace, limit=limit) if busy and took is not None else pace
    return learnt(changed, took) if well and took is not None else changed


def quicker(pace: Pace, *, limit: int) -> Pace:
    return replace(pace, at_once=min(pace.at_once + 1 / pace.at_once, float(limit)))


def slower(pace: Pace) -> Pace:
    return replace(pace, at_once=max(pace.at_once / 2, _LEAST))


def is_slow(pace: Pace, took: float) -> bool:
    return pace.usual is not None and took > max(_SLOWER * pace.usual, pace.usual + _SLACK)


def learnt(pace: Pace, took: float) -> Pace:
    """Remember how long an answer took."""
    if pace.usual is None:
        return replace(pace, usual=took)
    share = _LEARNT if took < pace.usual else _FORGOTTEN
    return replace(pace, usual=pace.usual + share * (took - pace.usual))
