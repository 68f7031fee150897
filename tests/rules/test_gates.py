"""What lets a mail go, holds it or drops it."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.condition import Group
from app.rules.gates import Gate, expiry, judge
from app.rules.rule import Action, Policy, Rule
from app.rules.settings import DAYS, Settings
from app.rules.verdict import Mark
from tests.rules.cast import DESABO, LINKS, MONDAY, PARIS, RECADRAGE, open_from, paris, preset

OFFICE = open_from("9h00", "19h00")
BEFORE, INSIDE, AFTER = (paris(f"2025-10-13 {clock}") for clock in ("08:12", "14:00", "20:12"))


def ask(rule: Rule, now: datetime = INSIDE, setting: Settings = OFFICE, **facts: Any) -> Gate:  # noqa: ANN401 - any argument
    known: dict[str, Any] = {
        "detector": next(iter(rule.detectors), None),
        "urgent": False,
        "has_links": True,
        "expires_at": expiry(rule, facts.pop("arrived_at", now), setting),
    }
    return judge(rule=rule, settings=setting, now=now, **(known | facts))


def codes(gate: Gate) -> list[str]:
    return [step.reason.code for step in gate.steps]


@pytest.mark.parametrize(
    ("rule", "urgent", "before", "after"),
    [
        (RECADRAGE, False, "drop", "drop"),
        (DESABO, False, "send", "drop"),
        (DESABO, True, "hold", "hold"),
        (LINKS, False, "hold", "hold"),
    ],
)
def test_outside_the_window_each_preset_has_its_way(
    *, rule: Rule, urgent: bool, before: str, after: str
) -> None:
    assert ask(rule, BEFORE, urgent=urgent).action == before
    assert ask(rule, INSIDE, urgent=urgent).action == "send"
    assert ask(rule, AFTER, urgent=urgent).action == after


def test_an_offer_is_answered_early_with_the_opening_time() -> None:
    gate = ask(DESABO, BEFORE)
    assert (gate.window_start_text, gate.window_end_text) == ("9h00", "19h00")


def test_inside_the_window_the_answer_is_now() -> None:
    assert ask(DESABO).window_start_text == ask(RECADRAGE).window_start_text == "maintenant"


@pytest.mark.parametrize("rule", [LINKS, preset(0, policy={"before": "send", "after": "send"})])
def test_nobody_else_is_told_a_start_outside_the_window(rule: Rule) -> None:
    assert ask(rule, BEFORE).window_start_text is None
    assert ask(rule, AFTER).window_end_text == "19h00"


@pytest.mark.parametrize("half", [{"window_start": time(9)}, {"window_end": time(9)}, {}])
def test_half_a_window_is_none(half: dict[str, Any]) -> None:
    gate = ask(RECADRAGE, AFTER, Settings(**half))
    assert (gate.action, gate.window_start_text, gate.window_end_text) == (Action.SEND, None, None)
    assert "no_window" in codes(gate)


def test_the_first_closed_gate_is_the_one_named() -> None:
    closed = open_from(
        "9h00",
        "10h00",
        absence_enabled=True,
        absence_days=frozenset({"monday"}),
        sending_enabled=False,
        vacation_start=date(2025, 10, 1),
        vacation_end=date(2025, 10, 31),
    )
    opened = [
        closed,
        closed := replace(closed, absence_enabled=False),
        closed := replace(closed, sending_enabled=True),
        closed := replace(closed, vacation_end=None),
        replace(closed, window_end=None),
    ]
    named = [ask(LINKS, INSIDE, setting, has_links=False).reason.code for setting in opened]
    assert named == ["absence_day", "paused", "vacation", "after_window", "no_links"]


def test_the_walk_ends_at_the_gate_that_decides() -> None:
    gate = ask(LINKS, AFTER)
    assert codes(gate) == ["no_absence", "sending_on", "no_vacation", "after_window"]
    assert [step.mark for step in gate.steps] == [Mark.PASSED] * 3 + [Mark.STOPPED]
    assert gate.reason.facts == {
        "now": "20h12",
        "opens": "09h00",
        "closes": "19h00",
        "action": "hold",
        "release_at": "2025-10-14T07:00:00+00:00",
    }


def test_a_mail_that_goes_names_its_receivers() -> None:
    gate = ask(LINKS)
    assert codes(gate)[-2:] == ["links_found", "rule_sends"]
    assert (gate.reason.facts, gate.steps[-1].mark) == ({"endpoints": [7], "receivers": 1}, Mark.STOPPED)


@pytest.mark.parametrize("gate", ["absence", "paused", "vacation"])
def test_a_rule_may_drop_what_others_hold(gate: str) -> None:
    closed = {
        "absence": Settings(absence_enabled=True, absence_days=frozenset({"monday"})),
        "paused": Settings(sending_enabled=False),
        "vacation": Settings(vacation_start=date(2025, 10, 13), vacation_end=date(2025, 10, 13)),
    }[gate]
    assert ask(LINKS, setting=closed).action is Action.HOLD
    assert ask(preset(2, policy={gate: "drop"}), setting=closed).action is Action.DROP


def test_the_link_policy_is_the_rules_own() -> None:
    assert ask(RECADRAGE, has_links=False).reason.code == "no_links"
    assert ask(RECADRAGE, has_links=False).action is Action.DROP
    assert ask(DESABO, has_links=False).action is Action.SEND


def test_a_hold_that_lacks_its_link_says_at_once_that_it_will_be_dropped() -> None:
    gate = ask(LINKS, AFTER, has_links=False)
    assert (gate.action, gate.reason.code, gate.reason.facts["lacks_link"]) == (
        Action.HOLD,
        "after_window",
        True,
    )
    assert (gate.steps[-1].mark, gate.steps[-1].reason.code) == (Mark.NOTED, "lacks_link")
    assert gate.release_at is not None
    late = ask(LINKS, gate.release_at, has_links=False)
    assert (late.action, late.reason.code) == (Action.DROP, "no_links")
    for other in (ask(LINKS, AFTER), ask(DESABO, AFTER, urgent=True, has_links=False)):
        assert (other.action, codes(other)[-1]) == (Action.HOLD, "after_window")
        assert "lacks_link" not in other.reason.facts


def test_a_pause_ends_when_somebody_ends_it() -> None:
    assert ask(LINKS, AFTER, Settings(sending_enabled=False)).release_at is None


@pytest.mark.parametrize(
    ("fields", "now", "release"),
    [
        ({}, "2025-10-13 20:00", "2025-10-14 09:00"),
        ({}, "2025-10-13 08:00", "2025-10-13 09:00"),
        ({"absence_days": {"monday"}}, "2025-10-13 14:00", "2025-10-14 09:00"),
        ({"absence_days": {"monday", "tuesday"}}, "2025-10-13 23:59", "2025-10-15 09:00"),
        ({"absence_days": {"tuesday"}}, "2025-10-13 20:00", "2025-10-15 09:00"),
        ({"vacation": ("2025-10-10", "2025-10-19")}, "2025-10-13 14:00", "2025-10-20 09:00"),
        ({"vacation": ("2025-10-14", "2025-11-30")}, "2025-10-13 20:00", "2025-12-01 09:00"),
        (
            {"vacation": ("2025-10-10", "2025-10-19"), "absence_days": {"monday"}},
            "2025-10-13 14:00",
            "2025-10-21 09:00",
        ),
        ({"vacation": ("2025-10-10", "2025-10-10")}, "2025-10-13 20:00", "2025-10-14 09:00"),
        ({"vacation": ("2025-10-20", "2025-10-10")}, "2025-10-13 20:00", "2025-10-14 09:00"),
    ],
)
def test_a_hold_ends_when_the_whole_calendar_allows_it(
    fields: dict[str, Any], now: str, release: str
) -> None:
    setting = open_from(
        "9h00",
        "19h00",
        absence_enabled=True,
        absence_days=frozenset(fields.get("absence_days", ())),
    )
    if "vacation" in fields:
        first, last = map(date.fromisoformat, fields["vacation"])
        setting = replace(setting, vacation_start=first, vacation_end=last)
    assert ask(LINKS, paris(now), setting).release_at == paris(release)


def test_a_hold_of_a_rule_that_drops_early_mail_waits_for_the_opening() -> None:
    absent = open_from("9h00", "19h00", absence_enabled=True, absence_days=frozenset({"monday"}))
    assert ask(RECADRAGE, INSIDE, absent).release_at == paris("2025-10-14 09:00")
    assert ask(DESABO, INSIDE, absent).release_at == paris("2025-10-14 00:00")


def test_a_hold_that_nothing_ends_has_no_release() -> None:
    always_absent = Settings(absence_enabled=True, absence_days=frozenset(DAYS))
    for_ever = Settings(vacation_start=date(2025, 1, 1), vacation_end=date.max)
    assert ask(LINKS, INSIDE, always_absent).release_at is None
    assert ask(LINKS, INSIDE, for_ever).release_at is None
    assert ask(LINKS, INSIDE, open_from("9h", "9h")).release_at is None


def test_absence_and_vacation_are_days_of_the_zone_and_not_of_the_server() -> None:
    here = Settings(absence_enabled=True, absence_days=frozenset({"monday"}))
    there = replace(here, zone="UTC")
    assert ask(LINKS, paris("2025-10-13 00:30"), here).reason.code == "absence_day"
    assert ask(LINKS, paris("2025-10-14 00:30"), here).action is Action.SEND
    assert ask(LINKS, paris("2025-10-14 00:30"), there).reason.code == "absence_day"


@pytest.mark.parametrize(
    ("window", "now", "opens"),
    [
        (("2h30", "5h"), "2025-03-29 12:00", "2025-03-30 03:00"),
        (("2h30", "5h"), "2025-03-30 01:59", "2025-03-30 03:00"),
        (("2h10", "2h40"), "2025-03-29 12:00", "2025-03-31 02:10"),
        (("22h", "2h30"), "2025-03-30 03:00", "2025-03-30 22:00"),
        (("2h30", "5h"), "2025-10-26 01:00", "2025-10-26 02:30"),
    ],
)
def test_the_window_opens_rightly_where_the_clocks_change(
    window: tuple[str, str], now: str, opens: str
) -> None:
    assert ask(LINKS, paris(now), open_from(*window)).release_at == paris(opens)


@pytest.mark.parametrize("fold", [0, 1])
def test_both_passes_of_the_repeated_hour_are_inside(fold: int) -> None:
    now = datetime(2025, 10, 26, 2, 15, tzinfo=PARIS, fold=fold)
    assert ask(LINKS, now, open_from("2h00", "3h00")).action is Action.SEND


def test_a_bound_in_the_gap_counts_from_the_first_minute_after_it() -> None:
    assert ask(LINKS, paris("2025-03-30 03:00"), open_from("2h30", "5h")).action is Action.SEND
    assert ask(LINKS, paris("2025-03-30 03:00"), open_from("22h", "2h30")).action is Action.HOLD
    assert ask(LINKS, paris("2025-03-30 01:59"), open_from("22h", "2h30")).action is Action.SEND


def test_a_window_that_the_autumn_change_opens_again_is_seen() -> None:
    first_pass = datetime(2025, 10, 26, 2, 45, tzinfo=PARIS, fold=0)
    second_two = datetime(2025, 10, 26, 2, 0, tzinfo=PARIS, fold=1)
    gate = ask(LINKS, first_pass, open_from("1h00", "2h30"))
    assert gate.release_at is not None
    assert gate.release_at.timestamp() == second_two.timestamp()


def test_an_offer_is_over_at_the_end_of_its_day() -> None:
    gate = ask(DESABO, AFTER, urgent=True)
    assert (gate.action, gate.expires_at) == (Action.HOLD, paris("2025-10-14 00:00"))
    late = ask(DESABO, paris("2025-10-14 09:00"), urgent=True, arrived_at=AFTER)
    assert (late.action, late.reason.code) == (Action.DROP, "hold_expired")
    assert late.reason.facts == {"expired_at": "2025-10-13T22:00:00+00:00", "action": "drop"}


def test_a_hold_keeps_the_end_it_was_given() -> None:
    assert ask(LINKS, INSIDE, expires_at=MONDAY).reason.code == "hold_expired"
    assert ask(DESABO, INSIDE, expires_at=AFTER).expires_at == AFTER


_CLOCKS = st.sampled_from([time(0), time(2), time(2, 30), time(9), time(19), time(23, 59)])
_MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31))  # noqa: DTZ001 - made aware below
_OUTSIDE = st.sampled_from(list(Action))


@settings(deadline=None)
@given(
    now=_MOMENTS,
    start=_CLOCKS,
    end=_CLOCKS,
    days=st.frozensets(st.sampled_from(DAYS), max_size=6),
    away=st.tuples(st.dates(date(2025, 1, 1), date(2026, 12, 31)), st.integers(-3, 40)),
    policy=st.builds(Policy, before=_OUTSIDE, after=_OUTSIDE),
)
def test_a_hold_is_let_go_at_its_release_and_not_before(
    *, now: datetime, start: time, end: time, days: frozenset[str], away: tuple[date, int], policy: Policy
) -> None:
    rule = Rule(id=1, version_id=1, name="x", conditions=Group(), policy=policy, endpoint_ids=(1,))
    setting = Settings(
        window_start=start,
        window_end=end,
        absence_enabled=True,
        absence_days=days,
        vacation_start=away[0],
        vacation_end=away[0] + timedelta(days=away[1]),
    )
    moment = now.replace(tzinfo=PARIS).astimezone(MONDAY.tzinfo)
    gate = ask(rule, moment, setting)
    if gate.action is not Action.HOLD or gate.release_at is None:
        return
    assert gate.release_at > moment
    assert ask(rule, gate.release_at, setting).action is Action.SEND
    assert ask(rule, gate.release_at - timedelta(seconds=1), setting).action is not Action.SEND
