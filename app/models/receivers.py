"""The receivers as their pages show them: what each does, what waits for it, and how quickly it answers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Subquery, and_, union_all
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.delivery import Attempt, Delivery, DeliveryState
from app.models.endpoint import Endpoint, EndpointState
from app.models.endpoint_test import EndpointTest
from app.models.held import by_receiver
from app.models.history import without
from app.models.message import Message
from app.models.refusal import stops_each
from app.models.rule import Rule, RuleVersion
from app.models.setting import Setting
from app.rules.verdict import Reason

MEASURED, DAY = 200, timedelta(hours=24)  # answers, and how old they may be
ENOUGH = 20  # answers for 95 of 100 to mean more than the slowest one
LAST = 10  # attempts, and tests, on the page of one receiver
OVERVIEW = 100  # receivers at most whose answers are measured on one page


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What waits for a receiver."""

    due: int = 0
    later: int = 0  # for its next try, or for its turn after a pause
    sending: int = 0
    held: int = 0  # because of it
    gated: int = 0  # until its hour comes or sending is on, which is not the receiver's doing

    @property
    def length(self) -> int:
        """Count what is the receiver's; not what a gate holds."""
        return self.due + self.later + self.sending + self.held


@dataclass(frozen=True, slots=True)
class Speed:
    """How long answers took lately, in milliseconds: half of them, and nearly all of them, were quicker."""

    answers: int
    p50: float
    p95: float

    @property
    def tells_most(self) -> bool:
        """Whether there are enough answers to speak of 95 of 100."""
        return self.answers >= ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    endpoint: Endpoint
    line: Line = field(default_factory=Line)
    speed: Speed | None = None
    stopped: Reason | None = None  # why nothing goes to it at this moment
    rules: list[Rule] = field(default_factory=list)  # that send to it
    mirror: bool = False


class LastAttempt(NamedTuple):
    attempt: Attempt
    message: Message


async def listed(db: AsyncSession, now: datetime) -> list[Receiver]:
    """Give all that are not deleted, by name."""
    query = select(Endpoint).where(Endpoint.state != EndpointState.DELETED)
    endpoints = (await db.exec(query.order_by(func.lower(Endpoint.name), col(Endpoint.id)))).all()
    return await _described(db, endpoints, now)


async def deleted(db: AsyncSession) -> Sequence[Endpoint]:
    """Give what was deleted, the latest first."""
    query = select(Endpoint).where(Endpoint.state == EndpointState.DELETED)
    return (await db.exec(query.order_by(col(Endpoint.state_since).desc()))).all()


async def described(db: AsyncSession, endpoint: Endpoint, now: datetime) -> Receiver:
    return (await _described(db, [endpoint], now))[0]


async def in_use(db: AsyncSession, endpoint: Endpoint) -> bool:
    """Say whether a rule sends to it, or it is the mirror."""
    rules, setting = await _rules(db, [endpoint.id or 0]), await Setting.load(db)
    return bool(rules) or setting.mirror_id == endpoint.id


async def last_attempts(db: AsyncSession, endpoint: Endpoint) -> list[LastAttempt]:
    """Give the latest, newest first, each with its mail."""
    query = (
        select(Attempt, Message)
        .join(Delivery, col(Delivery.id) == Attempt.delivery_id)
        .join(Message, col(Message.id) == Delivery.message_id)
        .where(Attempt.endpoint_id == endpoint.id)
        .order_by(col(Attempt.started_at).desc(), col(Attempt.id).desc())
        .limit(LAST)
        .options(*without(Attempt.answer, Message.steps))
    )
    return [LastAttempt(*row) for row in (await db.exec(query)).all()]


async def last_tests(db: AsyncSession, endpoint: Endpoint) -> Sequence[EndpointTest]:
    """Give the latest, newest first."""
    query = select(EndpointTest).where(EndpointTest.endpoint_id == endpoint.id)
    return (await db.exec(query.order_by(col(EndpointTest.id).desc()).limit(LAST))).all()


async def _described(db: AsyncSession, endpoints: Sequence[Endpoint], now: datetime) -> list[Receiver]:
    ids = [endpoint.id or 0 for endpoint in endpoints]
    if not ids:
        return []
    lines, speeds, rules = await _lines(db, ids, now), await _speeds(db, ids, now), await _rules(db, ids)
    setting = await Setting.load(db)
    stopped = await stops_each(db, endpoints, sending=setting.sending, now=now)
    return [
        Receiver(
            endpoint=endpoint,
            line=lines.get(number, Line()),
            speed=speeds.get(number),
            stopped=stopped[number],
            rules=rules.get(number, []),
            mirror=number == setting.mirror_id,
        )
        for number, endpoint in zip(ids, endpoints, strict=True)
    ]


async def _rules(db: AsyncSession, ids: Sequence[int]) -> dict[int, list[Rule]]:
    """Name the rules that send to these, without what they say otherwise."""
    query = (
        select(Rule, RuleVersion.endpoint_ids)
        .where(RuleVersion.rule_id == Rule.id, RuleVersion.number == Rule.version)
        .where(col(Rule.archived_at).is_(None))
        .order_by(col(Rule.position), col(Rule.id))
    )
    found: dict[int, list[Rule]] = defaultdict(list)
    for rule, chosen in (await db.exec(query)).all():
        for one in set(ids).intersection(chosen):
            found[one].append(rule)
    return found


async def _lines(db: AsyncSession, ids: Sequence[int], now: datetime) -> dict[int, Line]:
    """Count what waits, each state by the index that knows it."""
    due = await _count(db, ids, Delivery.is_due(now))
    pending = await _count(db, ids, Delivery.is_now(DeliveryState.PENDING))
    sending = await _count(db, ids, Delivery.is_now(DeliveryState.SENDING))
    held = await _count(db, ids, Delivery.is_now(DeliveryState.HELD))
    own = await _count(db, ids, and_(Delivery.is_now(DeliveryState.HELD), by_receiver()))
    return {
        one: Line(
            due=due.get(one, 0),
            later=pending.get(one, 0) - due.get(one, 0),
            sending=sending.get(one, 0),
            held=own.get(one, 0),
            gated=held.get(one, 0) - own.get(one, 0),
        )
        for one in ids
    }


async def _count(db: AsyncSession, ids: Sequence[int], condition: ColumnElement[bool]) -> dict[int, int]:
    query = (
        select(Delivery.endpoint_id, func.count())
        .where(condition, col(Delivery.endpoint_id).in_(ids))
        .group_by(col(Delivery.endpoint_id))
    )
    return dict((await db.exec(query)).all())


async def _speeds(db: AsyncSession, ids: Sequence[int], now: datetime) -> dict[int, Speed]:
    """Measure the last answers of each, so many at most, in one statement."""
    lasts = [_last_answers(one, now) for one in ids[:OVERVIEW]]
    rows = (await db.exec(union_all(*(select(*one.c) for one in lasts)))).all()  # type: ignore[call-overload]
    took: dict[int, list[float]] = defaultdict(list)
    for endpoint_id, timings, started_at, ended_at in rows:
        whole = (ended_at - started_at).total_seconds() * 1000
        took[endpoint_id].append(sum(timings.values()) or whole)
    return {one: speed_of(sorted(times)) for one, times in took.items()}


def _last_answers(endpoint_id: int, now: datetime) -> Subquery:
    query = (
        select(Attempt.endpoint_id, Attempt.timings, Attempt.started_at, Attempt.ended_at)
        .where(
            Attempt.endpoint_id == endpoint_id,
            col(Attempt.started_at) > now - DAY,
            col(Attempt.status).is_not(None),
        )
        .order_by(col(Attempt.started_at).desc())
        .limit(MEASURED)
    )
    return query.subquery()


def speed_of(times: Sequence[float]) -> Speed:
    """The value below which so many of a hundred lie, by the nearest of them."""
    last = len(times) - 1
    return Speed(len(times), times[last * 50 // 100], times[-(-last * 95 // 100)])
