"""The days ahead, and what a schedule says of itself."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from app.rules.calendar import Span, Why, days, effect, is_open, next_change
from app.rules.settings import DAYS, Settings
from app.rules.words import say
from tests.rules.cast import open_from, paris

WEEKEND = frozenset({"saturday", "sunday"})
OFFICE = open_from("9h00", "19h00", absence_enabled=True, absence_days=WEEKEND)
MONDAY = date(2025, 10, 13)
ALL_SEVEN = frozenset(DAYS)


def weekdays(*names: str) -> Settings:
    """Open all day on these days."""
    return Settings(absence_enabled=True, absence_days=ALL_SEVEN - set(names))


def said(setting: Settings, now: str = "2025-10-13 08:22") -> list[str]:
    return [say(reason, zone=setting.zone) for reason in effect(setting, paris(now))]


def test_two_weeks_are_shown_from_today_on() -> None:
    shown = days(OFFICE, MONDAY)
    assert [day.date for day in shown] == [MONDAY + timedelta(days=number) for number in range(14)]
    week = [Why.OPEN] * 5 + [Why.ABSENCE] * 2
    assert [day.why for day in shown] == week + week
    assert [len(day.spans) for day in shown] == ([1] * 5 + [0] * 2) * 2


def test_a_day_is_open_while_its_window_is() -> None:
    (day,) = days(OFFICE, MONDAY, 1)
    assert day.spans == (Span(paris("2025-10-13 09:00"), paris("2025-10-13 19:00")),)


def test_a_night_is_two_spans_and_a_day_without_a_window_is_one() -> None:
    midnight, next_midnight = paris("2025-10-13 00:00"), paris("2025-10-14 00:00")
    (night,) = days(open_from("22h", "6h"), MONDAY, 1)
    assert night.spans == (
        Span(midnight, paris("2025-10-13 06:00")),
        Span(paris("2025-10-13 22:00"), next_midnight),
    )
    assert days(Settings(), MONDAY, 1)[0].spans == (Span(midnight, next_midnight),)


def test_a_day_says_why_it_is_closed() -> None:
    away = replace(OFFICE, vacation_start=date(2025, 10, 17), vacation_end=date(2025, 10, 20))
    assert [day.why.value for day in days(away, date(2025, 10, 16), 6)] == [
        *("open", "vacation", "absence", "absence", "vacation", "open")
    ]
    assert {day.why.value for day in days(open_from("9h", "9h"), MONDAY)} == {"no window"}


def test_the_pause_is_no_matter_of_the_calendar() -> None:
    paused = replace(OFFICE, sending_enabled=False)
    assert days(paused, MONDAY) == days(OFFICE, MONDAY)
    assert is_open(paused, paris("2025-10-13 12:00"))


@pytest.mark.parametrize(
    ("now", "change"),
    [
        ("2025-10-13 08:59", "2025-10-13 09:00"),
        ("2025-10-13 09:00", "2025-10-13 19:00"),
        ("2025-10-13 18:59", "2025-10-13 19:00"),
        ("2025-10-13 19:00", "2025-10-14 09:00"),
        ("2025-10-17 19:00", "2025-10-20 09:00"),
    ],
)
def test_a_schedule_changes_where_its_window_does(now: str, change: str) -> None:
    assert next_change(OFFICE, paris(now)) == paris(change)


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        (weekdays("monday", "tuesday"), "2025-10-15 00:00"),
        (Settings(vacation_start=date(2025, 12, 24), vacation_end=date(2026, 1, 4)), "2025-12-24 00:00"),
        (Settings(vacation_start=date(2025, 10, 13), vacation_end=date(2026, 9, 30)), "2026-10-01 00:00"),
        (
            replace(OFFICE, vacation_start=date(2025, 10, 1), vacation_end=date(2025, 10, 24)),
            "2025-10-27 09:00",
        ),
        (open_from("22h", "6h", vacation_start=date(2025, 10, 13), vacation_end=MONDAY), "2025-10-14 00:00"),
    ],
)
def test_a_schedule_changes_where_its_days_do(setting: Settings, change: str) -> None:
    assert next_change(setting, paris("2025-10-13 12:00")) == paris(change)


@pytest.mark.parametrize(
    "setting",
    [
        Settings(),
        Settings(window_start=time(9)),
        Settings(vacation_start=date(2025, 10, 1), vacation_end=date(2025, 9, 1)),
        Settings(vacation_start=date(2025, 10, 1), vacation_end=date.max),
        Settings(vacation_start=date(2026, 11, 18), vacation_end=date(2026, 11, 30)),
        Settings(absence_enabled=True, absence_days=ALL_SEVEN),
        Settings(absence_days=ALL_SEVEN),
        open_from("9h", "9h"),
    ],
)
def test_some_schedules_change_within_no_400_days(setting: Settings) -> None:
    assert next_change(setting, paris("2025-10-13 12:00")) is None


def test_the_form_says_what_it_does_in_a_sentence() -> None:
    assert said(OFFICE) == [
        "Webhooks leave Monday to Friday from 09h00 to 19h00, Paris time",
        "Closed now; opens in 38 min",
    ]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (Settings(), "Webhooks leave at any time"),
        (Settings(absence_days=WEEKEND), "Webhooks leave at any time"),
        (Settings(absence_enabled=True), "Webhooks leave at any time"),
        (open_from("9h", "19h30"), "Webhooks leave every day from 09h00 to 19h30, Paris time"),
        (
            open_from("9h", "19h", zone="America/New_York"),
            "Webhooks leave every day from 09h00 to 19h00, New York time",
        ),
        (
            replace(OFFICE, absence_days=frozenset({"tuesday", "wednesday"}), zone="UTC"),
            "Webhooks leave Thursday to Monday from 09h00 to 19h00, UTC time",
        ),
        (
            replace(OFFICE, absence_days=WEEKEND | {"wednesday"}),
            "Webhooks leave on Monday, Tuesday, Thursday, Friday, from 09h00 to 19h00, Paris time",
        ),
        (weekdays("monday", "tuesday"), "Webhooks leave on Monday, Tuesday, at any hour, Paris time"),
        (weekdays(*DAYS[1:]), "Webhooks leave Tuesday to Sunday, at any hour, Paris time"),
        (weekdays("sunday"), "Webhooks leave on Sunday, at any hour, Paris time"),
        (weekdays(), "Webhooks leave on no day: all seven are days of absence"),
        (
            replace(OFFICE, absence_days=ALL_SEVEN),
            "Webhooks leave on no day: all seven are days of absence",
        ),
    ],
)
def test_the_schedule_is_put_into_words(setting: Settings, sentence: str) -> None:
    assert said(setting)[0] == sentence


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        ("2025-10-13 07:29", "Closed now; opens 2025-10-13 09h00"),
        ("2025-10-13 07:30", "Closed now; opens in 90 min"),
        ("2025-10-13 08:59:01", "Closed now; opens in 1 min"),
        ("2025-10-13 09:00", "Open now, until 2025-10-13 19h00"),
        ("2025-10-13 18:55", "Open now; closes in 5 min"),
        ("2025-10-17 19:00", "Closed now; opens 2025-10-20 09h00"),
    ],
)
def test_it_is_said_when_it_opens_or_closes_next(now: str, sentence: str) -> None:
    assert said(OFFICE, now)[1] == sentence


def test_what_never_changes_is_said_so() -> None:
    assert said(Settings())[-1] == "Open now"
    assert said(open_from("9h", "9h"))[-1] == "Closed now, and it does not open within a year"


@pytest.mark.parametrize(
    ("start", "end", "known"),
    [
        ("2025-10-13", "2025-10-13", True),
        ("2025-10-01", "2025-10-13", True),
        ("2025-12-24", "2026-01-04", True),
        ("2025-10-01", "2025-10-12", False),
        ("2025-10-20", "2025-10-19", False),
    ],
)
def test_a_vacation_is_announced_until_it_is_over(*, start: str, end: str, known: bool) -> None:
    facts: dict[str, Any] = {
        "vacation_start": date.fromisoformat(start),
        "vacation_end": date.fromisoformat(end),
    }
    sentences = said(replace(OFFICE, **facts))
    assert (f"Vacation from {start} to {end}: nothing leaves" in sentences) is known
    assert len(sentences) == 2 + known
