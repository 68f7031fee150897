"""The gates between a matching mail and its receivers: absence, pause, vacation, window, links."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from app.rules.moments import end_of_day, turning_points
from app.rules.rule import DESABO, Action, Policy, Rule
from app.rules.settings import DAYS, Settings
from app.rules.verdict import Mark, Reason, Step
from app.rules.window import Position, Window, clock_text

AT_ONCE = "maintenant"
_HORIZON_DAYS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What happens to a matching mail now. `release_at` is known for a hold that the calendar ends."""

    action: Action
    reason: Reason
    steps: tuple[Step, ...]
    release_at: datetime | None
    expires_at: datetime | None
    window_start_text: str | None
    window_end_text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    rule: Rule
    detector: str | None
    policy: Policy
    urgent: bool
    has_links: bool
    settings: Settings
    now: datetime
    expires_at: datetime | None

    @property
    def local(self) -> datetime:
        return self.now.astimezone(self.settings.clock)


_Ruling = tuple[Action, Reason]


def judge(
    *,
    rule: Rule,
    detector: str | None,
    urgent: bool,
    has_links: bool,
    settings: Settings,
    now: datetime,
    expires_at: datetime | None,
) -> Gate:
    """Ask every gate until one stops the mail: the same questions when it is decided and when it is released.

    `expires_at` is what `expiry` gave when it was decided: it stays, whatever zone is set since.
    """
    case = _Case(
        rule=rule,
        detector=detector,
        policy=rule.policy_for(urgent=urgent),
        urgent=urgent,
        has_links=has_links,
        settings=settings,
        now=now,
        expires_at=expires_at,
    )
    steps: list[Step] = []
    for ask in _GATES if expires_at is None else (_expiry, *_GATES):
        action, reason = ask(case)
        if action is not Action.SEND:
            return _stopped(case, action, reason, steps)
        steps.append(Step(reason, Mark.PASSED))
    reason = Reason("rule_sends", {"endpoints": list(rule.endpoint_ids), "receivers": len(rule.endpoint_ids)})
    return _gate(case, Action.SEND, reason, [*steps, Step(reason, Mark.STOPPED)], release_at=None)


def expiry(rule: Rule, arrived_at: datetime, settings: Settings) -> datetime | None:
    """When a hold of this rule ends by itself, for a mail that arrived then."""
    return end_of_day(arrived_at, settings.clock) if rule.hold_expires == "end_of_day" else None


def _stopped(case: _Case, action: Action, reason: Reason, steps: list[Step]) -> Gate:
    held = action is Action.HOLD
    release_at = _release_at(case) if held and reason.code != "paused" else None
    facts: dict[str, Any] = {**reason.facts, "action": action.value}
    if release_at is not None:
        facts["release_at"] = release_at.isoformat()
    doomed = held and _links(case)[0] is Action.DROP
    if doomed:
        facts["lacks_link"] = True
    reason = Reason(reason.code, facts)
    steps = [*steps, Step(reason, Mark.STOPPED)]
    if doomed:
        steps.append(Step(Reason("lacks_link"), Mark.NOTED))
    return _gate(case, action, reason, steps, release_at=release_at)


def _gate(
    case: _Case, action: Action, reason: Reason, steps: list[Step], *, release_at: datetime | None
) -> Gate:
    window = case.settings.window
    return Gate(
        action=action,
        reason=reason,
        steps=tuple(steps),
        release_at=release_at,
        expires_at=case.expires_at,
        window_start_text=_start_text(case, window) if window else None,
        window_end_text=_typed(case.settings.window_end_text, window.end) if window else None,
    )


def _start_text(case: _Case, window: Window) -> str | None:
    """From when the receiver may say it is available; only an offer that is not urgent is answered early."""
    position = window.position(case.local.time())
    if position is Position.INSIDE:
        return AT_ONCE
    early = position is Position.BEFORE and case.detector == DESABO and not case.urgent
    return _typed(case.settings.window_start_text, window.start) if early else None


def _typed(text: str | None, clock: time) -> str:
    return text or clock_text(clock)


def _expiry(case: _Case) -> _Ruling:
    if case.expires_at is None or case.now < case.expires_at:
        return Action.SEND, Reason("not_expired")
    return Action.DROP, Reason("hold_expired", {"expired_at": case.expires_at.isoformat()})


def _absence(case: _Case) -> _Ruling:
    today = case.local.date()
    facts = {"day": DAYS[today.weekday()]}
    if case.settings.absent_on(today):
        return case.policy.absence, Reason("absence_day", facts)
    return Action.SEND, Reason("no_absence", facts)


def _pause(case: _Case) -> _Ruling:
    if case.settings.sending_enabled:
        return Action.SEND, Reason("sending_on")
    return case.policy.paused, Reason("paused")


def _vacation(case: _Case) -> _Ruling:
    if not case.settings.on_vacation(case.local.date()):
        return Action.SEND, Reason("no_vacation")
    start, end = case.settings.vacation_start, case.settings.vacation_end
    return case.policy.vacation, Reason("vacation", {"start": str(start), "end": str(end)})


def _window(case: _Case) -> _Ruling:
    window = case.settings.window
    if window is None:
        return Action.SEND, Reason("no_window")
    now = case.local.time()
    position = window.position(now)
    action = _window_action(case.policy, position)
    facts = {"now": clock_text(now), "opens": clock_text(window.start), "closes": clock_text(window.end)}
    return action, Reason(f"{position.value}_window", {**facts, "action": action.value})


def _window_action(policy: Policy, position: Position) -> Action:
    if position is Position.INSIDE:
        return Action.SEND
    return policy.before if position is Position.BEFORE else policy.after


def _links(case: _Case) -> _Ruling:
    if case.has_links:
        return Action.SEND, Reason("links_found")
    if case.rule.links_required:
        return Action.DROP, Reason("no_links")
    return Action.SEND, Reason("links_not_needed")


_GATES: tuple[Callable[[_Case], _Ruling], ...] = (_absence, _pause, _vacation, _window, _links)


def _release_at(case: _Case) -> datetime | None:
    """The next moment at which absence, vacation and window together let the mail go, if one is in sight."""
    window = case.settings.window
    clocks = (window.start,) if window else ()
    for day in _days_ahead(case):
        for at in turning_points(day, clocks, case.settings.clock):
            if at > case.now and _lets_go(case, at):
                return at
    return None


def _days_ahead(case: _Case) -> list[date]:
    """Days that are no vacation, far enough to meet every day of the week on both sides of one."""
    settings, today = case.settings, case.local.date()
    start = today
    if settings.vacation_end is not None and settings.on_vacation(today):
        start = _later(settings.vacation_end, 1)
    ahead = [_later(start, number) for number in range(_HORIZON_DAYS)]
    if settings.vacation_end is not None and any(settings.on_vacation(day) for day in ahead):
        ahead += [_later(settings.vacation_end, number) for number in range(1, _HORIZON_DAYS)]
    return [day for day in ahead if not settings.on_vacation(day)]


def _later(day: date, days: int) -> date:
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal() - 2))


def _lets_go(case: _Case, at: datetime) -> bool:
    local = at.astimezone(case.settings.clock)
    if case.settings.away_on(local.date()):
        return False
    window = case.settings.window
    return window is None or _window_action(case.policy, window.position(local.time())) is Action.SEND
