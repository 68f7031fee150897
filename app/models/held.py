"""What is held, in the order in which it will go; and mail that no receiver waits for."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import history
from app.models.decision import Decision
from app.models.delivery import Delivery, DeliveryState
from app.models.history import DeliveryRow
from app.models.message import Message
from app.models.rule import Rule

RECEIVER = "receiver"  # why something is held that no gate holds
GATES = ("paused", "waits_in_line", "before_window", "after_window", "absence_day", "vacation")
MOST_MAILS = 10  # without receiver, shown at once


def by_receiver() -> ColumnElement[bool]:
    """Ask, of what is held, for what no gate holds."""
    return not_(Delivery.why().in_(GATES))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFilter:
    why: str = ""  # the code of a gate, or that its receiver holds it
    endpoint: int | None = None
    rule: int | None = None
    text: str = ""
    newest: int | None = None  # what came later is left out, for nobody has seen it

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions = [Delivery.is_now(DeliveryState.HELD), *history.contains(self.text)]
        if self.why in GATES:
            conditions.append(Delivery.why() == self.why)
        elif self.why == RECEIVER:
            conditions.append(by_receiver())
        if self.endpoint is not None:
            conditions.append(col(Delivery.endpoint_id) == self.endpoint)
        if self.rule is not None:
            conditions.append(col(Delivery.rule_id) == self.rule)
        if self.newest is not None:
            conditions.append(col(Delivery.id) <= self.newest)
        return conditions


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: after this moment of release (None: none is known) and this row."""

    release_at: datetime | None
    id: int

    def __str__(self) -> str:
        return f"{self.release_at.isoformat() if self.release_at else ''}~{self.id}"

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """Read it back from an address; what makes no sense is the beginning."""
        moment, _, number = text.partition("~")
        try:
            at = datetime.fromisoformat(moment).astimezone(UTC) if moment else None
            return cls(at, int(number)) if len(number) < 10 else None
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPage:
    rows: list[DeliveryRow]
    total: int  # that match
    newest: int
    further: Place | None  # where the next page begins


@dataclass(frozen=True, slots=True)
class OwedMail:
    """One that rules without receiver took, with what they said of it."""

    message: Message
    why: list[dict[str, Any]]
    deleted: bool  # all of these rules are


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedPage:
    rows: list[OwedMail]
    total: int
    older: int | None  # the id before which the next page begins
    first: bool


async def held(
    db: AsyncSession, wanted: HeldFilter, after: Place | None, *, limit: int = history.PAGE
) -> HeldPage:
    """Give a page of it: the soonest release first, then what has none that is known."""
    conditions = wanted.conditions()
    numbers = select(func.count(), func.max(Delivery.id))
    mails = numbers.join(Message, col(Message.id) == Delivery.message_id)
    total, newest = (await db.exec(mails.where(*conditions))).one()
    order = (col(Delivery.release_at).is_(None), col(Delivery.release_at), col(Delivery.id))
    beyond = [_beyond(after)] if after else []
    query = history.named_deliveries().where(*conditions, *beyond).order_by(*order).limit(limit + 1)
    light = query.options(*history.without(*history.HEAVY))
    found = [DeliveryRow(*row) for row in (await db.exec(light)).all()]
    last = found[limit - 1].delivery if len(found) > limit else None
    return HeldPage(
        rows=found[:limit],
        total=total,
        newest=newest or 0,
        further=Place(last.release_at, last.id or 0) if last else None,
    )


async def reasons(db: AsyncSession) -> list[str]:
    """Name why things are held at this moment."""
    query = select(Delivery.why()).where(Delivery.is_now(DeliveryState.HELD)).distinct()
    found = {why if why in GATES else RECEIVER for why in (await db.exec(query)).all()}
    return [why for why in (*GATES, RECEIVER) if why in found]


async def without_receiver(
    db: AsyncSession, before: int | None = None, *, limit: int = MOST_MAILS
) -> OwedPage:
    """Give a page of the mails that rules without receiver took, the newest first."""
    owed = select(Decision.message_id).where(Decision.owed()).distinct()
    beyond = [Decision.message_id < before] if before is not None else []
    page = owed.where(*beyond).order_by(col(Decision.message_id).desc()).limit(limit + 1)
    ids = list((await db.exec(page)).all())
    total = (await db.exec(select(func.count()).select_from(owed.subquery()))).one()
    older = ids[limit - 1] if len(ids) > limit else None
    return OwedPage(rows=await _owed_mails(db, ids[:limit]), total=total, older=older, first=before is None)


async def _owed_mails(db: AsyncSession, ids: list[int]) -> list[OwedMail]:
    query = (
        select(Message, Decision.reason, Rule.archived_at)
        .join(Decision, col(Decision.message_id) == Message.id)
        .join(Rule, col(Rule.id) == Decision.rule_id)
        .where(Decision.owed(), col(Message.id).in_(ids))
        .order_by(col(Message.id).desc(), col(Decision.position))
        .options(*history.without(Message.steps))
    )
    said = (await db.exec(query)).all()
    return [
        OwedMail(message, [dict(reason) for _, reason, _ in rules], all(gone for _, _, gone in rules))
        for message, rules in ((key, list(group)) for key, group in groupby(said, key=itemgetter(0)))
    ]


def _beyond(place: Place) -> ColumnElement[bool]:
    later_row = col(Delivery.id) > place.id
    if place.release_at is None:
        return and_(col(Delivery.release_at).is_(None), later_row)
    same = and_(col(Delivery.release_at) == place.release_at, later_row)
    return or_(same, col(Delivery.release_at) > place.release_at, col(Delivery.release_at).is_(None))
