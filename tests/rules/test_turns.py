"""Work that goes at a pace, on a clock that may stop, jump or run back."""

from datetime import UTC, datetime, timedelta

import pytest

from app.rules.turns import CATCH_UP, gap, next_turn, turns

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("per_minute", "seconds"), [(1, 60), (60, 1), (600, 0.1), (0, 0)])
def test_the_turns_of_a_minute_are_evenly_spread(per_minute: int, seconds: float) -> None:
    assert gap(per_minute) == timedelta(seconds=seconds)


def test_the_first_goes_at_once_and_then_one_after_each_gap() -> None:
    for passed, due in ((-0.001, 0), (0, 1), (0.999, 1), (1, 2), (2.5, 3)):
        assert turns(NOON, SECOND, NOON + timedelta(seconds=passed), most=50) == due


def test_no_more_go_than_may_and_without_a_gap_so_many_at_once() -> None:
    assert turns(NOON, SECOND, NOON + timedelta(hours=1), most=50) == 50
    assert turns(NOON, gap(0), NOON, most=50) == 50


def test_a_plan_is_kept_while_it_is_not_upset() -> None:
    for at in (NOON - CATCH_UP, NOON, NOON + SECOND):
        assert next_turn(at, SECOND, NOON) == at


def test_after_a_stop_a_jump_or_another_pace_the_next_goes_now() -> None:
    for at in (None, NOON - CATCH_UP - SECOND, NOON + 2 * SECOND):
        assert next_turn(at, SECOND, NOON) == NOON
