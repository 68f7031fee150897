"""The judgement over one mail: what every rule says of it, and what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.rules import gates, matching
from app.rules.group import GroupKey, key_of
from app.rules.links import Link
from app.rules.mail import Mail
from app.rules.reading import Reading, read
from app.rules.rule import Action, Priority, Rule
from app.rules.settings import Settings
from app.rules.subject import split_prefix
from app.rules.text import wanted
from app.rules.verdict import Mark, Reason, Step, Verdict

HTML_LIMIT = 1024 * 1024

_STRENGTH = (Verdict.DELIVER, Verdict.HOLD, Verdict.DUPLICATE, Verdict.IGNORE)
_VERDICTS = {Action.SEND: Verdict.DELIVER, Action.HOLD: Verdict.HOLD, Action.DROP: Verdict.IGNORE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one rule says. `dropped` asks for a delivery that is kept, shown and not sent.

    `group` is the mark to set with the deliveries; `detector` and the texts are what receivers are told;
    `captures` are what the rule's patterns caught, for its template.
    """

    rule_id: int
    version_id: int
    matched: bool
    verdict: Verdict | None
    reason: Reason
    steps: tuple[Step, ...]
    detector: str | None = None
    delivery_time: str | None = None
    urgent: bool = False
    captures: Mapping[str, str] = field(default_factory=dict)
    priority: Priority = Priority.NORMAL
    group: GroupKey | None = None
    window_start_text: str | None = None
    window_end_text: str | None = None
    release_at: datetime | None = None
    expires_at: datetime | None = None
    dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What becomes of the mail: the strongest of its rules' outcomes, or why no rule was asked."""

    verdict: Verdict
    reason: Reason
    steps: tuple[Step, ...]
    outcomes: tuple[Outcome, ...]
    links: tuple[Link, ...]
    uploads: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    mail: Mail
    reading: Reading
    settings: Settings
    marks: Mapping[GroupKey, int]
    now: datetime


def groups_of(mail: Mail, rules: Sequence[Rule], settings: Settings, now: datetime) -> tuple[GroupKey, ...]:
    """The groups whose marks `decide` wants to know, should their rules match."""
    keys = (key_of(mail=mail, rule=rule, settings=settings, now=now) for rule in rules)
    return tuple(key for key in keys if key is not None)


def decide(
    *, mail: Mail, rules: Sequence[Rule], settings: Settings, marks: Mapping[GroupKey, int], now: datetime
) -> Judgement:
    """Say what to do with one mail at this moment; knows no database, no network and no clock.

    `marks` maps the groups that count at `now` to the mail that set them.
    """
    reading = read(mail, settings, now)
    case = _Case(mail=mail, reading=reading, settings=settings, marks=marks, now=now)
    steps = _first_looks(case, rules)
    outcomes: tuple[Outcome, ...] = ()
    if steps[-1].mark is not Mark.STOPPED:
        outcomes = _ask(case, rules)
        steps += _after_rules(rules, outcomes)
    verdict, reason = _strongest(outcomes) or (Verdict.IGNORE, steps[-1].reason)
    return Judgement(
        verdict=verdict,
        reason=reason,
        steps=tuple(steps),
        outcomes=outcomes,
        links=reading.deliveries,
        uploads=reading.uploads,
    )


def _first_looks(case: _Case, rules: Sequence[Rule]) -> list[Step]:
    """What is asked of the mail before any rule; ends early at the step that stops it."""
    steps = [Step(Reason("text_cut", {"limit": HTML_LIMIT}), Mark.NOTED)] if case.mail.text_cut else []
    prefix, _ = split_prefix(case.mail.subject)
    if prefix:
        return [*steps, Step(Reason("reply_prefix", {"prefix": prefix}), Mark.STOPPED)]
    steps.append(Step(Reason("no_reply_prefix"), Mark.PASSED))
    keyword = _excluded(case.reading, case.settings.exclude_keywords)
    if keyword is not None:
        return [*steps, Step(Reason("exclude_keyword", {"keyword": keyword}), Mark.STOPPED)]
    if case.settings.exclude_keywords:
        steps.append(
            Step(Reason("no_exclude_keyword", {"count": len(case.settings.exclude_keywords)}), Mark.PASSED)
        )
    if case.settings.require_attachments:
        if not case.mail.attachments:
            return [*steps, Step(Reason("no_attachment"), Mark.STOPPED)]
        steps.append(Step(Reason("has_attachment", {"count": case.mail.attachments}), Mark.PASSED))
    if not rules:
        steps.append(Step(Reason("no_rule"), Mark.STOPPED))
    return steps


def _excluded(reading: Reading, keywords: Sequence[str]) -> str | None:
    """The first keyword that stands in the subject or the text, whatever its accents and case."""
    for keyword in keywords:
        plain = wanted(keyword)
        if plain and (plain in reading.subject or plain in reading.text):
            return keyword
    return None


def _ask(case: _Case, rules: Sequence[Rule]) -> tuple[Outcome, ...]:
    """Every rule in its order, up to one that matches and ends the search."""
    outcomes: list[Outcome] = []
    for rule in rules:
        outcomes.append(_judge(case, rule))
        if outcomes[-1].matched and rule.stop:
            break
    return tuple(outcomes)


def _judge(case: _Case, rule: Rule) -> Outcome:
    answer = matching.ask(rule, case.reading)
    outcome = Outcome(
        rule_id=rule.id,
        version_id=rule.version_id,
        matched=answer.against is None,
        verdict=None,
        reason=answer.against or Reason("rule_matches", {"rule": rule.name}),
        steps=answer.steps,
        detector=answer.detector,
        delivery_time=answer.finding.delivery_time,
        urgent=answer.finding.urgent,
        captures=answer.captures,
        priority=case.settings.sender_priority.get(case.mail.sender, rule.priority),
    )
    return _followed(case, rule, outcome) if outcome.matched else outcome


def _followed(case: _Case, rule: Rule, outcome: Outcome) -> Outcome:
    """What becomes of a mail that meets the rule's conditions."""
    keyword = _excluded(case.reading, rule.exclude_keywords)
    if keyword is not None:
        reason = Reason("exclude_keyword", {"keyword": keyword, "rule": rule.name})
        return replace(_ended(outcome, None, reason), matched=False)
    if not rule.endpoint_ids:
        return _ended(outcome, Verdict.HOLD, Reason("no_endpoint", {"rule": rule.name}))
    group = key_of(mail=case.mail, rule=rule, settings=case.settings, now=case.now)
    if group is not None and group in case.marks:
        return _ended(outcome, Verdict.DUPLICATE, _group_reason("group_duplicate", group, case.marks[group]))
    return _gated(case, rule, outcome, group)


def _ended(outcome: Outcome, verdict: Verdict | None, reason: Reason) -> Outcome:
    steps = (*outcome.steps, Step(reason, Mark.STOPPED))
    return replace(outcome, verdict=verdict, reason=reason, steps=steps)


def _gated(case: _Case, rule: Rule, outcome: Outcome, group: GroupKey | None) -> Outcome:
    gate = gates.judge(
        rule=rule,
        detector=outcome.detector,
        urgent=outcome.urgent,
        has_links=bool(case.reading.deliveries),
        settings=case.settings,
        now=case.now,
        expires_at=gates.expiry(rule, case.mail.arrived_at, case.settings),
    )
    first = (Step(_group_reason("group_free", group), Mark.PASSED),) if group else ()
    return replace(
        outcome,
        verdict=_VERDICTS[gate.action],
        reason=gate.reason,
        steps=(*outcome.steps, *first, *gate.steps),
        group=group,
        window_start_text=gate.window_start_text,
        window_end_text=gate.window_end_text,
        release_at=gate.release_at,
        expires_at=gate.expires_at,
        dropped=gate.action is Action.DROP,
    )


def _group_reason(code: str, group: GroupKey, message_id: int | None = None) -> Reason:
    facts: dict[str, object] = {"group": group.group, "scope": group.scope}
    return Reason(code, facts if message_id is None else {**facts, "message_id": message_id})


def _after_rules(rules: Sequence[Rule], outcomes: Sequence[Outcome]) -> list[Step]:
    if not any(outcome.matched for outcome in outcomes):
        return [Step(Reason("no_rule_matched"), Mark.STOPPED)]
    if len(outcomes) < len(rules):
        return [Step(Reason("rule_ends_search", {"rule": rules[len(outcomes) - 1].name}), Mark.NOTED)]
    return []


def _strongest(outcomes: Sequence[Outcome]) -> tuple[Verdict, Reason] | None:
    judged = [(outcome.verdict, outcome.reason) for outcome in outcomes if outcome.verdict is not None]
    return min(judged, key=lambda pair: _STRENGTH.index(pair[0]), default=None)
