"""When mails to operators go, and what they say."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models import NoticeKind
from app.rules.notices import (
    COMPANY,
    GAP,
    LONGEST_SUBJECT,
    Letter,
    Line,
    Past,
    compose,
    due_at,
    is_outage,
    told,
)

NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
GONE = {"code": "gone", "facts": {"status": 410}}
PARKED = Line(NOON, told("endpoint_parked", "studio", GONE))


def after(**span: float) -> datetime:
    return NOON + timedelta(**span)


def written(*lines: Line, more: int = 0) -> Letter:
    return compose(lines, more, url="https://signal.example.org", zone=PARIS)


@pytest.mark.parametrize(
    ("past", "due"),
    [
        pytest.param(Past(), after(minutes=1), id="waits for company"),
        pytest.param(Past(sent_at=after(minutes=-5)), after(minutes=10), id="not twice in a quarter"),
        pytest.param(Past(sent_at=after(minutes=-50)), after(minutes=1), id="the last was long ago"),
        pytest.param(Past(None, after(seconds=-1), 1), after(minutes=1), id="after a failure"),
        pytest.param(Past(None, after(seconds=-1), 4), after(seconds=479), id="after four"),
        pytest.param(Past(None, after(minutes=-1), 99), after(minutes=59), id="an hour at most"),
        pytest.param(Past(after(days=9), after(days=9), 3), after(minutes=1), id="a clock set back"),
    ],
)
def test_the_next_mail_has_its_time(past: Past, due: datetime) -> None:
    assert due_at(NOON, past, NOON) == due


def test_a_notice_of_tomorrow_waits_for_a_minute_like_any_other() -> None:
    assert due_at(after(days=1), Past(), NOON) == NOON + COMPANY


@pytest.mark.parametrize(
    ("past", "due"),
    [
        pytest.param(Past(), NOON, id="at once"),
        pytest.param(Past(sent_at=after(minutes=-1)), NOON, id="whenever the last was sent"),
        pytest.param(Past(None, after(seconds=-3), 5), after(seconds=7), id="but ten seconds apart"),
        pytest.param(Past(None, after(days=9), 5), NOON, id="a clock set back"),
    ],
)
def test_a_mail_that_somebody_asks_for_goes(past: Past, due: datetime) -> None:
    assert due_at(NOON, past, NOON, asked=NOON) == due


def test_one_that_was_asked_for_and_failed_is_tried_again_as_any_other() -> None:
    past = Past(None, after(seconds=1), 1)
    assert due_at(NOON, past, after(seconds=2), asked=NOON) == after(seconds=61)


@given(st.lists(st.integers(0, 3600), min_size=1, max_size=40))
def test_whatever_happens_mails_are_a_quarter_of_an_hour_apart(seconds: list[int]) -> None:
    """Notices at these moments, and somebody who looks each second."""
    notices, sent = sorted(after(seconds=one) for one in seconds), list[datetime]()
    while notices:
        now = due_at(notices[0], Past(sent[-1] if sent else None), max([notices[0], *sent]))
        sent.append(now)
        notices = [one for one in notices if one > now]
    assert all(later - earlier >= GAP for earlier, later in pairwise(sent))


@pytest.mark.parametrize(
    ("code", "minutes", "outage"),
    [
        ("auth_failed", 0, True),
        ("secret_unreadable", 0, True),
        ("timed_out", 0, False),
        ("timed_out", 9.9, False),
        ("timed_out", 10, True),
        ("folder_missing", 9, False),
        ("timed_out", -1, True),  # a clock was set back: nobody knows for how long
    ],
)
def test_a_mailbox_that_fails_is_told_when_it_matters(code: str, minutes: float, outage: bool) -> None:  # noqa: FBT001
    assert is_outage(code, since=NOON, now=after(minutes=minutes)) is outage


def test_a_single_notice_is_the_subject() -> None:
    assert written(PARKED).subject.startswith("Signal Server: The receiver “studio” is parked: ")
    assert len(written(PARKED).subject) <= LONGEST_SUBJECT


def test_of_several_the_worst_is_the_subject() -> None:
    well = Line(NOON, told("endpoint_recovered", "archive", GONE))
    assert written(well, PARKED).subject == "Signal Server: receiver “studio” is parked, and 1 more"


@pytest.mark.parametrize("kind", NoticeKind)
def test_whatever_a_mail_tells_of_its_subject_can_name_it(kind: NoticeKind) -> None:
    line = Line(NOON, told(kind.value, "studio", GONE))
    assert written(line, line).subject.endswith(", and 1 more")


def test_several_are_counted_and_stand_in_lines_of_the_operators_time() -> None:
    letter = written(PARKED, PARKED, more=7)
    assert letter.subject == "Signal Server: receiver “studio” is parked, and 8 more"
    first, second, rest, empty, end, _ = letter.text.split("\n")
    assert first == second
    assert first == (
        "2026-11-16 13h00  The receiver “studio” is parked: it answered that it is gone for good (status 410)"
    )
    assert (rest, empty, end) == ("and 7 more", "", "All of it: https://signal.example.org")


def test_a_name_makes_neither_a_line_nor_a_header() -> None:
    letter = written(
        Line(NOON, told("mailbox_recovered", "a\r\nBcc: eve@example.org\u2028b\x00\ud800", GONE))
    )
    assert letter.subject == "Signal Server: The mailbox “a Bcc: eve@example.org b ” is read again"
    assert len(letter.text.splitlines()) == 3


def test_a_name_with_braces_is_a_name() -> None:
    assert "“{name} {0}”" in written(Line(NOON, told("endpoint_parked", "{name} {0}", GONE))).text
