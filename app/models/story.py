"""Everything about one mail, or one delivery, in the order in which it happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import history
from app.models.decision import Decision, Link
from app.models.delivery import Attempt
from app.models.endpoint import Endpoint
from app.models.explanation import Explanation, Said, explain
from app.models.history import DeliveryFilter, DeliveryRow
from app.models.mailbox import Folder, Mailbox
from app.models.message import Message, Raw
from app.models.rule import Rule, RuleVersion
from app.rules.verdict import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStory:
    message: Message
    state: str
    reason: dict[str, Any] | None  # of that state
    mailbox: Mailbox
    folder: str
    decisions: list[tuple[Decision, str]]
    links: list[Link]
    deliveries: list[DeliveryRow]
    text: str | None
    attachments: int
    original: Message | None

    @property
    def explanation(self) -> Explanation:
        return explain(
            state=self.state,
            verdict=self.message.verdict,
            reason=self.message.reason,
            steps=self.message.steps,
            said=[_said(decision, rule) for decision, rule in self.decisions],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStory:
    row: DeliveryRow
    endpoint: Endpoint
    version: RuleVersion  # of the rule, that made it
    attempts: list[Attempt]  # newest first

    @property
    def waits(self) -> Reason | None:
        """Say why it does not go now, where that lies with its receiver."""
        return self.row.waits

    @property
    def tries_removed(self) -> int:
        """Say how many of its attempts the clean-up has removed."""
        whole = len(self.attempts) < history.PAGE  # else more of them are not shown
        return max(0, self.row.delivery.attempts - len(self.attempts)) if whole else 0


async def of_message(db: AsyncSession, message_id: int, now: datetime) -> MessageStory | None:
    message = await db.get(Message, message_id)
    if message is None:
        return None
    fate = (await history.fates_of(db, [message]))[message_id]
    decisions = (
        select(Decision, Rule.name)
        .join(Rule, col(Rule.id) == Decision.rule_id)
        .where(Decision.message_id == message_id)
        .order_by(col(Decision.position))
    )
    links = select(Link).where(Link.message_id == message_id).order_by(col(Link.position))
    # what a reader sees once: the plain part, and the HTML's text where there is none
    shown = func.coalesce(func.nullif(func.trim(Raw.plain), ""), Raw.text)
    read = (await db.exec(select(shown, Raw.attachments).where(Raw.message_id == message_id))).first()
    return MessageStory(
        message=message,
        state=fate.state,
        reason=fate.reason,
        mailbox=await db.get_one(Mailbox, message.mailbox_id),
        folder=(await db.get_one(Folder, message.folder_id)).name,
        decisions=list((await db.exec(decisions)).all()),
        links=list((await db.exec(links)).all()),
        deliveries=(await history.deliveries(db, DeliveryFilter(message=message_id), now)).rows,
        text=read[0] if read else None,
        attachments=read[1] if read else 0,
        original=await db.get(Message, message.duplicate_of) if message.duplicate_of else None,
    )


async def of_delivery(db: AsyncSession, delivery_id: int, now: datetime) -> DeliveryStory | None:
    row = await history.delivery(db, delivery_id, now)
    if row is None:
        return None
    attempts = select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(col(Attempt.id).desc())
    endpoint = await db.get_one(Endpoint, row.delivery.endpoint_id)
    return DeliveryStory(
        row=row,
        endpoint=endpoint,
        version=await db.get_one(RuleVersion, row.delivery.rule_version_id),
        attempts=list((await db.exec(attempts.limit(history.PAGE))).all()),
    )


def _said(decision: Decision, rule: str) -> Said:
    return Said(
        rule=rule,
        verdict=decision.verdict,
        reason=decision.reason,
        steps=decision.steps,
        matched=decision.matched,
    )
