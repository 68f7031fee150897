"""How often an endpoint is tried."""

from datetime import timedelta

from app.rules.rate import allowed
from tests.rules.cast import MONDAY


def test_an_attempt_counts_for_an_hour_and_that_hours_last_instant() -> None:
    events = [MONDAY - timedelta(minutes=60), MONDAY - timedelta(minutes=61), MONDAY]
    assert not allowed(events, 2, MONDAY)
    assert allowed(events, 3, MONDAY)
    assert allowed(events, 2, MONDAY + timedelta(seconds=1))


def test_no_limit_is_never_reached() -> None:
    assert allowed([MONDAY] * 1000, 0, MONDAY)
