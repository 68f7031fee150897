"""Free what the dead hold, and what somebody has held for longer than any lease lasts."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.context import Context
from app.jobs.decide import give_back_decisions
from app.jobs.lost import give_back_deliveries
from app.jobs.owner import dead, machine
from app.models import Delivery, DeliveryState, Message, Process, Run, RunState
from app.models.fate import receivers

LONGEST_LEASE = timedelta(seconds=400)  # further ahead, a clock has been set back since
SILENT = timedelta(seconds=60)  # without a heartbeat, a worker of another machine is taken for dead


async def owners_of_work(db: AsyncSession) -> set[str]:
    """Name everybody who holds something at this moment."""
    held = (
        select(Delivery.lease_owner).where(Delivery.is_now(DeliveryState.SENDING)),
        select(Message.decide_owner).where(Message.is_waiting(), col(Message.decide_owner).is_not(None)),
        select(Run.owner).where(Run.state == RunState.RUNNING),
    )
    return {owner for query in held for owner in (await db.exec(query.distinct())).all() if owner}


async def give_back(db: AsyncSession, context: Context, now: datetime) -> int:
    """Give how much was freed."""
    gone = [owner for owner in await owners_of_work(db) if dead(owner)]
    held = or_(col(Delivery.lease_owner).in_(gone), too_long(context, now))
    lost = Delivery.is_now(DeliveryState.SENDING), held
    endpoints = (await db.exec(select(Delivery.endpoint_id).where(*lost).distinct())).all()
    await receivers(db, set(endpoints))  # locked before their deliveries, as claims and results do
    # asked again once we have the locks: another worker may have freed and claimed them meanwhile
    query = select(Delivery).where(*lost).order_by(col(Delivery.id)).with_for_update()
    deliveries = (await db.exec(query)).all()
    await give_back_deliveries(db, deliveries, now)
    decisions = await give_back_decisions(db, gone, now)
    left = or_(col(Run.owner).in_(gone), forsaken(now))
    running = update(Run).where(col(Run.state) == RunState.RUNNING, left)
    runs = await db.exec(running.values(state=RunState.QUEUED, owner=None))
    return len(deliveries) + decisions + int(runs.rowcount)


def too_long(context: Context, now: datetime) -> ColumnElement[bool]:
    """Ask whether a delivery is held too long; what we still have in hand ends by its own time limit."""
    in_time = col(Delivery.lease_until).between(now, now + LONGEST_LEASE)
    return ~in_time & col(Delivery.id).not_in(context.in_hand)


def forsaken(now: datetime) -> ColumnElement[bool]:
    """Ask whether a run's worker gives no sign of life any more, wherever it was."""
    beating = select(Process.owner).where(col(Process.beat_at).between(now - SILENT, now + SILENT))
    old = ~col(Run.started_at).between(now - SILENT, now + SILENT)
    here = col(Run.owner).startswith(f"{machine()}/", autoescape=True)  # of these `dead` can tell
    return old & ~here & col(Run.owner).not_in(beating)
