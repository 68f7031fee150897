"""What a draft would change about a mail, beside what the live rules make of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.jobs.rehearse import with_webhooks
from app.models import Change
from app.rules.decide import Judgement, Outcome
from app.rules.group import GroupKey
from app.rules.rule import Rule
from app.rules.side import Judged
from app.rules.verdict import Verdict

_GOES = {Verdict.DELIVER, Verdict.HOLD}


def compare(
    live: Judgement, live_rules: Sequence[Rule], draft: Judgement, draft_rules: Sequence[Rule]
) -> Change:
    """Say what changes for the receivers: who gets it, when, and what it says."""
    goes = draft.verdict in _GOES
    if goes is not (live.verdict in _GOES):
        return Change.GAINED if goes else Change.LOST
    same = live.verdict is draft.verdict and _webhooks(live, live_rules) == _webhooks(draft, draft_rules)
    return Change.UNCHANGED if same else Change.CHANGED


def _webhooks(judgement: Judgement, rules: Sequence[Rule]) -> Counter[tuple[Any, ...]]:
    """Give what would be made of a mail, whichever rule makes it."""
    known = {rule.id: rule for rule in rules}
    return Counter(_webhook(known[one.rule_id], one) for one in with_webhooks(judgement, rules))


def _webhook(rule: Rule, outcome: Outcome) -> tuple[Any, ...]:
    return (
        frozenset(rule.endpoint_ids),
        rule.template,
        frozenset(outcome.captures.items()) if rule.template else None,
        outcome.verdict,
        outcome.priority,
        outcome.detector,
        outcome.delivery_time,
        outcome.urgent,
        outcome.window_start_text,
        outcome.window_end_text,
        outcome.release_at,
        outcome.expires_at,
    )


def told(judged: Judged, rules: Sequence[Rule], endpoints: Mapping[int, str]) -> dict[str, Any]:
    """Give one side of a result as it is kept: what a row shows, and the marks it was judged with."""
    judgement = judged.judgement
    known = {rule.id: rule for rule in rules}
    decided = deciding(judgement)
    sent = (one for one in with_webhooks(judgement, rules) if not one.dropped)
    receivers = dict.fromkeys(endpoint for one in sent for endpoint in known[one.rule_id].endpoint_ids)
    return {
        "verdict": judgement.verdict.value,
        "reason": judgement.reason.to_json(),
        "rule": known[decided.rule_id].name if decided else None,
        "rule_id": decided.rule_id if decided else None,
        "receivers": [{"id": one, "name": endpoints.get(one, "")} for one in receivers],
        "release_at": _written(decided.release_at) if decided else None,
        "marks": [[key.rule_id, key.scope, key.group, other] for key, other in judged.marks.items()],
    }


def marks_of(side: Mapping[str, Any]) -> dict[GroupKey, int]:
    """Read the marks of a kept side."""
    kept: Iterable[tuple[int, str, str, int]] = side["marks"]
    return {GroupKey(rule_id=rule, scope=scope, group=group): other for rule, scope, group, other in kept}


def deciding(judgement: Judgement) -> Outcome | None:
    """Give the rule's outcome that became the mail's verdict, if a rule decided it."""
    same = (
        one
        for one in judgement.outcomes
        if one.verdict is judgement.verdict and one.reason == judgement.reason
    )
    return next(same, None)


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
