"""When mailboxes are looked at."""

import pytest

from app.rules.polling import active
from tests.rules.cast import paris


@pytest.mark.parametrize(
    ("now", "hours", "expected"),
    [
        ("2025-10-13 00:00", (0, 24), True),
        ("2025-10-13 23:59", (0, 24), True),
        ("2025-10-13 08:59", (9, 23), False),
        ("2025-10-13 09:00", (9, 23), True),
        ("2025-10-13 23:00", (9, 23), False),
        ("2025-10-13 23:00", (9, 24), True),
        ("2025-10-13 05:59", (22, 6), True),
        ("2025-10-13 06:00", (22, 6), False),
        ("2025-10-13 12:00", (12, 12), False),
        ("2025-10-14 12:00", (0, 24), False),
    ],
)
def test_hours_begin_inclusive_and_end_exclusive(*, now: str, hours: tuple[int, int], expected: bool) -> None:
    start, end = hours
    assert active(paris(now), days={0}, start_hour=start, end_hour=end, zone="Europe/Paris") is expected


def test_the_day_is_that_of_the_zone() -> None:
    late_sunday = paris("2025-10-13 00:30")
    assert active(late_sunday, days={0}, start_hour=0, end_hour=24, zone="Europe/Paris")
    assert not active(late_sunday, days={0}, start_hour=0, end_hour=24, zone="UTC")
