"""The daily window: when deliveries may leave, and how its bounds are written."""

import re
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

_BOUND = re.compile(r"([0-9]{1,2})(?:[hH]([0-9]{2})?|:([0-9]{2}))")


class Position(StrEnum):
    BEFORE = "before"
    INSIDE = "inside"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Window:
    """Half open; wraps midnight when it starts later than it ends; equal bounds are never inside.

    Everything is asked of the time on the wall, and that settles the two odd days of the year: a bound in the
    spring gap counts from the first minute after it, and both passes of autumn's repeated hour are inside.
    """

    start: time
    end: time

    def position(self, clock: time) -> Position:
        """Outside a window that wraps midnight is always before: its opening is still to come today."""
        if self._contains(clock):
            return Position.INSIDE
        return Position.BEFORE if clock < self.start else Position.AFTER

    def _contains(self, clock: time) -> bool:
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def parse_time(text: str | None) -> time | None:
    """Read `9h`, `9h30`, `09h30` or `9:30`; anything else is no time."""
    match = _BOUND.fullmatch((text or "").strip())
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or match[3] or 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def as_shown(text: str) -> str:
    """A bound as receivers and pages repeat it: as typed, except that `9h` is shown as `9h00`."""
    typed = text.strip()
    return f"{typed}00" if typed[-1:] in {"h", "H"} else typed


def clock_text(clock: time) -> str:
    return f"{clock:%H}h{clock:%M}"
