"""Every second, in every worker: find what is due, expired or forgotten. It does no harm twice."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events import Event
from app.jobs.context import Context
from app.jobs.decide import deadly, overdue, set_aside
from app.jobs.give_back import LONGEST_LEASE, forsaken, give_back, owners_of_work, too_long
from app.jobs.health import LONGEST_PAUSE
from app.jobs.hold import AT_ONCE, due_holds, release_due, release_in_turn, turn_has_come
from app.jobs.owner import dead
from app.jobs.receivers import drop_of_deleted
from app.models import Delivery, DeliveryState, Endpoint, EndpointState, Message, Run, RunState, Setting

LONGEST_WAIT = timedelta(hours=36)  # the same for a try that is due
FARTHEST = {  # moments of an endpoint
    "open_until": LONGEST_PAUSE + LONGEST_LEASE,
    "not_before": LONGEST_PAUSE,
    **dict.fromkeys(("closed_at", "slowed_at", "failing_since"), LONGEST_LEASE),
}
MOST_BATCHES = 20  # of held deliveries in one go; the next second takes up the rest


async def sweep(context: Context) -> bool:
    """Put right what a crash, a clock or a lost ring left behind; True when something changed."""
    now = context.now()
    async with context.database.reading() as db:
        work = await _work(db, context, now)
    if not any(work):
        return False  # most seconds there is nothing to do, and no need for the write lock
    async with context.database.transaction() as db:
        changed = await give_back(db, context, now)
        changed += await set_aside(db, now)
        changed += await _pull_in(db, now)
        changed += await _put_right(db, now)
        changed += await drop_of_deleted(db, now)
        changed += await _forget_old_secrets(db, now)
        context.crash.point("sweep.before_commit")
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
            if looked_at:
                context.crash.point("release.before_commit")
        released += looked_at
        if looked_at < AT_ONCE:
            break
        context.bells.deliver.set()
    async with context.database.transaction() as db:
        return released + await release_in_turn(db, now)


async def _work(db: AsyncSession, context: Context, now: datetime) -> list[bool]:
    owners = await owners_of_work(db)
    setting = await Setting.load(db)
    queries = (
        select(Delivery.id).where(Delivery.is_now(DeliveryState.SENDING), too_long(context, now)),
        select(Run.id).where(col(Run.state) == RunState.RUNNING, forsaken(now)),
        select(Endpoint.id).where(or_(*_ahead(now).values())),
        select(Delivery.id).where(*_too_far(now)),
        select(Delivery.id).where(*_of_deleted()),
        select(Endpoint.id).where(col(Endpoint.previous_until) <= now),
        select(Message.id).where(Message.is_waiting(), or_(*overdue(now))),
    )
    held = (await db.exec(due_holds(setting.revision, now).limit(1))).first()
    fatal = (await db.exec(deadly().limit(1))).first()
    odd = [(await db.exec(query.limit(1))).first() for query in queries]
    turn = await turn_has_come(db, setting, now)
    return [any(map(dead, owners)), turn, *(row is not None for row in (held, fatal, *odd))]


def _too_far(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Delivery.is_now(DeliveryState.PENDING), col(Delivery.due_at) > now + LONGEST_WAIT


def _ahead(now: datetime) -> dict[str, ColumnElement[bool]]:
    """What a wrong clock wrote into an endpoint lies further ahead than anything of it should."""
    return {name: getattr(Endpoint, name) > now + farthest for name, farthest in FARTHEST.items()}


async def _put_right(db: AsyncSession, now: datetime) -> int:
    changed = 0
    for name, wrong in _ahead(now).items():
        changed += int((await db.exec(update(Endpoint).where(wrong).values({name: now}))).rowcount)
    return changed


def _of_deleted() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What was under way, or was being decided, when its receiver was deleted."""
    deleted = select(Endpoint.id).where(Endpoint.state == EndpointState.DELETED)
    return Delivery.is_now(DeliveryState.PENDING), col(Delivery.endpoint_id).in_(deleted)


async def _pull_in(db: AsyncSession, now: datetime) -> int:
    result = await db.exec(update(Delivery).where(*_too_far(now)).values(due_at=now))
    return int(result.rowcount)


async def _forget_old_secrets(db: AsyncSession, now: datetime) -> int:
    """What signs no more is kept no longer."""
    over = update(Endpoint).where(col(Endpoint.previous_until) <= now)
    return int((await db.exec(over.values(previous_secret=None, previous_until=None))).rowcount)
