"""What its answers make of a receiver: its pace, its breaker, and when it is parked or well again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs import notices
from app.jobs.result import Result
from app.models import Attempt, DeliveryState, Endpoint, EndpointState, LogEvent
from app.rules import breaker, pace
from app.rules.breaker import Try
from app.rules.outcome import NOT_ITS_FAULT, Treatment
from app.rules.pace import Pace
from app.rules.retry import wait_asked
from app.rules.verdict import Reason

OVERLOADED = {429, 503}
LONGEST_PAUSE = timedelta(hours=1)  # of a whole endpoint; the delivery waits as long as it was asked to
TOLD = 3  # openings of the breaker, one after another, of which people hear

Heard = Sequence[tuple[Result, Treatment]]


async def hear(db: AsyncSession, endpoint: Endpoint, heard: Heard) -> None:
    """Take in what happened at one receiver; its attempts are written down already."""
    before, was_told_of = endpoint.opened, endpoint.opened >= TOLD or endpoint.parked_for is not None
    for result, treatment in sorted(heard, key=lambda one: one[0].ended_at):
        _hear(endpoint, result, treatment)
        _keep_pace(endpoint, result, treatment)
        await _tell_of(db, endpoint, result, treatment)
    now = max(result.ended_at for result, _ in heard)
    if endpoint.failures and not endpoint.opened and breaker.opens(await _tries(db, endpoint)):
        endpoint.leave_alone(now)
    if breaker.gives_up(endpoint.failing_since, endpoint.failures, now):
        since = endpoint.failing_since or now
        _park(db, endpoint, Reason("receiver_silent", {"since": since.isoformat()}), now)
    if before < TOLD <= endpoint.opened:
        notices.endpoint_failing(db, endpoint, now)
    well = any(treatment.state == DeliveryState.SENT for _, treatment in heard)
    if was_told_of and well and not endpoint.failures and endpoint.state is EndpointState.ACTIVE:
        endpoint.parked_for = None
        notices.endpoint_recovered(db, endpoint, now)


def _hear(endpoint: Endpoint, result: Result, treatment: Treatment) -> None:
    now = result.ended_at
    if treatment.state == DeliveryState.SENT:
        endpoint.succeeded(result.claimed.at, now)
    elif treatment.counts_as_failure:
        endpoint.failed(now)
        if result.claimed.probe and endpoint.opened:
            endpoint.leave_alone(now)
    elif result.claimed.probe:
        endpoint.let_another_try(now)
    asked = _asked(result)
    if asked is not None and treatment.state == DeliveryState.PENDING:
        endpoint.not_before = max(endpoint.not_before or now, now + min(asked, LONGEST_PAUSE))


def _keep_pace(endpoint: Endpoint, result: Result, treatment: Treatment) -> None:
    """Let it have more at once while it answers quickly, and fewer when it does not."""
    overloaded = result.answer is not None and result.answer.status in OVERLOADED
    may_slow = endpoint.slowed_at is None or result.claimed.at > endpoint.slowed_at
    changed = pace.after(
        Pace(endpoint.pace, endpoint.usual_ms),
        result.took,
        well=not treatment.counts_as_failure and not overloaded,
        limit=endpoint.concurrency,
        busy=result.busy,
        may_slow=may_slow,
    )
    if changed.at_once < endpoint.pace or overloaded:
        endpoint.slowed_at = result.ended_at
    endpoint.pace, endpoint.usual_ms = changed.at_once, changed.usual


async def _tell_of(db: AsyncSession, endpoint: Endpoint, result: Result, treatment: Treatment) -> None:
    why, when = treatment.reason, result.ended_at
    if treatment.parks_endpoint:
        _park(db, endpoint, why, when)
    elif treatment.state == DeliveryState.HELD:
        await notices.endpoint_unreachable(db, endpoint, why, when)
    elif treatment.state == DeliveryState.FAILED:
        notices.delivery_failed(db, result.claimed.id, endpoint, reason=why, now=when)


async def _tries(db: AsyncSession, endpoint: Endpoint) -> list[Try]:
    """Give the last tries that say something about the receiver, newest first."""
    query = (
        select(Attempt.delivery_id, Attempt.outcome)
        .where(
            Attempt.endpoint_id == endpoint.id,
            col(Attempt.ended_at).is_not(None),
            col(Attempt.outcome).not_in(NOT_ITS_FAULT),
        )
        .order_by(col(Attempt.started_at).desc(), col(Attempt.id).desc())
        .limit(breaker.LOOKED_AT)
    )
    if endpoint.closed_at is not None:
        query = query.where(col(Attempt.started_at) >= endpoint.closed_at)
    return [Try(delivery_id, outcome != "sent") for delivery_id, outcome in (await db.exec(query)).all()]


def _asked(result: Result) -> timedelta | None:
    """How long the receiver, being overloaded, wants to be left alone altogether."""
    if result.answer is None or result.answer.status not in OVERLOADED:
        return None
    asked = wait_asked(result.answer.headers.get("retry-after"), result.ended_at)
    return asked if asked is not None and asked > timedelta(0) else None


def _park(db: AsyncSession, endpoint: Endpoint, reason: Reason, now: datetime) -> None:
    if endpoint.state is not EndpointState.ACTIVE:
        return
    endpoint.park(reason, now)
    facts = {"reason": reason.code}
    db.add(LogEvent(at=now, level="warning", event="endpoint parked", subject=endpoint.name, facts=facts))
    notices.endpoint_parked(db, endpoint, reason, now)
