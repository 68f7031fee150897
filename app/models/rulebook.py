"""The rules as their page lists them, and each rule's versions."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.decision import Decision
from app.models.endpoint import Endpoint, EndpointState
from app.models.rule import Rule, RuleVersion


@dataclass(frozen=True, slots=True)
class RuleRow:
    rule: Rule
    version: RuleVersion
    matched: int  # mails, since a moment


async def rows(db: AsyncSession, since: datetime) -> list[RuleRow]:
    """Give the rules that are not archived, in their order."""
    counts = await _matched(db, since)
    return [RuleRow(rule, version, counts.get(rule.id or 0, 0)) for rule, version in await Rule.listed(db)]


async def archived(db: AsyncSession) -> list[Rule]:
    """Give what was deleted, the latest first."""
    query = select(Rule).where(col(Rule.archived_at).is_not(None)).order_by(col(Rule.archived_at).desc())
    return list((await db.exec(query)).all())


async def versions(db: AsyncSession, rule: Rule) -> list[RuleVersion]:
    """Give every version of a rule, the newest first."""
    query = select(RuleVersion).where(RuleVersion.rule_id == rule.id)
    return list((await db.exec(query.order_by(col(RuleVersion.number).desc()))).all())


async def receivers(db: AsyncSession, *, deleted: bool = False) -> list[Endpoint]:
    """Give the receivers that a rule may have, in the order of their names; the `deleted` ones too."""
    query = select(Endpoint).order_by(col(Endpoint.name), col(Endpoint.id))
    if not deleted:
        query = query.where(Endpoint.state != EndpointState.DELETED)
    return list((await db.exec(query)).all())


async def receiver_names(db: AsyncSession, *, deleted: bool = False) -> dict[int, str]:
    """Name the same by their ids."""
    return {one.id or 0: one.name for one in await receivers(db, deleted=deleted)}


async def _matched(db: AsyncSession, since: datetime) -> dict[int, int]:
    query = (
        select(Decision.rule_id, func.count())
        .where(col(Decision.matched), col(Decision.created_at) >= since)
        .group_by(col(Decision.rule_id))
    )
    return dict((await db.exec(query)).all())
