"""What is older than it is kept, kind by kind: counted for a page, found for the clean-up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, GenerativeSelect, and_, exists, func, or_
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from app.models.decision import Decision
from app.models.delivery import FINISHED, UNFINISHED, Attempt, Delivery, DeliveryState
from app.models.effect import Effect
from app.models.endpoint_test import EndpointTest
from app.models.log_event import LogEvent
from app.models.message import Message, MessageState, Raw
from app.models.notice import Notice
from app.models.run import POLL, Run
from app.models.session import Session, SignInToken
from app.models.setting import Setting
from app.rules.retention import COUNTED, Kind, threshold

OVERHEAD = 500  # bytes of an attempt beside its answer


@dataclass(frozen=True, slots=True)
class OldRows:
    """Rows that go as a whole."""

    table: type[SQLModel]
    key: Any  # a mapped column
    age: Any  # the column by which they are found
    which: ColumnElement[bool]


def settled(before: datetime) -> ColumnElement[bool]:
    """Ask for mails whose source nothing needs any more: decided, and owed to no receiver."""
    unfinished = exists().where(col(Delivery.message_id) == Message.id, col(Delivery.state).in_(UNFINISHED))
    owed = exists().where(col(Decision.message_id) == Message.id, Decision.owed())
    return and_(
        col(Message.stored_at) < before, col(Message.state) == MessageState.DECIDED, ~unfinished, ~owed
    )


def old_sources(before: datetime, *, after: int = 0) -> Select[Any, Any]:
    """Find sources and their sizes, the oldest first; young ones are not even looked at."""
    newest = (
        select(Message.id)
        .where(col(Message.stored_at) < before)
        .order_by(col(Message.stored_at).desc(), col(Message.id).desc())  # a batch has one moment
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(Raw.message_id, Message.size)
        .join(Message, col(Message.id) == Raw.message_id)
        .where(Raw.message_id > after, col(Raw.message_id) <= newest, settled(before))
        .order_by(col(Raw.message_id))
    )


def old_bodies(state: DeliveryState, before: datetime, since: datetime | None) -> Select[Any, Any, Any]:
    """Find bodies of deliveries that ended in this state, in the order in which they ended."""
    return (
        select(Delivery.id, Delivery.finished_at, func.octet_length(Delivery.body))
        .where(*_ended(state, before, since), col(Delivery.body).is_not(None))
        .order_by(col(Delivery.finished_at))
    )


def old_attempts(state: DeliveryState, before: datetime, since: datetime | None) -> Select[Any, Any, Any]:
    """Find attempts of deliveries that ended in this state, in the order in which they ended."""
    size = func.coalesce(func.octet_length(Attempt.answer), 0) + OVERHEAD
    return (
        select(Attempt.id, Delivery.finished_at, size)
        .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
        .where(*_ended(state, before, since))
        .order_by(col(Delivery.finished_at))
    )


def ended(before: datetime) -> ColumnElement[bool]:
    """Ask for deliveries that ended before a moment, whatever became of them."""
    return and_(col(Delivery.state).in_(FINISHED), col(Delivery.finished_at) < before)


def _ended(state: DeliveryState, before: datetime, since: datetime | None) -> tuple[ColumnElement[bool], ...]:
    span = (col(Delivery.state) == state, col(Delivery.finished_at) < before)
    return span if since is None else (*span, col(Delivery.finished_at) >= since)


def old_rows(kind: Kind, before: datetime) -> tuple[OldRows, ...]:
    """Say which rows of other tables go with a kind."""
    if kind is Kind.ATTEMPTS:
        tested = EndpointTest
        return (OldRows(tested, tested.id, tested.id, col(tested.ended_at) < before),)
    if kind is not Kind.LOGS:
        return ()
    # pages say when something was last saved, switched or polled, however long ago that is
    latest_events = select(func.max(LogEvent.id)).group_by(LogEvent.event)
    latest_polls = select(func.max(Run.id)).where(Run.kind == POLL).group_by(col(Run.mailbox_id))
    over = or_(col(Notice.seen_at).is_not(None), Notice.settled())
    told = and_(over, col(Notice.mailed_at).is_not(None), col(Notice.at) < before)
    polled = and_(col(Run.kind) == POLL, col(Run.ended_at) < before, col(Run.id).not_in(latest_polls))
    logged = and_(col(LogEvent.at) < before, col(LogEvent.id).not_in(latest_events))
    return (
        OldRows(LogEvent, LogEvent.id, LogEvent.at, logged),
        OldRows(Run, Run.id, Run.id, polled),
        OldRows(Effect, Effect.id, Effect.done_at, col(Effect.done_at) < before),
        OldRows(Notice, Notice.id, Notice.at, told),
        OldRows(SignInToken, SignInToken.id, SignInToken.id, col(SignInToken.expires_at) < before),
        OldRows(Session, Session.id, Session.id, col(Session.expires_at) < before),
    )


async def count_old(
    db: AsyncSession, setting: Setting, days: Mapping[str, int], now: datetime
) -> dict[Kind, int]:
    """Count what these days would remove; of very many it is only known that they are more than COUNTED."""
    counts = {}
    for kind in Kind:
        before = threshold(days[kind.setting], now)
        counts[kind] = sum([await _count(db, query) for query in _queries(setting, kind, before)])
    return counts


def _queries(setting: Setting, kind: Kind, before: datetime | None) -> list[GenerativeSelect]:
    if before is None:
        return []
    rows: list[GenerativeSelect] = [select(one.age).where(one.which) for one in old_rows(kind, before)]
    if kind is Kind.SOURCES:
        return [old_sources(before)]
    if kind is Kind.BODIES:
        return [old_bodies(state, before, setting.bodies_from) for state in FINISHED]
    if kind is Kind.ATTEMPTS:
        return [*rows, *(old_attempts(state, before, setting.attempts_from) for state in FINISHED)]
    return rows


async def _count(db: AsyncSession, query: GenerativeSelect) -> int:
    some = query.order_by(None).limit(COUNTED + 1).subquery()
    number: int = (await db.exec(select(func.count()).select_from(some))).one()
    return number
