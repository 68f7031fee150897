"""More at once while answers are quick, less when they are not, and always at least one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.pace import Pace, after, is_slow, learnt, quicker, slower

LIMIT = 16


def test_it_starts_with_two_and_grows_by_one_for_each_round_of_good_answers() -> None:
    pace = Pace()
    for _ in range(int(pace.at_once)):
        pace = quicker(pace, limit=LIMIT)
    assert 2.8 < pace.at_once <= 3


def test_it_grows_up_to_the_limit_and_only_while_there_is_something_to_send() -> None:
    pace = Pace()
    for _ in range(500):
        pace = quicker(pace, limit=LIMIT)
    assert pace.at_once == LIMIT
    assert after(Pace(), 10, well=True, limit=LIMIT, busy=False, may_slow=True).at_once == Pace().at_once


def test_it_is_halved_by_what_goes_badly_and_one_request_is_always_left() -> None:
    assert slower(Pace(12.0)).at_once == 6
    assert slower(slower(Pace(1.5))).at_once == 1


@pytest.mark.parametrize(
    ("took", "well", "may_slow", "at_once"),
    [
        (10, True, True, 4.25),
        (10, True, False, 4.25),
        (None, False, True, 2),  # a failure without an answer
        (10, False, True, 2),
        (900, True, True, 2),  # slow
        (900, True, False, 4),  # it was under way with one that was slow
        (None, True, True, 4),  # an error of ours
    ],
)
def test_each_answer_changes_the_pace_once(
    took: float | None,
    well: bool,  # noqa: FBT001
    may_slow: bool,  # noqa: FBT001
    at_once: float,
) -> None:
    pace = after(Pace(4, usual=10), took, well=well, limit=LIMIT, busy=True, may_slow=may_slow)
    assert pace.at_once == at_once


def test_slow_is_what_takes_much_longer_than_usual() -> None:
    assert not is_slow(Pace(), 60_000)  # nothing is known yet
    assert not is_slow(Pace(usual=10), 150)
    assert is_slow(Pace(usual=10), 250)
    assert not is_slow(Pace(usual=1000), 1900)
    assert is_slow(Pace(usual=1000), 2100)


def test_a_receiver_that_has_become_slow_for_good_is_not_blamed_for_ever() -> None:
    pace = Pace(usual=100)
    for _ in range(100):
        pace = learnt(pace, 1000)
    assert not is_slow(pace, 1000)


@given(st.lists(st.sampled_from("+-"), max_size=80), st.integers(1, 64))
def test_whatever_happens_it_stays_between_one_and_the_limit(events: list[str], limit: int) -> None:
    pace = Pace(min(2.0, limit))
    for event in events:
        pace = slower(pace) if event == "-" else quicker(pace, limit=limit)
        assert 1 <= pace.at_once <= limit


@given(st.lists(st.floats(0, 60_000), min_size=1))
def test_what_is_usual_lies_between_the_quickest_and_the_slowest(answers: list[float]) -> None:
    pace = Pace()
    for took in answers:
        pace = learnt(pace, took)
    assert pace.usual is not None
    assert min(answers) - 1e-6 <= pace.usual <= max(answers) + 1e-6
