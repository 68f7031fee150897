"""What holds of windows, holds, calendars, polling hours and delays, whatever they are set to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules import polling
from app.rules.backoff import FETCH_TRIES, LONGEST, backoff, fetch_wait
from app.rules.calendar import Span, Why, days, is_open, next_change
from app.rules.moments import end_of_day
from app.rules.outcome import SCHEDULE
from app.rules.retry import due_at
from app.rules.rule import Action, Policy
from app.rules.settings import DAYS, Settings
from app.rules.window import Position, Window, as_shown, clock_text, parse_time
from tests.rules.cast import LINKS, MONDAY
from tests.rules.clocks import ask

# By half an hour, at or before midnight, around every Ramadan, and never.
ZONES = (
    *("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "America/Havana"),
    *("Asia/Beirut", "America/Nuuk", "Atlantic/Azores", "Africa/Casablanca", "Asia/Kolkata", "UTC"),
)
MINUTE, QUARTER, DAY = (timedelta(minutes=minutes) for minutes in (1, 15, 1440))
AT_ALL = replace(
    LINKS, policy=Policy(**dict.fromkeys(("before", "after", "absence", "vacation"), Action.DROP))
)

few = settings(deadline=None, max_examples=40)
many = settings(deadline=None, max_examples=150)


def at_minute(minute: int) -> time:
    return time(*divmod(minute, 60))


def minute_of(clock: time) -> int:
    return clock.hour * 60 + clock.minute


clocks = st.integers(0, 24 * 60 - 1).map(at_minute)
random = st.floats(0, 1)


@cache
def changes(zone: ZoneInfo) -> list[datetime]:
    """The moments of 2026 at which the clocks of a zone change; a noon in June where they never do."""
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + 2 * QUARTER * number for number in range(365 * 48)]
    offsets = [at.astimezone(zone).utcoffset() for at in moments]
    found = [at for at, (one, other) in zip(moments[1:], pairwise(offsets), strict=True) if one != other]
    return found or [datetime(2026, 6, 1, 12, tzinfo=UTC)]


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Settings, datetime]:
    """What an operator may have set, and a moment: mostly near a change of the clocks, also on the wall."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    change = draw(st.sampled_from(changes(zone)))
    wall = (change - QUARTER).astimezone(zone).replace(tzinfo=None)
    near = st.integers(-4, 9).map(lambda quarters: (wall + QUARTER * quarters).time())
    bounds = st.one_of(near, near, clocks, st.none())
    away = change.astimezone(zone).date() + DAY * draw(st.integers(-3, 3))
    setting = Settings(
        zone=zone.key,
        window_start=draw(bounds),
        window_end=draw(bounds),
        absence_enabled=draw(st.booleans()),
        absence_days=draw(st.frozensets(st.sampled_from(DAYS), max_size=5)),
        vacation_start=draw(st.sampled_from([None, None, away])),
        vacation_end=away + DAY * draw(st.integers(-1, 4)),
    )
    return setting, change + MINUTE * draw(st.one_of(st.integers(-90, 90), st.integers(-2000, 2000)))


def today(setting: Settings, now: datetime) -> date:
    return now.astimezone(setting.clock).date()


def whole_days(setting: Settings, first: date, count: int) -> list[Span]:
    """The same days where nothing ever closes: each is one span, of whole minutes."""
    shown = days(Settings(zone=setting.zone), first, count)
    assert all((span.end - span.start) % MINUTE == timedelta(0) for day in shown for span in day.spans)
    return [span for (span,) in (day.spans for day in shown)]


def lets_go(setting: Settings, policy: Policy, at: datetime) -> bool:
    """Decisions D12 to D14 in other words than the code's: minutes on the wall, counted from the opening."""
    local = at.astimezone(setting.clock)
    if setting.absence_enabled and local.strftime("%A").lower() in setting.absence_days:
        return False
    if setting.vacation_start and setting.vacation_end:
        gone, back = setting.vacation_start, setting.vacation_end + DAY
        if gone <= local.date() < back:
            return False
    if setting.window_start is None or setting.window_end is None:
        return True
    opens, closes, now = map(minute_of, (setting.window_start, setting.window_end, local.time()))
    if (now - opens) % 1440 < (closes - opens) % 1440:
        return True
    early = now < opens
    return (policy.before if early else policy.after) is Action.SEND


def first(start: datetime, end: datetime, holds: Callable[[datetime], bool]) -> datetime | None:
    """The first whole minute after `start`, until `end`, at which it is so."""
    at = start + MINUTE
    while at <= end and not holds(at):
        at += MINUTE
    return at if at <= end else None


@many
@given(clocks, clocks)
def test_a_window_divides_the_day_and_is_half_open(start: time, end: time) -> None:
    window = Window(start, end)
    seen = [window.position(at_minute(minute)) for minute in range(1440)]
    assert seen.count(Position.INSIDE) == (minute_of(end) - minute_of(start)) % 1440
    assert (window.position(start) is Position.INSIDE) is (start != end)
    assert window.position(end) is not Position.INSIDE
    last_moments = [at_minute(minute).replace(second=59, microsecond=999999) for minute in range(1440)]
    assert [window.position(clock) for clock in last_moments] == seen
    if start <= end:
        assert seen == sorted(seen, key=(Position.BEFORE, Position.INSIDE, Position.AFTER).index)
    else:
        assert Position.AFTER not in seen


@many
@given(clocks, st.text("0123456789hH: ", max_size=6))
def test_a_bound_is_read_as_it_is_written(clock: time, text: str) -> None:
    assert parse_time(clock_text(clock)) == parse_time(f" {clock:%H:%M}") == clock
    assert parse_time(as_shown(text)) == parse_time(text)


@few
@given(schedules(), st.builds(Policy, before=st.sampled_from(Action), after=st.sampled_from(Action)))
def test_a_hold_ends_at_the_first_minute_that_lets_it_go(
    schedule: tuple[Settings, datetime], policy: Policy
) -> None:
    setting, now = schedule
    gate = ask(setting, now, rule=replace(LINKS, policy=policy))
    assert (gate.action is Action.SEND) is lets_go(setting, policy, now)
    if gate.action is Action.HOLD:
        end = gate.release_at or now + 25 * DAY
        assert gate.release_at == first(now, end, lambda at: lets_go(setting, policy, at))


@few
@given(schedules())
def test_the_calendar_shows_what_the_gates_do(schedule: tuple[Settings, datetime]) -> None:
    setting = schedule[0]
    (shown,), (whole,) = days(setting, today(*schedule), 1), whole_days(setting, today(*schedule), 1)
    for at in (whole.start + MINUTE * number for number in range((whole.end - whole.start) // MINUTE)):
        sent = ask(setting, at, rule=AT_ALL).action is Action.SEND
        assert any(span.start <= at < span.end for span in shown.spans) is is_open(setting, at) is sent


@many
@given(schedules())
def test_the_days_of_a_calendar_follow_each_other(schedule: tuple[Settings, datetime]) -> None:
    fortnight, whole = days(schedule[0], today(*schedule)), whole_days(schedule[0], today(*schedule), 14)
    assert all(one.end == following.start for one, following in pairwise(whole))
    for one, around in zip(fortnight, whole, strict=True):
        edges = [edge for span in one.spans for edge in (span.start, span.end)]
        assert edges == sorted(set(edges))
        assert all(around.start <= edge <= around.end for edge in edges)
        assert (one.why is Why.OPEN) is bool(edges)


@few
@given(schedules())
def test_nothing_changes_before_the_next_change(schedule: tuple[Settings, datetime]) -> None:
    setting, now = schedule
    change, before = next_change(setting, now), is_open(setting, now)
    end = change or now + 10 * DAY
    assert first(now, end, lambda at: lets_go(setting, AT_ALL.policy, at) is not before) == change


@many
@given(schedules(), st.integers(0, 59))
def test_a_day_ends_where_the_next_begins(schedule: tuple[Settings, datetime], second: int) -> None:
    zone, at = schedule[0].clock, schedule[1].replace(second=second)
    end, day = end_of_day(at, zone), at.astimezone(zone).date()
    assert at < end <= at + timedelta(hours=25)
    assert (end - timedelta(seconds=1)).astimezone(zone).date() == day
    assert end.astimezone(zone).date() == day + DAY


@many
@given(schedules(), st.frozensets(st.integers(0, 6)), st.integers(0, 24), st.integers(0, 24))
def test_mailboxes_are_looked_at_in_their_hours_or_in_the_others(
    schedule: tuple[Settings, datetime], chosen: frozenset[int], start: int, end: int
) -> None:
    setting, now = schedule

    def active(start: int, end: int) -> bool:
        return polling.active(now, days=chosen, start_hour=start, end_hour=end, zone=setting.zone)

    wanted = today(setting, now).weekday() in chosen
    assert active(0, 24) is wanted
    assert not active(start, start)
    if start != end:
        assert (active(start, end) or active(end, start)) is wanted
        assert not (active(start, end) and active(end, start))


@many
@given(st.integers(0, 12), random, st.one_of(st.none(), st.integers(0, 10**10).map(str), st.text()))
def test_a_failed_delivery_waits_as_planned_or_longer_if_asked(
    tries: int, number: float, asked: str | None
) -> None:
    own = due_at(SCHEDULE, tries, now=MONDAY, random=number)
    due = due_at(SCHEDULE, tries, now=MONDAY, random=number, retry_after=asked)
    assert (own is None) is (due is None) is (tries >= len(SCHEDULE))
    if own and due:
        planned = timedelta(seconds=SCHEDULE[tries])
        assert planned * 0.8 <= own - MONDAY <= planned * 1.2
        assert own <= due <= max(own, MONDAY + DAY)


@many
@given(st.integers(1, 7200), st.integers(0, 40), random)
def test_a_mailbox_is_left_alone_for_longer_and_never_for_long(
    seconds: int, failures: int, number: float
) -> None:
    interval = timedelta(seconds=seconds)
    wait = backoff(interval=interval, failures=failures, random=number)
    assert interval * 0.8 <= wait <= max(LONGEST, interval) * 1.2
    assert wait <= backoff(interval=interval, failures=failures + 1, random=number)


def test_a_mail_that_is_not_given_is_asked_for_ever_more_rarely() -> None:
    waits = [wait for tries in range(FETCH_TRIES) if (wait := fetch_wait(tries))]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1], len(waits)) == (MINUTE, timedelta(hours=1), FETCH_TRIES)
    assert fetch_wait(FETCH_TRIES) is None
