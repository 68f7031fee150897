"""A draft of a rule, and the trial that somebody asks of it."""

from dataclasses import replace
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.compare import marks_of
from app.jobs.letter import Letter
from app.jobs.rehearse import Rehearsal, rules_with
from app.models import Message, Run, Setting, TrialResult
from app.models import Rule as SavedRule
from app.models.trial import COUNTED, KIND
from app.rules.decide import decide
from app.rules.diff import differences
from app.rules.rule import Rule
from app.rules.settings import Settings

LONGEST = 90  # days
MOST_WAITING = 5


def request_trial(
    db: AsyncSession, draft: Rule, *, days: int, by: str, now: datetime, based_on: int = 0
) -> Run:
    """Ask for a trial of this draft over the mail of so many days, to be rung for after the commit.

    `based_on` is the number of the version that the draft was made from.
    """
    details = {
        "rule_id": draft.id or None,
        "draft": draft.as_draft(),
        "based_on": based_on,
        "days": min(max(days, 1), LONGEST),
        "counts": dict.fromkeys(COUNTED, 0),
    }
    run = Run(kind=KIND, details=details, requested_by=by, created_at=now)
    db.add(run)
    return run


def belongs_to(run: Run, rule: SavedRule) -> None:
    """Make a trial one of this rule, as which its draft was saved."""
    run.details = {**run.details, "rule_id": rule.id, "based_on": rule.version}


async def saved_as(db: AsyncSession, run: Run) -> SavedRule | None:
    """Give the rule of a trial, if that says what the draft does."""
    rule = await db.get(SavedRule, run.details["rule_id"]) if run.details["rule_id"] else None
    version = await rule.in_version(db, rule.version) if rule else None
    return None if version is None or differences(version.as_value(), draft_of(run), {}) else rule


def draft_of(run: Run) -> Rule:
    """Give the draft that a trial is about."""
    raw = run.details["draft"]
    return Rule.from_definition(
        id=run.details["rule_id"] or 0,
        version_id=0,
        name=raw["name"],
        endpoint_ids=tuple(raw["endpoint_ids"]),
        definition=raw,
    )


def moment_of(message: Message) -> datetime:
    """Give the moment at which a trial judges a mail: when it was decided, as far as that is known."""
    return message.decided_at or message.stored_at


async def settings_of_trials(db: AsyncSession) -> Settings:
    """Give today's settings but for a pause, which says nothing of the days when the mail came."""
    return replace((await Setting.load(db)).as_value(), sending_enabled=True)


async def judge_again(
    db: AsyncSession, run: Run, result: TrialResult, letter: Letter
) -> tuple[Rehearsal, Rehearsal]:
    """Judge one of a trial's mails as the trial did: by the live rules, and with the draft among them."""
    settings, now = await settings_of_trials(db), moment_of(letter.message)
    sides = []
    for draft, kept in ((None, result.live), (draft_of(run), result.draft)):
        rules = await rules_with(db, draft)
        judgement = decide(mail=letter.mail, rules=rules, settings=settings, marks=marks_of(kept), now=now)
        sides.append(Rehearsal(letter=letter, judgement=judgement, rules=tuple(rules)))
    live, tried = sides
    return live, tried
