"""A schedule as somebody wrote it: what is taken, what is refused, and where."""

from datetime import date
from typing import Any

import pytest

from app.rules.schedule_draft import read, zones
from app.rules.settings import DAYS
from app.rules.words import say

WRITTEN: dict[str, Any] = {
    "zone": "Europe/Paris",
    "window_start": "9h",
    "window_end": "19:30",
    "absence_enabled": True,
    "absence_days": ["sunday", "Saturday"],
    "vacation_start": "2026-12-24",
    "vacation_end": "2027-01-02",
    "polling_active": True,
    "polling_interval": "30",
    "polling_days": ["4", "0", "1"],
    "polling_start_hour": "8",
    "polling_end_hour": "20",
}
NOTHING: dict[str, Any] = {
    "window_start": "",
    "window_end": None,
    "absence_enabled": False,
    "absence_days": [],
    "vacation_start": "",
    "vacation_end": None,
}


def refused(**changes: Any) -> dict[str, str]:  # noqa: ANN401 - as somebody wrote it
    _, problems = read(WRITTEN | changes)
    return {name: say(reason) for name, reason in problems.items()}


def test_what_is_right_is_taken_as_the_settings_hold_it() -> None:
    assert read(WRITTEN) == (
        {
            "zone": "Europe/Paris",
            "window_start": "9h00",
            "window_end": "19:30",
            "absence_enabled": True,
            "absence_days": ["saturday", "sunday"],
            "vacation_start": date(2026, 12, 24),
            "vacation_end": date(2027, 1, 2),
            "polling_active": True,
            "polling_interval": 30,
            "polling_days": [0, 1, 4],
            "polling_start_hour": 8,
            "polling_end_hour": 20,
        },
        {},
    )


def test_all_of_it_can_be_cleared() -> None:
    values, problems = read(WRITTEN | NOTHING)
    assert not problems
    assert {name: values[name] for name in NOTHING} == {
        "window_start": "",
        "window_end": "",
        "absence_enabled": False,
        "absence_days": [],
        "vacation_start": None,
        "vacation_end": None,
    }


def test_days_stay_when_absence_is_switched_off() -> None:
    values, problems = read(WRITTEN | {"absence_enabled": False})
    assert (values["absence_days"], problems) == (["saturday", "sunday"], {})


@pytest.mark.parametrize(
    ("changes", "place", "says"),
    [
        ({"window_end": ""}, "window_end", "give both or none"),
        ({"window_start": " "}, "window_start", "give both or none"),
        ({"window_start": "25h"}, "window_start", "“25h” is not a time"),
        ({"window_end": "9.30"}, "window_end", "“9.30” is not a time"),
        ({"window_end": "09:00"}, "window_end", "nothing would ever leave"),
        ({"absence_days": []}, "absence_days", "at least one day"),
        ({"absence_days": ["lundi"]}, "absence_days", "“lundi” is no day"),
        ({"absence_days": [""]}, "absence_days", "A day of the week"),
        ({"absence_days": "monday"}, "absence_days", "A list"),
        ({"vacation_end": ""}, "vacation_end", "give both or none"),
        ({"vacation_start": ""}, "vacation_start", "give both or none"),
        ({"vacation_start": "24/12/2026"}, "vacation_start", "“24/12/2026” is not a date"),
        ({"vacation_end": "2026-12-23"}, "vacation_end", "before the first"),
        ({"polling_days": []}, "polling_days", "at least one day"),
        ({"polling_days": ["7"]}, "polling_days", "from 0 to 6"),
        ({"polling_start_hour": "25"}, "polling_start_hour", "from 0 to 24"),
        ({"polling_end_hour": "²"}, "polling_end_hour", "from 0 to 24"),
        ({"polling_end_hour": "8"}, "polling_end_hour", "must differ"),
        ({"polling_start_hour": "24", "polling_end_hour": "0"}, "polling_end_hour", "must differ"),
        ({"polling_interval": "4"}, "polling_interval", "from 5 to 3600"),
        ({"polling_interval": "3601"}, "polling_interval", "from 5 to 3600"),
        ({"polling_interval": "9" * 5000}, "polling_interval", "from 5 to 3600"),
        ({"zone": "Paris"}, "zone", "“Paris” is no time zone"),
        ({"zone": "../../etc/passwd"}, "zone", "is no time zone"),
        ({"zone": None}, "zone", "Choose a time zone"),
    ],
)
def test_a_mistake_is_named_where_it_was_made(changes: dict[str, Any], place: str, says: str) -> None:
    problems = refused(**changes)
    assert list(problems) == [place]
    assert says in problems[place]


def test_every_mistake_is_named_and_the_rest_is_read() -> None:
    values, problems = read(WRITTEN | {"window_start": "x", "vacation_end": "y"})
    assert set(problems) == {"window_start", "vacation_end"}
    assert set(values) == {
        *("zone", "absence_enabled", "absence_days", "polling_active", "polling_interval", "polling_days"),
        *("polling_start_hour", "polling_end_hour"),
    }


@pytest.mark.parametrize("typed", ["america/new_york", " America/New York "])
def test_a_zone_is_known_however_it_is_typed(typed: str) -> None:
    assert read(WRITTEN | {"zone": typed})[0]["zone"] == "America/New_York"


def test_zones_to_choose_from_can_be_chosen() -> None:
    assert {"Europe/Paris", "Australia/Lord_Howe"} <= set(zones())
    assert all(read(WRITTEN | {"zone": name})[0]["zone"] == name for name in zones())


def test_always_is_said_as_0_to_24() -> None:
    assert not refused(polling_start_hour=0, polling_end_hour=24, polling_days=list(range(7)))


def test_what_stands_already_may_look_more_often() -> None:
    assert read(WRITTEN | {"polling_interval": 2}, shortest=2)[0]["polling_interval"] == 2


def test_absence_may_take_all_seven_days() -> None:
    assert not refused(absence_days=list(DAYS))
