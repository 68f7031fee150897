"""Every second, in every worker: find what is due, expired or forgotten. It does no harm twice."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events import Event
from app.jobs.context import Context
from app.jobs.decide import deadly, give_back_decisions, overdue, set_aside
from app.jobs.hold import AT_ONCE, due_holds, release_due, release_in_turn, turn_has_come
from app.jobs.lost import give_back_deliveries
from app.jobs.owner import dead
from app.jobs.receivers import drop_of_deleted
from app.models import Delivery, DeliveryState, Endpoint, EndpointState, Message, Run, RunState, Setting

LONGEST_LEASE = timedelta(seconds=400)  # further ahead, a clock has been set back since
LONGEST_WAIT = timedelta(hours=36)  # the same for a try that is due
MOST_BATCHES = 20  # of held deliveries in one go; the next second takes up the rest


async def sweep(context: Context) -> bool:
    """Put right what a crash, a clock or a lost ring left behind; True when something changed."""
    now = context.now()
    async with context.database.reading() as db:
        work = await _work(db, now)
    if not any(work):
        return False  # most seconds there is nothing to do, and no need for the write lock
    async with context.database.transaction() as db:
        changed = await _give_back(db, now)
        changed += await set_aside(db, now)
        changed += await _pull_in(db, now)
        changed += await drop_of_deleted(db, now)
    changed += await _release(context, now)
    if changed:
        context.bells.deliver.set()
        context.bells.decide.set()
        await context.queue.publish(Event.DELIVERY_CHANGED, Event.MESSAGE_CHANGED)
    return bool(changed)


async def _release(context: Context, now: datetime) -> int:
    """Let go what may go: batch by batch, so that nobody waits long for the write lock."""
    released = 0
    for _ in range(MOST_BATCHES):
        async with context.database.transaction() as db:
            looked_at = await release_due(db, now)
        released += looked_at
        if looked_at < AT_ONCE:
            break
        context.bells.deliver.set()
    async with context.database.transaction() as db:
        return released + await release_in_turn(db, now)


async def _work(db: AsyncSession, now: datetime) -> list[bool]:
    owners = await _owners(db)
    setting = await Setting.load(db)
    queries = (
        select(Delivery.id).where(*_expired(now)),
        select(Delivery.id).where(*_too_far(now)),
        select(Delivery.id).where(*_of_deleted()),
        select(Message.id).where(Message.is_waiting(), or_(*overdue(now))),
    )
    held = (await db.exec(due_holds(setting.revision, now).limit(1))).first()
    fatal = (await db.exec(deadly().limit(1))).first()
    odd = [(await db.exec(query.limit(1))).first() for query in queries]
    turn = await turn_has_come(db, setting, now)
    return [any(map(dead, owners)), turn, *(row is not None for row in (held, fatal, *odd))]


async def _owners(db: AsyncSession) -> set[str]:
    """Name everybody who holds something at this moment."""
    held = (
        select(Delivery.lease_owner).where(Delivery.is_now(DeliveryState.SENDING)),
        select(Message.decide_owner).where(Message.is_waiting(), col(Message.decide_owner).is_not(None)),
        select(Run.owner).where(Run.state == RunState.RUNNING),
    )
    return {owner for query in held for owner in (await db.exec(query.distinct())).all() if owner}


async def _give_back(db: AsyncSession, now: datetime) -> int:
    """Free what dead processes hold, and what somebody held for longer than any lease lasts."""
    gone = [owner for owner in await _owners(db) if dead(owner)]
    lost = select(Delivery).where(
        Delivery.is_now(DeliveryState.SENDING), or_(col(Delivery.lease_owner).in_(gone), *_expired(now)[1:])
    )
    deliveries = (await db.exec(lost)).all()
    await give_back_deliveries(db, deliveries, now)
    decisions = await give_back_decisions(db, gone, now)
    runs = await db.exec(
        update(Run)
        .where(col(Run.state) == RunState.RUNNING, col(Run.owner).in_(gone))
        .values(state=RunState.QUEUED, owner=None)
    )
    return len(deliveries) + decisions + int(runs.rowcount)


def _expired(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    too_old = or_(col(Delivery.lease_until) < now, col(Delivery.lease_until) > now + LONGEST_LEASE)
    return Delivery.is_now(DeliveryState.SENDING), too_old


def _too_far(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Delivery.is_now(DeliveryState.PENDING), col(Delivery.due_at) > now + LONGEST_WAIT


def _of_deleted() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What was under way, or was being decided, when its receiver was deleted."""
    deleted = select(Endpoint.id).where(Endpoint.state == EndpointState.DELETED)
    return Delivery.is_now(DeliveryState.PENDING), col(Delivery.endpoint_id).in_(deleted)


async def _pull_in(db: AsyncSession, now: datetime) -> int:
    result = await db.exec(update(Delivery).where(*_too_far(now)).values(due_at=now))
    return int(result.rowcount)
