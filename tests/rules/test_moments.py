"""The wall clock on the two odd days of the year."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.moments import end_of_day, midnight, moment, turning_points
from tests.rules.cast import PARIS, paris

SPRING, AUTUMN = date(2025, 3, 30), date(2025, 10, 26)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("clock", [time(2), time(2, 1), time(2, 30), time(2, 59)])
def test_a_time_in_the_spring_gap_is_the_first_moment_after_it(clock: time) -> None:
    assert moment(SPRING, clock, PARIS) == moment(SPRING, clock, PARIS, fold=1) == utc("2025-03-30 01:00")


def test_a_time_of_the_repeated_hour_is_two_moments() -> None:
    assert moment(AUTUMN, time(2, 30), PARIS) == utc("2025-10-26 00:30")
    assert moment(AUTUMN, time(2, 30), PARIS, fold=1) == utc("2025-10-26 01:30")


def test_a_day_may_have_23_or_25_hours() -> None:
    assert end_of_day(paris("2025-03-30 12:00"), PARIS) - midnight(SPRING, PARIS) == timedelta(hours=23)
    assert end_of_day(paris("2025-10-26 12:00"), PARIS) - midnight(AUTUMN, PARIS) == timedelta(hours=25)


def test_a_day_without_midnight_begins_when_its_clocks_do() -> None:
    assert midnight(date(2025, 3, 30), ZoneInfo("Asia/Beirut")) == utc("2025-03-29 22:00")


def test_the_clock_change_is_a_turning_point_of_its_day() -> None:
    assert utc("2025-10-26 01:00") in turning_points(AUTUMN, [time(9)], PARIS)
    assert turning_points(date(2025, 10, 13), [time(9)], PARIS) == [
        utc("2025-10-12 22:00"),
        utc("2025-10-13 07:00"),
    ]


@settings(deadline=None)
@given(
    st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    st.times(),
    st.sampled_from(
        ["Europe/Paris", "UTC", "Australia/Lord_Howe", "America/St_Johns", "Asia/Beirut", "Pacific/Apia"]
    ),
)
def test_a_moment_shows_its_time_or_the_end_of_a_gap(day: date, clock: time, name: str) -> None:
    zone = ZoneInfo(name)
    at = moment(day, clock, zone)
    shown = at.astimezone(zone).replace(tzinfo=None)
    wanted = datetime.combine(day, clock)
    just_before = (at - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert shown == wanted or just_before < wanted < shown
