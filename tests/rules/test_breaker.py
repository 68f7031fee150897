"""A receiver that fails is left alone for a while; one that fails now and then is not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.breaker import GIVEN_UP_AFTER, LOOKED_AT, Try, gives_up, opens, pause

NOW = datetime(2026, 11, 16, 13, 0, tzinfo=UTC)


def tries(told: str) -> list[Try]:
    """Newest first, each by another delivery; `x` has failed."""
    return [Try(number, sign == "x") for number, sign in enumerate(told)]


@pytest.mark.parametrize(
    "told", ["xxxxx", "xxxxx..........", "xxx.xxx.xx", "xxxxxxx...", "x.xx.xxxx.xxx.xxxx.x"]
)
def test_a_receiver_that_fails_again_and_again_is_left_alone(told: str) -> None:
    assert opens(tries(told))


@pytest.mark.parametrize(
    "told", ["", "xxxx", "xxxx.", ".xxxxx", "xx.xx.xx.", ".xxxxxx...", "x" * 4 + "." * 16]
)
def test_one_that_fails_now_and_then_is_not(told: str) -> None:
    assert not opens(tries(told))


def test_one_mail_that_no_receiver_could_take_holds_no_other_back() -> None:
    assert not opens([Try(7, failed=True)] * LOOKED_AT)


@given(st.lists(st.builds(Try, st.integers(1, 5), st.booleans()), max_size=40))
def test_what_happened_long_ago_does_not_count(told: list[Try]) -> None:
    assert opens(told) == opens(told[:LOOKED_AT])


@given(st.lists(st.builds(Try, st.integers(1, 5), st.just(False)), max_size=40))  # noqa: FBT003
def test_success_never_opens_it(told: list[Try]) -> None:
    assert not opens(told)


def test_each_pause_is_twice_the_one_before_up_to_the_longest() -> None:
    pauses = [pause(opened, first=30, longest=600).total_seconds() for opened in range(1, 8)]
    assert pauses == [30, 60, 120, 240, 480, 600, 600]
    assert pause(10_000, first=30, longest=600) == timedelta(minutes=10)


def test_a_receiver_is_given_up_after_five_days_of_failures() -> None:
    since = NOW - GIVEN_UP_AFTER
    assert gives_up(since, 10, NOW)
    assert not gives_up(since, 9, NOW)
    assert not gives_up(since + timedelta(seconds=1), 10, NOW)
    assert not gives_up(None, 0, NOW)
