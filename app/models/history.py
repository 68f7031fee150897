"""Pages of mails and deliveries, newest first, each beginning where the one before it ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import defer
from sqlalchemy.sql.base import ExecutableOption
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from app.models.delivery import Delivery, DeliveryState
from app.models.endpoint import Endpoint, EndpointState
from app.models.mailbox import Mailbox
from app.models.message import Message, MessageState
from app.models.mirror import is_no_copy
from app.models.rule import Rule
from app.models.waiting import waits
from app.rules.verdict import Reason, Verdict

PAGE = 50
ATTENTION = "needs_attention"  # beside the states, as a choice of the list
WORST_FIRST = (
    DeliveryState.FAILED,
    DeliveryState.HELD,
    DeliveryState.SENDING,
    DeliveryState.PENDING,
    DeliveryState.SENT,
    DeliveryState.DROPPED,
)

KEPT_BACK = {DeliveryState.HELD, DeliveryState.DROPPED}  # each for a reason of its own

HEAVY = (Delivery.body, Delivery.facts, Message.steps)

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: list[Row]
    older: int | None  # the id before which the next page begins


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    show: str = ""  # a verdict or a state
    text: str = ""
    mailbox: int | None = None
    before: int | None = None


class MailFate(NamedTuple):
    """What became of a mail."""

    state: str  # the one word that says it
    receivers: list[str]
    reason: dict[str, Any] | None  # of the mail, or of its delivery where that knows better
    drops_at: datetime | None  # when it is dropped unless somebody releases it


@dataclass(frozen=True, slots=True)
class MessageRow:
    message: Message
    mailbox: str
    state: str
    receivers: list[str]
    reason: dict[str, Any] | None
    drops_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    state: str = ""
    endpoint: int | None = None
    rule: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    message: int | None = None
    before: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions = contains(self.text)
        if self.state in set(DeliveryState):
            conditions.append(col(Delivery.state) == DeliveryState(self.state))
        if self.state == ATTENTION:
            conditions.append(col(Delivery.needs_attention).is_(True))
        if self.endpoint is not None:
            conditions.append(col(Delivery.endpoint_id) == self.endpoint)
        if self.rule is not None:
            conditions.append(col(Delivery.rule_id) == self.rule)
        if self.message is not None:
            conditions.append(col(Delivery.message_id) == self.message)
        if self.since is not None:
            conditions.append(col(Delivery.created_at) >= self.since)
        if self.until is not None:
            conditions.append(col(Delivery.created_at) < self.until)
        if self.before is not None:
            conditions.append(col(Delivery.id) < self.before)
        return conditions


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    delivery: Delivery
    message: Message
    endpoint: str
    rule: str
    waits: Reason | None = None  # why it does not go now, although nothing of its own keeps it

    @property
    def waits_until(self) -> datetime | None:
        """Give the moment for which it waits, where that is known."""
        until = self.waits.facts.get("until") if self.waits else None
        return datetime.fromisoformat(until) if until else None


async def messages(db: AsyncSession, wanted: MessageFilter, *, limit: int = PAGE) -> Page[MessageRow]:
    query = (
        select(Message, Mailbox.name)
        .join(Mailbox, col(Mailbox.id) == Message.mailbox_id)
        .where(*_message_conditions(wanted))
        .order_by(col(Message.id).desc())
        .limit(limit + 1)
        .options(*without(Message.steps))
    )
    found = list((await db.exec(query)).all())
    mails = [message for message, _ in found[:limit]]
    fates = await fates_of(db, mails)
    rows = [MessageRow(mail, name, *fates[mail.id or 0]) for mail, name in found[:limit]]
    return Page(rows, rows[-1].message.id if len(found) > limit else None)


async def fates_of(db: AsyncSession, mails: list[Message]) -> dict[int, MailFate]:
    """Say what became of each mail: of its deliveries, else its verdict or state; and name its receivers."""
    query = (
        select(Delivery, Endpoint.name)
        .join(Endpoint, col(Endpoint.id) == Delivery.endpoint_id)
        .where(col(Delivery.message_id).in_([mail.id for mail in mails]), is_no_copy())
        .order_by(col(Endpoint.name), col(Delivery.id))
        .options(*without(Delivery.body, Delivery.facts))
    )
    found: dict[int, list[tuple[Delivery, str]]] = {mail.id or 0: [] for mail in mails}
    for delivery, endpoint in (await db.exec(query)).all():
        found[delivery.message_id].append((delivery, endpoint))
    return {mail.id or 0: _fate(mail, found[mail.id or 0]) for mail in mails}


def _fate(mail: Message, deliveries: list[tuple[Delivery, str]]) -> MailFate:
    states = {delivery.state.value for delivery, _ in deliveries}
    names = dict.fromkeys(name for _, name in deliveries)
    blocked = [delivery.reason for delivery, _ in deliveries if delivery.blocked]
    word, own = _word(mail, states), mail.reason
    decisive = [delivery for delivery, _ in deliveries if delivery.state.value == word]
    by_hand = all(delivery.occurrence for delivery, _ in deliveries)  # its verdict made none of them
    if decisive and (by_hand or word in KEPT_BACK):
        own = decisive[0].reason
    drops = [delivery.drops_at for delivery in decisive if delivery.drops_at]
    return MailFate(word, list(names), blocked[-1] if blocked else own, min(drops, default=None))


async def deliveries(
    db: AsyncSession, wanted: DeliveryFilter, now: datetime, *, limit: int = PAGE
) -> Page[DeliveryRow]:
    matching = named_deliveries().where(*wanted.conditions())
    query = matching.order_by(col(Delivery.id).desc()).limit(limit + 1)
    found = await _rows(db, query.options(*without(*HEAVY)), now)
    rows = found[:limit]
    return Page(rows, rows[-1].delivery.id if len(found) > limit else None)


async def stuck(
    db: AsyncSession, condition: ColumnElement[bool], now: datetime, *, limit: int
) -> list[DeliveryRow]:
    query = named_deliveries().where(condition).order_by(col(Delivery.id).desc()).limit(limit)
    return await _rows(db, query.options(*without(*HEAVY)), now)


async def choices(db: AsyncSession) -> dict[str, Any]:
    """Give the receivers and the rules that a list of deliveries can be narrowed to, those deleted last."""
    gone = col(Endpoint.state) == EndpointState.DELETED
    endpoints = select(Endpoint.id, Endpoint.name, gone).order_by(gone, col(Endpoint.name), col(Endpoint.id))
    found = (await db.exec(endpoints)).all()
    rules = select(Rule.id, Rule.name).order_by(col(Rule.position))
    return {
        "endpoints": [(number or 0, name) for number, name, _ in found],
        "deleted": {number or 0 for number, _, deleted in found if deleted},
        "rules": [(number or 0, name) for number, name in (await db.exec(rules)).all()],
    }


async def delivery(db: AsyncSession, delivery_id: int, now: datetime) -> DeliveryRow | None:
    found = await _rows(db, named_deliveries().where(Delivery.id == delivery_id), now)
    return found[0] if found else None


async def _rows(
    db: AsyncSession, query: Select[Delivery, Message, str, str], now: datetime
) -> list[DeliveryRow]:
    found = (await db.exec(query)).all()
    why = await waits(db, [row[0] for row in found], now)
    return [DeliveryRow(*row, waits=why.get(row[0].id)) for row in found]


def named_deliveries() -> Select[Delivery, Message, str, str]:
    return (
        select(Delivery, Message, Endpoint.name, Rule.name)
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(Endpoint, col(Endpoint.id) == Delivery.endpoint_id)
        .join(Rule, col(Rule.id) == Delivery.rule_id)
    )


def without(*columns: object) -> list[ExecutableOption]:
    """Leave in the database what a list does not show."""
    return [defer(column, raiseload=True) for column in columns]  # type: ignore[arg-type]


def contains(text: str) -> list[ColumnElement[bool]]:
    """Ask for a mail with this text in its subject or sender."""
    if not text:
        return []
    subject, sender = func.lower(Message.subject), func.lower(Message.sender)
    return [subject.contains(text.lower(), autoescape=True) | sender.contains(text.lower(), autoescape=True)]


def _message_conditions(wanted: MessageFilter) -> list[ColumnElement[bool]]:
    conditions = contains(wanted.text)
    if wanted.show in set(Verdict):
        conditions.append(col(Message.verdict) == Verdict(wanted.show))
    elif wanted.show in set(MessageState):
        conditions.append(col(Message.state) == MessageState(wanted.show))
    if wanted.mailbox is not None:
        conditions.append(col(Message.mailbox_id) == wanted.mailbox)
    if wanted.before is not None:
        conditions.append(col(Message.id) < wanted.before)
    return conditions


def _word(mail: Message, states: set[str]) -> str:
    if mail.state is not MessageState.DECIDED or mail.verdict is None:
        return mail.state.value
    return next((state.value for state in WORST_FIRST if state in states), mail.verdict.value)
