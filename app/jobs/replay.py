"""Many deliveries are sent again, at a pace and each of them once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events import Event
from app.jobs.context import Context
from app.jobs.copies import all_as_new
from app.jobs.patience import AWAY
from app.jobs.progress import Progress
from app.models import Delivery, LogEvent, Run, RunState
from app.models.replay import KIND, Order, Survey, remaining
from app.models.trouble import trouble_of
from app.rules.turns import gap, next_turn, turns

AT_ONCE = 50  # deliveries in one commit
MOST_WAITING = 3
PER_MINUTE = 60  # unless somebody says otherwise
FASTEST = 6000
ASKED = "deliveries sent again"

log = structlog.get_logger()


def request_replay(
    db: AsyncSession, order: Order, survey: Survey, *, by: str, now: datetime, once: str = ""
) -> Run:
    """Ask for a replay of what was surveyed, to be rung for after the commit; `once` tells forms apart."""
    details = {
        **order.to_json(),
        "receivers": [endpoint.name for endpoint in survey.receivers],
        "left": {left.value: count for left, count in survey.left.items()},
        "once": once,
        "cursor": 0,  # the last delivery that was put back
        "next_at": None,
    }
    run = Run(kind=KIND, total=survey.going, details=details, requested_by=by, created_at=now)
    db.add_all([run, LogEvent(at=now, event=ASKED, subject=by, facts={"count": survey.going})])
    return run


async def next_replay(context: Context) -> bool:
    """Put back whose turn has come of the replay under way, or begin the next; False when none is due."""
    try:
        run = await _ours(context)
        return run is not None and await _go_on(context, run)
    except AWAY as error:
        if trouble_of(error) is None:
            raise
        log.warning("replay waits", error=str(getattr(error, "orig", error)))
        return False


async def _ours(context: Context) -> Run | None:
    """Give the replay that this worker is at; one at a time for all workers, in the order they were asked."""
    run = await _first(context)
    if run is None or run.state is RunState.RUNNING:
        return run if run and run.owner == context.owner else None
    if not await Progress(context, run.id).begin():
        return None
    log.info("replay begun", run=run.id, deliveries=run.total - run.done)
    return run


async def _first(context: Context) -> Run | None:
    """Give the replay under way, else the one that waits longest."""
    going = [RunState.QUEUED, RunState.RUNNING]
    queued = col(Run.state) == RunState.QUEUED
    unfinished = select(Run).where(Run.kind == KIND, col(Run.state).in_(going)).order_by(queued, col(Run.id))
    async with context.database.reading() as db:
        return (await db.exec(unfinished.limit(1))).first()


async def _go_on(context: Context, run: Run) -> bool:
    now = context.now()
    if not run.cancelled and not _due(run, now):
        return False  # most seconds it is nobody's turn, and no need for the write lock
    async with context.database.transaction() as db:
        found = await db.get(Run, run.id, with_for_update=True)
        if found is None or found.owner != context.owner or found.state is not RunState.RUNNING:
            return False  # another process has taken it over
        if found.cancelled:
            _end(found, RunState.CANCELLED, now)
        else:
            await _put_back(db, found, now)
        await db.flush()
        context.crash.point("replay.before_commit")
    context.crash.point("replay.after_commit")
    context.bells.deliver.set()
    await context.queue.publish(Event.RUN_CHANGED, Event.DELIVERY_CHANGED)
    return True


def _due(run: Run, now: datetime) -> int:
    between = gap(run.details["per_minute"])
    return turns(next_turn(_planned(run), between, now), between, now, most=AT_ONCE)


def _planned(run: Run) -> datetime | None:
    kept = run.details["next_at"]
    return datetime.fromisoformat(kept) if kept else None


async def _put_back(db: AsyncSession, run: Run, now: datetime) -> None:
    """Send some of it again; how far it is stands in the same commit, so that none goes twice."""
    order, most = Order.of(run), _due(run, now)
    query = remaining(order, after=run.details["cursor"], asked_at=run.created_at).limit(most + 1)
    found = (await db.exec(query.with_for_update(of=Delivery))).all()
    if order.as_new:
        await all_as_new(db, found[:most], by=run.requested_by, now=now)
    else:
        for delivery in found[:most]:
            delivery.send_again(now, run.requested_by)
    run.done += len(found[:most])
    run.details = {**run.details, **_place(run, found[:most], now)}
    if len(found) <= most:
        _end(run, RunState.DONE, now)


def _place(run: Run, done: Sequence[Delivery], now: datetime) -> dict[str, Any]:
    between = gap(run.details["per_minute"])
    at = next_turn(_planned(run), between, now) + between * len(done)
    cursor = done[-1].id if done else run.details["cursor"]
    return {"cursor": cursor, "next_at": at.isoformat()}


def _end(run: Run, state: RunState, now: datetime) -> None:
    run.state, run.ended_at = state, now
    log.info("replay ended", run=run.id, state=state.value, done=run.done, total=run.total)
