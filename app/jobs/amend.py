"""What an operator does with the rules: each change is in force for the next mail, and leaves a log event."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Decision, Endpoint, EndpointState, LogEvent, Message, MessageState, Rule, RuleVersion
from app.rules.rule import Rule as RuleValue

UP, DOWN = "up", "down"

SAVED, ROLLED_BACK, MOVED = "rule saved", "rule rolled back", "rule moved"
SWITCHED_ON, SWITCHED_OFF = "rule switched on", "rule switched off"
DELETED, BROUGHT_BACK = "rule deleted", "rule brought back"


async def create(db: AsyncSession, value: RuleValue, *, by: str, now: datetime) -> Rule:
    """Add a rule behind all others, in force at once."""
    rule = await Rule.add(db, position=await _behind_all(db), now=now)
    await save(db, rule, value, by=by, now=now)
    return rule


async def save(
    db: AsyncSession,
    rule: Rule,
    value: RuleValue,
    *,
    by: str,
    now: datetime,
    restored_from: int | None = None,
) -> RuleVersion:
    """Put a new version in force; mail that waited for a receiver is decided again."""
    value = await _reachable(db, value)
    version = rule.save(db, value, by=by, now=now, restored_from=restored_from)
    _note(db, rule, ROLLED_BACK if restored_from else SAVED, by=by, now=now)
    if value.endpoint_ids:
        await decide_again(db, now)
    return version


async def decide_again(db: AsyncSession, now: datetime) -> None:
    """Let mail that is held for want of a receiver be decided afresh, now that there is one."""
    owed = select(Decision.message_id).where(Decision.owed())
    held = select(Message).where(Message.state == MessageState.DECIDED, col(Message.id).in_(owed))
    for message in (await db.exec(held)).all():
        if message.can_be_tried_again:
            message.try_again(now)
        else:
            message.decide_rest(now)


async def move(db: AsyncSession, rule: Rule, direction: str, *, by: str, now: datetime) -> None:
    """Let it change places with its neighbour; the first goes no higher, and the last no lower."""
    rules = [one for one, _ in await Rule.listed(db)]
    place = rules.index(rule)
    other = place + (-1 if direction == UP else 1)
    if not 0 <= other < len(rules):
        return
    rules[place], rules[other] = rules[other], rules[place]
    for position, one in enumerate(rules):
        one.position = position
    _note(db, rule, MOVED, by=by, now=now)


def switch(db: AsyncSession, rule: Rule, *, active: bool, by: str, now: datetime) -> None:
    if rule.active is not active:
        rule.active = active
        _note(db, rule, SWITCHED_ON if active else SWITCHED_OFF, by=by, now=now)


def archive(db: AsyncSession, rule: Rule, *, by: str, now: datetime) -> None:
    """Take it out of use; what it decided and sent goes on naming it."""
    rule.active, rule.archived_at = False, now
    _note(db, rule, DELETED, by=by, now=now)


async def bring_back(db: AsyncSession, rule: Rule, *, by: str, now: datetime) -> None:
    """Put it behind all others, switched off."""
    rule.position, rule.archived_at = await _behind_all(db), None
    version = await rule.in_version(db, rule.version)
    before = version.as_value() if version else None
    if before is not None and (value := await _reachable(db, before)) != before:
        rule.save(db, value, by=by, now=now)
    _note(db, rule, BROUGHT_BACK, by=by, now=now)


async def _reachable(db: AsyncSession, value: RuleValue) -> RuleValue:
    """Leave receivers out that were deleted since the rule was written."""
    gone = select(Endpoint.id).where(Endpoint.state == EndpointState.DELETED)
    deleted = set((await db.exec(gone)).all())
    return replace(value, endpoint_ids=tuple(one for one in value.endpoint_ids if one not in deleted))


async def _behind_all(db: AsyncSession) -> int:
    return max((rule.position for rule, _ in await Rule.listed(db)), default=-1) + 1


def _note(db: AsyncSession, rule: Rule, event: str, *, by: str, now: datetime) -> None:
    facts = {"rule": rule.id, "version": rule.version, "by": by}
    db.add(LogEvent(at=now, event=event, subject=rule.name, facts=facts))
