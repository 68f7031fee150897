"""When a failed delivery is tried again."""

from datetime import timedelta

import pytest

from app.rules.outcome import SCHEDULE
from app.rules.retry import due_at
from tests.rules.cast import MONDAY


def wait(tries: int, random: float, retry_after: str | None = None) -> float:
    due = due_at(SCHEDULE, tries, now=MONDAY, random=random, retry_after=retry_after)
    assert due is not None
    return (due - MONDAY).total_seconds()


def test_a_delay_is_a_fifth_longer_or_shorter_at_most() -> None:
    assert (wait(0, 0), wait(0, 0.5), wait(0, 1)) == (4, 5, 6)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("7200", 7200),
        ("1000000000", 86400),
        ("Mon, 13 Oct 2025 12:10:00 GMT", 600),
        ("Mon, 13 Oct 2025 14:10:00 +0200", 600),
        ("Mon, 13 Oct 2025 12:10:00 -0000", 600),
        ("Wed, 15 Oct 2025 12:00:00 GMT", 86400),
    ],
)
def test_what_a_receiver_asks_for_is_obeyed_up_to_a_day(asked: str, seconds: float) -> None:
    assert wait(0, 0.5, asked) == seconds


@pytest.mark.parametrize("asked", ["0", "3", "Mon, 13 Oct 2025 11:00:00 GMT"])
def test_nobody_is_tried_sooner_than_our_own_delay(asked: str) -> None:
    assert wait(0, 0.5, asked) == 5


@pytest.mark.parametrize(
    "asked",
    [
        *(
            "",
            "-5",
            "1.5",
            "soon",
            "１２０",
            "9" * 11,
            "9" * 5000,
            "Mon, 99 Oct 2025",
            "13 Oct 99999 12:00 GMT",
        ),
        *("Mon, 13 Oct 2025 12:10:00 +9999999999", "1 Jan 0001 00:00:00 +2359", "\x00", ",", "Mon,"),
    ],
)
def test_nonsense_is_ignored(asked: str) -> None:
    assert wait(1, 0.5, asked) == 300


def test_the_last_delay_is_not_cut_to_a_day() -> None:
    assert wait(8, 1, "90000") == timedelta(hours=24).total_seconds() * 1.2
