"""More at once while answers are quick, less when they are not, and always at least one."""

from hypothesis import given
from hypothesis import strategies as st

from app.rules.pace import Pace, is_slow, learnt, quicker, slower

LIMIT = 16


def test_it_starts_with_two_and_grows_by_one_for_each_round_of_good_answers() -> None:
    pace = Pace()
    for _ in range(int(pace.now)):
        pace = quicker(pace, limit=LIMIT, busy=True)
    assert 2.8 < pace.now <= 3


def test_it_grows_up_to_the_limit_and_only_while_there_is_something_to_send() -> None:
    pace = Pace()
    for _ in range(500):
        pace = quicker(pace, limit=LIMIT, busy=True)
    assert pace.now == LIMIT
    assert quicker(Pace(), limit=LIMIT, busy=False) == Pace()


def test_it_is_halved_by_what_goes_badly_and_one_request_is_always_left() -> None:
    assert slower(Pace(12.0)).now == 6
    assert slower(slower(Pace(1.5))).now == 1


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
        pace = slower(pace) if event == "-" else quicker(pace, limit=limit, busy=True)
        assert 1 <= pace.now <= limit


@given(st.lists(st.floats(0, 60_000), min_size=1))
def test_what_is_usual_lies_between_the_quickest_and_the_slowest(answers: list[float]) -> None:
    pace = Pace()
    for took in answers:
        pace = learnt(pace, took)
    assert pace.usual is not None
    assert min(answers) - 1e-6 <= pace.usual <= max(answers) + 1e-6
