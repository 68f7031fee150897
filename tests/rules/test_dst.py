"""The window and its holds where the clocks change; worked out by hand, see `clocks`."""

from datetime import timedelta

import pytest

from app.rules.rule import Action
from tests.rules.cast import open_from
from tests.rules.clocks import LORD_HOWE, NEW_YORK, PARIS, SECOND, ask, sends, utc


@pytest.mark.parametrize(
    ("zone", "window", "opens", "closes"),
    [
        # Spring, the opening in the gap: it opens when the gap is over, and closes by the new offset.
        (PARIS, "2h30 5h", "2026-03-29T01:00", "2026-03-29T03:00"),
        (NEW_YORK, "2h30 5h", "2026-03-08T07:00", "2026-03-08T09:00"),
        (LORD_HOWE, "2h10 5h", "2026-10-03T15:30", "2026-10-03T18:00"),
        # Spring, the closing in the gap: it opened by the old offset, and closes when the gap begins.
        (PARIS, "1h 2h30", "2026-03-29T00:00", "2026-03-29T01:00"),
        (NEW_YORK, "1h 2h30", "2026-03-08T06:00", "2026-03-08T07:00"),
        (LORD_HOWE, "1h 2h20", "2026-10-03T14:30", "2026-10-03T15:30"),
        # Spring, the gap's own ends: 02:00 is in it and 03:00 (02:30) is not, so both are the same moment.
        (PARIS, "2h 4h", "2026-03-29T01:00", "2026-03-29T02:00"),
        (NEW_YORK, "2h 4h", "2026-03-08T07:00", "2026-03-08T08:00"),
        (LORD_HOWE, "2h30 4h", "2026-10-03T15:30", "2026-10-03T17:00"),
        # Spring, over the gap: 09:00 to 19:00 is ten hours as ever, 01:00 to 04:00 is shorter.
        (PARIS, "9h 19h", "2026-03-29T07:00", "2026-03-29T17:00"),
        (NEW_YORK, "1h 4h", "2026-03-08T06:00", "2026-03-08T08:00"),
        (LORD_HOWE, "1h 4h", "2026-10-03T14:30", "2026-10-03T17:00"),
        # Autumn, the repeated time exactly: both passes are inside, two hours (one hour) in one piece.
        (PARIS, "2h 3h", "2026-10-25T00:00", "2026-10-25T02:00"),
        (NEW_YORK, "1h 2h", "2026-11-01T05:00", "2026-11-01T07:00"),
        (LORD_HOWE, "1h30 2h", "2026-04-04T14:30", "2026-04-04T15:30"),
        # Autumn, over the repeated time: opened by the old offset, closed by the new one.
        (PARIS, "1h 4h", "2026-10-24T23:00", "2026-10-25T03:00"),
        (NEW_YORK, "0h 3h", "2026-11-01T04:00", "2026-11-01T08:00"),
        (LORD_HOWE, "1h 3h", "2026-04-04T14:00", "2026-04-04T16:30"),
        # A window that wraps midnight, over both changes: 22:00 on Saturday to 06:00 on Sunday.
        (PARIS, "22h 6h", "2026-03-28T21:00", "2026-03-29T04:00"),
        (PARIS, "22h 6h", "2026-10-24T20:00", "2026-10-25T05:00"),
        (NEW_YORK, "22h 6h", "2026-03-08T03:00", "2026-03-08T10:00"),
        (NEW_YORK, "22h 6h", "2026-11-01T02:00", "2026-11-01T11:00"),
        (LORD_HOWE, "22h 6h", "2026-10-03T11:30", "2026-10-03T19:00"),
        (LORD_HOWE, "22h 6h", "2026-04-04T11:00", "2026-04-04T19:30"),
        # The same, closing in the gap.
        (PARIS, "22h 2h30", "2026-03-28T21:00", "2026-03-29T01:00"),
        (NEW_YORK, "22h 2h30", "2026-03-08T03:00", "2026-03-08T07:00"),
        (LORD_HOWE, "22h 2h20", "2026-10-03T11:30", "2026-10-03T15:30"),
    ],
)
def test_a_window_opens_and_closes_at_its_bounds(zone: str, window: str, opens: str, closes: str) -> None:
    setting, start, end = open_from(*window.split(), zone=zone), utc(opens), utc(closes)
    minutes = int((end - start) / timedelta(minutes=1))
    assert not sends(setting, start - SECOND)
    assert all(sends(setting, start + timedelta(minutes=number)) for number in range(minutes))
    assert sends(setting, end - SECOND)
    assert not sends(setting, end)


@pytest.mark.parametrize(
    ("zone", "window", "opens", "closes", "again", "ends"),
    [
        # The opening is passed twice: before it is before it, also the second time.
        (PARIS, "2h30 5h", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T04:00"),
        (NEW_YORK, "1h30 5h", "2026-11-01T05:30", "2026-11-01T06:00", "2026-11-01T06:30", "2026-11-01T10:00"),
        (
            LORD_HOWE,
            "1h45 5h",
            "2026-04-04T14:45",
            "2026-04-04T15:00",
            "2026-04-04T15:15",
            "2026-04-04T18:30",
        ),
        # The closing is passed twice: what is on the wall before it is inside, also the second time.
        (PARIS, "1h 2h30", "2026-10-24T23:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"),
        (NEW_YORK, "0h 1h30", "2026-11-01T04:00", "2026-11-01T05:30", "2026-11-01T06:00", "2026-11-01T06:30"),
        (
            LORD_HOWE,
            "1h 1h45",
            "2026-04-04T14:00",
            "2026-04-04T14:45",
            "2026-04-04T15:00",
            "2026-04-04T15:15",
        ),
        # The same for a window that wraps midnight.
        (PARIS, "22h 2h30", "2026-10-24T20:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"),
        (
            NEW_YORK,
            "22h 1h30",
            "2026-11-01T02:00",
            "2026-11-01T05:30",
            "2026-11-01T06:00",
            "2026-11-01T06:30",
        ),
        (
            LORD_HOWE,
            "22h 1h45",
            "2026-04-04T11:00",
            "2026-04-04T14:45",
            "2026-04-04T15:00",
            "2026-04-04T15:15",
        ),
    ],
)
def test_a_bound_in_the_repeated_time_is_passed_twice(
    *, zone: str, window: str, opens: str, closes: str, again: str, ends: str
) -> None:
    setting = open_from(*window.split(), zone=zone)
    for start, end in ((opens, closes), (again, ends)):
        assert not sends(setting, utc(start) - SECOND)
        assert sends(setting, utc(start))
        assert sends(setting, utc(end) - SECOND)
        assert not sends(setting, utc(end))
    assert ask(setting, utc(closes)).release_at == utc(again)


@pytest.mark.parametrize(
    ("zone", "window", "at"),
    [
        (PARIS, "2h10 2h40", "2026-03-29T01:00"),
        (NEW_YORK, "2h 2h59", "2026-03-08T07:00"),
        (LORD_HOWE, "2h 2h30", "2026-10-03T15:30"),
    ],
)
def test_a_window_within_the_gap_does_not_open_that_day(zone: str, window: str, at: str) -> None:
    setting = open_from(*window.split(), zone=zone)
    assert not any(sends(setting, utc(at) + SECOND * seconds) for seconds in (-1, 0, 1, 59, 60, 3599, 3600))


@pytest.mark.parametrize(
    ("zone", "window", "held", "released"),
    [
        # Held on Saturday 20:00 by the old offset, let go on Sunday 09:00 by the new one.
        (PARIS, "9h 19h", "2026-03-28T19:00", "2026-03-29T07:00"),
        (PARIS, "9h 19h", "2026-10-24T18:00", "2026-10-25T08:00"),
        (NEW_YORK, "9h 19h", "2026-03-08T01:00", "2026-03-08T13:00"),
        (NEW_YORK, "9h 19h", "2026-11-01T00:00", "2026-11-01T14:00"),
        (LORD_HOWE, "9h 19h", "2026-10-03T09:30", "2026-10-03T22:00"),
        (LORD_HOWE, "9h 19h", "2026-04-04T09:00", "2026-04-04T22:30"),
        # Held on Saturday noon until an opening in the gap: when the gap is over.
        (PARIS, "2h30 5h", "2026-03-28T11:00", "2026-03-29T01:00"),
        (NEW_YORK, "2h30 5h", "2026-03-07T17:00", "2026-03-08T07:00"),
        (LORD_HOWE, "2h10 5h", "2026-10-03T01:30", "2026-10-03T15:30"),
        # The gap swallows the whole window: Monday's is the next, by the new offset.
        (PARIS, "2h10 2h40", "2026-03-28T11:00", "2026-03-30T00:10"),
        (NEW_YORK, "2h10 2h40", "2026-03-07T17:00", "2026-03-09T06:10"),
        (LORD_HOWE, "2h05 2h25", "2026-10-03T01:30", "2026-10-04T15:05"),
        # Closed by the gap; open again at 22:00 of the same day, by the new offset.
        (PARIS, "22h 2h30", "2026-03-29T01:00", "2026-03-29T20:00"),
        (NEW_YORK, "22h 2h30", "2026-03-08T07:00", "2026-03-09T02:00"),
        (LORD_HOWE, "22h 2h20", "2026-10-03T15:30", "2026-10-04T11:00"),
        # Held on Saturday noon until an opening that comes twice: the first.
        (PARIS, "2h30 5h", "2026-10-24T10:00", "2026-10-25T00:30"),
        (NEW_YORK, "1h30 5h", "2026-10-31T16:00", "2026-11-01T05:30"),
        (LORD_HOWE, "1h45 5h", "2026-04-04T01:00", "2026-04-04T14:45"),
        # Held between the two openings (02:10, 01:10, 01:35 for the second time): the second.
        (PARIS, "2h30 5h", "2026-10-25T01:10", "2026-10-25T01:30"),
        (NEW_YORK, "1h30 5h", "2026-11-01T06:10", "2026-11-01T06:30"),
        (LORD_HOWE, "1h45 5h", "2026-04-04T15:05", "2026-04-04T15:15"),
        # Held after the first closing (02:40, 01:40, 01:50): the clocks go back to before it.
        (PARIS, "1h 2h30", "2026-10-25T00:40", "2026-10-25T01:00"),
        (NEW_YORK, "22h 1h30", "2026-11-01T05:40", "2026-11-01T06:00"),
        (LORD_HOWE, "22h 1h45", "2026-04-04T14:50", "2026-04-04T15:00"),
        # Held at the second closing: the next regular opening, by the new offset.
        (PARIS, "1h 2h30", "2026-10-25T01:30", "2026-10-26T00:00"),
        (NEW_YORK, "22h 1h30", "2026-11-01T06:30", "2026-11-02T03:00"),
        (LORD_HOWE, "22h 1h45", "2026-04-04T15:15", "2026-04-05T11:30"),
    ],
)
def test_a_hold_ends_at_the_next_opening(zone: str, window: str, held: str, released: str) -> None:
    gate = ask(open_from(*window.split(), zone=zone), utc(held))
    assert (gate.action, gate.release_at) == (Action.HOLD, utc(released))
