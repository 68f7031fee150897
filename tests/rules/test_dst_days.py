"""Absence, expiry and calendar on the days on which the clocks change; worked out by hand, see `clocks`."""

from datetime import date, timedelta

import pytest

from app.rules.calendar import Span, Why, days, next_change
from app.rules.rule import Action
from app.rules.settings import Settings
from tests.rules.cast import open_from
from tests.rules.clocks import HAVANA, LORD_HOWE, NEW_YORK, PARIS, SECOND, ask, sends, utc

# Where, the Sunday of the change, its midnight and the next one.
SUNDAYS = {
    "Paris, spring": (PARIS, "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
    "Paris, autumn": (PARIS, "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
    "New York, spring": (NEW_YORK, "2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00"),
    "New York, autumn": (NEW_YORK, "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00"),
    "Lord Howe, spring": (LORD_HOWE, "2026-10-04", "2026-10-03T13:30", "2026-10-04T13:00"),
    "Lord Howe, autumn": (LORD_HOWE, "2026-04-05", "2026-04-04T13:00", "2026-04-05T13:30"),
    # A day without midnight begins at 01:00 -04; one with two of them begins with the first.
    "Havana, spring": (HAVANA, "2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00"),
    "Havana, autumn": (HAVANA, "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00"),
}
EACH = pytest.mark.parametrize(("zone", "day", "begins", "ends"), SUNDAYS.values(), ids=SUNDAYS)


@EACH
def test_an_absence_lasts_from_midnight_to_midnight(zone: str, day: str, begins: str, ends: str) -> None:
    setting = Settings(zone=zone, absence_enabled=True, absence_days=frozenset({"sunday"}))
    assert date.fromisoformat(day).strftime("%A") == "Sunday"
    assert sends(setting, utc(begins) - SECOND)
    for at in (utc(begins), utc(begins) + timedelta(hours=2, minutes=30), utc(ends) - SECOND):
        gate = ask(setting, at)
        assert (gate.reason.code, gate.action, gate.release_at) == ("absence_day", Action.HOLD, utc(ends))
    assert sends(setting, utc(ends))


@EACH
def test_the_day_between_two_absences_is_free_from_midnight_to_midnight(
    zone: str, day: str, begins: str, ends: str
) -> None:
    setting = Settings(zone=zone, absence_enabled=True, absence_days=frozenset({"saturday", "monday"}))
    assert ask(setting, utc(begins) - SECOND).release_at == utc(begins)
    assert sends(setting, utc(begins))
    assert sends(setting, utc(ends) - SECOND)
    assert ask(setting, utc(ends)).reason.facts["day"] == "monday"
    assert [one.why for one in days(setting, date.fromisoformat(day), 2)] == [Why.OPEN, Why.ABSENCE]


@EACH
def test_a_vacation_lasts_from_midnight_to_midnight(zone: str, day: str, begins: str, ends: str) -> None:
    away = date.fromisoformat(day)
    setting = Settings(zone=zone, vacation_start=away, vacation_end=away)
    assert sends(setting, utc(begins) - SECOND)
    assert ask(setting, utc(begins)).release_at == ask(setting, utc(ends) - SECOND).release_at == utc(ends)
    assert sends(setting, utc(ends))


@EACH
def test_an_offer_expires_when_its_day_ends(zone: str, day: str, begins: str, ends: str) -> None:
    """Whenever it came: before the change, after it, or in one of the two passes of the repeated time."""
    setting = Settings(zone=zone, vacation_start=date.fromisoformat(day), vacation_end=date(2027, 1, 1))
    for hours in (0, 1.75, 2.25, 3.5, 22):
        arrived = utc(begins) + timedelta(hours=hours)
        assert ask(setting, utc(ends) - SECOND, arrived=arrived).action is Action.HOLD
        late = ask(setting, utc(ends), arrived=arrived)
        assert (late.action, late.reason.code, late.expires_at) == (Action.DROP, "hold_expired", utc(ends))
    assert ask(setting, utc(begins), arrived=utc(begins) - SECOND).reason.code == "hold_expired"


@pytest.mark.parametrize(
    ("name", "minutes"),
    [
        ("Paris, spring", 1380),
        ("Paris, autumn", 1500),
        ("New York, spring", 1380),
        ("New York, autumn", 1500),
        ("Lord Howe, spring", 1410),
        ("Lord Howe, autumn", 1470),
        ("Havana, spring", 1380),
        ("Havana, autumn", 1500),
    ],
)
def test_the_calendar_shows_a_day_as_long_as_it_is(name: str, minutes: int) -> None:
    zone, day, begins, ends = SUNDAYS[name]
    (sunday,) = days(Settings(zone=zone), date.fromisoformat(day), 1)
    assert sunday.spans == (Span(utc(begins), utc(ends)),)
    assert utc(ends) - utc(begins) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("name", "window", "changes"),
    [
        # The opening in the gap, the closing in the gap, the whole window in it.
        ("Paris, spring", "2h30 5h", ["2026-03-29T01:00", "2026-03-29T03:00"]),
        ("Paris, spring", "1h 2h30", ["2026-03-29T00:00", "2026-03-29T01:00"]),
        ("Paris, spring", "2h10 2h40", []),
        ("New York, spring", "2h30 5h", ["2026-03-08T07:00", "2026-03-08T09:00"]),
        ("New York, spring", "1h 2h30", ["2026-03-08T06:00", "2026-03-08T07:00"]),
        ("New York, spring", "2h10 2h40", []),
        ("Lord Howe, spring", "2h10 5h", ["2026-10-03T15:30", "2026-10-03T18:00"]),
        ("Lord Howe, spring", "1h 2h20", ["2026-10-03T14:30", "2026-10-03T15:30"]),
        ("Lord Howe, spring", "2h 2h30", []),
        # 00:30 on the wall is in Havana's gap: the window opens with the day, at 01:00.
        ("Havana, spring", "0h30 2h", ["2026-03-08T05:00", "2026-03-08T06:00"]),
        # An ordinary window, over the change or after it.
        ("Paris, spring", "1h 9h", ["2026-03-29T00:00", "2026-03-29T07:00"]),
        ("Paris, autumn", "9h 19h", ["2026-10-25T08:00", "2026-10-25T18:00"]),
        ("New York, autumn", "9h 19h", ["2026-11-01T14:00", "2026-11-02T00:00"]),
        ("Lord Howe, autumn", "9h 19h", ["2026-04-04T22:30", "2026-04-05T08:30"]),
        # Both passes of the repeated time; then a bound within it, which is passed twice.
        ("Paris, autumn", "2h 3h", ["2026-10-25T00:00", "2026-10-25T02:00"]),
        ("Paris, autumn", "2h30 5h", [f"2026-10-25T{at}" for at in ("00:30", "01:00", "01:30", "04:00")]),
        ("New York, autumn", "1h 2h", ["2026-11-01T05:00", "2026-11-01T07:00"]),
        (
            "New York, autumn",
            "0h30 1h30",
            [f"2026-11-01T{at}" for at in ("04:30", "05:30", "06:00", "06:30")],
        ),
        ("Lord Howe, autumn", "1h30 2h", ["2026-04-04T14:30", "2026-04-04T15:30"]),
        ("Lord Howe, autumn", "1h45 5h", [f"2026-04-04T{at}" for at in ("14:45", "15:00", "15:15", "18:30")]),
    ],
)
def test_the_calendar_opens_and_closes_with_the_window(name: str, window: str, changes: list[str]) -> None:
    zone, day, begins, ends = SUNDAYS[name]
    setting = open_from(*window.split(), zone=zone)
    (sunday,) = days(setting, date.fromisoformat(day), 1)
    assert [at for span in sunday.spans for at in (span.start, span.end)] == [utc(at) for at in changes]
    assert sunday.why is (Why.OPEN if changes else Why.NO_WINDOW)

    met = [next_change(setting, utc(begins) - SECOND)]
    while (last := met[-1]) is not None and last < utc(ends):
        met.append(next_change(setting, last))
    assert met[:-1] == [utc(at) for at in changes]


@pytest.mark.parametrize(
    ("name", "window", "opened", "closes", "opens"),
    [
        # Opened on Saturday at 22:00 by the old offset; 06:00, or 02:30 in the gap, and 22:00 by the new one.
        ("Paris, spring", "22h 6h", "2026-03-28T21:00", "2026-03-29T04:00", "2026-03-29T20:00"),
        ("Paris, spring", "22h 2h30", "2026-03-28T21:00", "2026-03-29T01:00", "2026-03-29T20:00"),
        ("Paris, autumn", "22h 6h", "2026-10-24T20:00", "2026-10-25T05:00", "2026-10-25T21:00"),
        ("New York, spring", "22h 6h", "2026-03-08T03:00", "2026-03-08T10:00", "2026-03-09T02:00"),
        ("New York, spring", "22h 2h30", "2026-03-08T03:00", "2026-03-08T07:00", "2026-03-09T02:00"),
        ("New York, autumn", "22h 6h", "2026-11-01T02:00", "2026-11-01T11:00", "2026-11-02T03:00"),
        ("Lord Howe, spring", "22h 6h", "2026-10-03T11:30", "2026-10-03T19:00", "2026-10-04T11:00"),
        ("Lord Howe, spring", "22h 2h20", "2026-10-03T11:30", "2026-10-03T15:30", "2026-10-04T11:00"),
        ("Lord Howe, autumn", "22h 6h", "2026-04-04T11:00", "2026-04-04T19:30", "2026-04-05T11:30"),
    ],
)
def test_a_night_window_is_two_spans_of_the_day(
    *, name: str, window: str, opened: str, closes: str, opens: str
) -> None:
    zone, day, begins, ends = SUNDAYS[name]
    setting = open_from(*window.split(), zone=zone)
    (sunday,) = days(setting, date.fromisoformat(day), 1)
    assert sunday.spans == (Span(utc(begins), utc(closes)), Span(utc(opens), utc(ends)))
    assert next_change(setting, utc(opened) - SECOND) == utc(opened)
    assert next_change(setting, utc(opened)) == utc(closes)
    assert next_change(setting, utc(closes)) == utc(opens)
