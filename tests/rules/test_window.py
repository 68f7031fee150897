"""The daily window and how its bounds are written."""

from datetime import time

import pytest

from app.rules.window import Position, Window, as_shown, clock_text, parse_time

DAY = Window(time(9), time(19))
NIGHT = Window(time(22), time(6))


@pytest.mark.parametrize(
    ("window", "clock", "position"),
    [
        (DAY, time(8, 59, 59), Position.BEFORE),
        (DAY, time(9), Position.INSIDE),
        (DAY, time(18, 59, 59), Position.INSIDE),
        (DAY, time(19), Position.AFTER),
        (NIGHT, time(21, 59), Position.BEFORE),
        (NIGHT, time(22), Position.INSIDE),
        (NIGHT, time(0), Position.INSIDE),
        (NIGHT, time(5, 59), Position.INSIDE),
        (NIGHT, time(6), Position.BEFORE),
        (Window(time(9), time(9)), time(8), Position.BEFORE),
        (Window(time(9), time(9)), time(9), Position.AFTER),
    ],
)
def test_a_window_is_half_open_and_may_wrap_midnight(window: Window, clock: time, position: Position) -> None:
    assert window.position(clock) is position


@pytest.mark.parametrize(
    ("text", "shown", "clock"),
    [
        ("9h", "9h00", time(9)),
        (" 9h ", "9h00", time(9)),
        ("9H", "9H00", time(9)),
        ("9h05", "9h05", time(9, 5)),
        ("09:30", "09:30", time(9, 30)),
        ("23h59", "23h59", time(23, 59)),
        ("0h00", "0h00", time(0)),
    ],
)
def test_a_bound_is_repeated_as_typed(text: str, shown: str, clock: time) -> None:
    assert (as_shown(text), parse_time(text), parse_time(shown)) == (shown, clock, clock)


@pytest.mark.parametrize(
    "text", [None, "", "9", "9:", "9h5", "24h00", "12h60", "9h30m", "h30", "-1h", "９h30", "9.30"]
)
def test_anything_else_is_no_bound(text: str | None) -> None:
    assert parse_time(text) is None


def test_a_clock_is_written_with_an_h() -> None:
    assert clock_text(time(9, 5)) == "09h05"
