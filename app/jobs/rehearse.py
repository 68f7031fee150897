"""What would become of a mail now: production's own judgement, asked for its own sake; nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.body import compose, facts_of
from app.jobs.candidate import size_limit, turned_away
from app.jobs.letter import Letter
from app.jobs.marks import Marks
from app.jobs.verdict import judge
from app.models import Mailbox, Message, Rule, Setting
from app.rules.decide import Judgement, Outcome, groups_of
from app.rules.rule import Rule as RuleValue
from app.rules.verdict import Reason, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What the rules say; with a `refusal` its mailbox would not even let them be asked."""

    letter: Letter
    judgement: Judgement
    rules: tuple[RuleValue, ...]
    refusal: Reason | None = None

    @property
    def verdict(self) -> Verdict:
        if self.refusal is None:
            return self.judgement.verdict
        return Verdict.DUPLICATE if self.refusal.code == "duplicate_mail" else Verdict.IGNORE

    @property
    def reason(self) -> Reason:
        return self.refusal or self.judgement.reason


async def rehearse(
    db: AsyncSession, letter: Letter, *, now: datetime, draft: RuleValue | None = None
) -> Rehearsal:
    """Judge a mail by what holds at this moment; with a draft in its rule's place."""
    setting = await Setting.load(db)
    settings, rules = setting.as_value(), await rules_with(db, draft)
    marks = await Marks.load(db, groups_of(letter.mail, rules, settings, now), now)
    judgement = judge(letter.message, letter.mail, rules=rules, settings=settings, marks=marks, now=now)
    return Rehearsal(
        letter=letter,
        judgement=judgement,
        rules=tuple(rules),
        refusal=await refusal_of(db, letter.message, setting),
    )


async def rules_with(db: AsyncSession, draft: RuleValue | None) -> list[RuleValue]:
    """Give the rules in force, and the draft where its rule stands; that of a new rule stands last."""
    if draft is None:
        return await Rule.in_force(db)
    rules = [
        draft if rule.id == draft.id else version.as_value()
        for rule, version in await Rule.listed(db)
        if rule.active or rule.id == draft.id
    ]
    return rules if draft in rules else [*rules, draft]


def ended_by(rehearsal: Rehearsal, draft: RuleValue) -> str | None:
    """Name the rule that ended the search before this draft was asked, if one did."""
    asked = [outcome.rule_id for outcome in rehearsal.judgement.outcomes]
    if not asked or draft.id in asked:
        return None
    return next(rule.name for rule in rehearsal.rules if rule.id == asked[-1])


async def refusal_of(db: AsyncSession, message: Message, setting: Setting) -> Reason | None:
    """Say why a mail would not come before the rules in the mailbox it is in, if it would not."""
    if message.duplicate_of is not None and not message.insisted:
        return Reason("duplicate_mail", {"message_id": message.duplicate_of})
    mailbox = await db.get(Mailbox, message.mailbox_id)
    if mailbox is None:
        return None
    limit = size_limit(None if message.insisted else setting.max_email_size_mb)
    return turned_away(message.sender, message.size, senders=mailbox.senders, limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """What a rule would send, or keep unsent, to each of its receivers."""

    rule: str
    endpoint_ids: tuple[int, ...]
    outcome: Outcome
    body: dict[str, Any]


def webhooks(rehearsal: Rehearsal) -> list[Webhook]:
    """Make the bodies that receivers would be sent, as they would be if they left at this moment."""
    rules = {rule.id: rule for rule in rehearsal.rules}
    outcomes = with_webhooks(rehearsal.judgement, rehearsal.rules)
    return [_webhook(rehearsal, rules[outcome.rule_id], outcome) for outcome in outcomes]


def with_webhooks(judgement: Judgement, rules: Sequence[RuleValue]) -> list[Outcome]:
    """Give the outcomes of which webhooks are made: to be sent, to be held, or to be kept unsent."""
    receiving = {rule.id for rule in rules if rule.endpoint_ids}
    made = (Verdict.DELIVER, Verdict.HOLD)
    return [
        outcome
        for outcome in judgement.outcomes
        if outcome.rule_id in receiving and (outcome.dropped or outcome.verdict in made)
    ]


def _webhook(rehearsal: Rehearsal, rule: RuleValue, outcome: Outcome) -> Webhook:
    letter = rehearsal.letter
    body = compose(
        letter.message,
        plain=letter.plain,
        html=letter.html,
        facts=facts_of(rehearsal.judgement, outcome),
        form=rule.template,
    )
    return Webhook(rule=rule.name, endpoint_ids=rule.endpoint_ids, outcome=outcome, body=body)
