"""Wall-clock times as moments, on the two odd days of the year as well."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MIDNIGHT = time(0)


def moment(day: date, clock: time, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    """The moment at which `clock` is on the wall; inside a spring gap, the first moment after the gap."""
    local = datetime.combine(day, clock, zone).replace(fold=fold)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    before, after = (local.replace(fold=side).astimezone(UTC) for side in (1, 0))
    return _change_between(before, after, zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return moment(day, _MIDNIGHT, zone)


def end_of_day(at: datetime, zone: ZoneInfo) -> datetime:
    return midnight(at.astimezone(zone).date() + timedelta(days=1), zone)


def turning_points(day: date, clocks: Sequence[time], zone: ZoneInfo) -> list[datetime]:
    """The moments of `day` at which something that hangs on the wall clock can change, in order."""
    return sorted({*_on_the_wall(day, clocks, zone), *_clock_changes(day, zone)})


def _on_the_wall(day: date, clocks: Sequence[time], zone: ZoneInfo) -> Iterator[datetime]:
    for clock in (_MIDNIGHT, *clocks):
        yield moment(day, clock, zone)
        yield moment(day, clock, zone, fold=1)


def _clock_changes(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    if _offset(start, zone) != _offset(end, zone):
        yield _change_between(start, end, zone)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second at which the zone's offset is that of `after`."""
    late = _offset(after, zone)
    span = int((after - before).total_seconds())
    low, high = 0, span
    while low < high:
        middle = (low + high) // 2
        if _offset(before + timedelta(seconds=middle), zone) == late:
            high = middle
        else:
            low = middle + 1
    return before + timedelta(seconds=low)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
