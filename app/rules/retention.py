"""How long each kind of thing is kept, what removing it means, and when the disk will be full."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from app.rules.text import whole_number
from app.rules.verdict import Problems, Reason

LONGEST = 36_500  # days
COUNTED = 10_000  # of what would go; beyond that nobody waits for the exact number


class Kind(StrEnum):
    """What is removed after a time. Mails, decisions and deliveries themselves are not among it."""

    SOURCES = "sources"
    BODIES = "bodies"
    ATTEMPTS = "attempts"
    LOGS = "logs"

    @property
    def setting(self) -> str:
        return f"keep_{self.value}"


def threshold(days: int, now: datetime) -> datetime | None:
    """Give the moment before which a kind is removed; None keeps it for ever."""
    return now - timedelta(days=days) if days else None


def read(raw: Mapping[str, str]) -> tuple[dict[str, int], Problems]:
    """Read the days of each kind; 0 is for ever. Only without problems may they be saved."""
    values: dict[str, int] = {}
    problems: Problems = {}
    for kind in Kind:
        days = whole_number(raw.get(kind.setting, "").strip())
        if days is not None and days <= LONGEST:
            values[kind.setting] = days
        else:
            problems[kind.setting] = Reason("not_a_number", {"least": 0, "most": LONGEST})
    return values, problems


def effect(values: Mapping[str, Any], counts: Mapping[Kind, int]) -> list[Reason]:
    """Say for each kind how long it is kept, and how many there are to remove."""
    return [_said(kind, values[kind.setting], counts.get(kind, 0)) for kind in Kind]


def _said(kind: Kind, days: int, count: int) -> Reason:
    if not days:
        return Reason(f"keeps_{kind.value}")
    if not count:
        return Reason(f"keeps_{kind.value}", {"days": days})
    if count > COUNTED:
        return Reason(f"removes_{kind.value}", {"days": days, "least": COUNTED})
    return Reason(f"removes_{kind.value}", {"days": days, "count": count})


def per_day(sizes: Sequence[tuple[date, int]]) -> float | None:
    """Give by how many bytes the database grows each day; `sizes` in the order of their days."""
    if not sizes or (days := (sizes[-1][0] - sizes[0][0]).days) < 1:
        return None
    return (sizes[-1][1] - sizes[0][1]) / days


def full_in(room: int, growth: float | None) -> int | None:
    """Give the days until so many bytes are used up; None when that cannot be told or never comes."""
    if growth is None or growth <= 0:
        return None
    days = int(max(room, 0) / growth)
    return days if days <= LONGEST else None
