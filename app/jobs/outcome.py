"""What becomes of a delivery after an attempt: many results in one commit."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.integrations.errors import IntegrationError
from app.integrations.webhook import Answer, DeliveryError
from app.jobs.claim import CONTENT_TYPES, Claimed
from app.jobs.context import Context
from app.models import Attempt, Delivery, DeliveryState, Endpoint, EndpointState, LogEvent, Mode
from app.rules import outcome
from app.rules.outcome import Treatment, Word
from app.rules.retry import wait_asked
from app.rules.verdict import Reason

UNSUPPORTED = 415
OVERLOADED = {429, 503}
LONGEST_PAUSE = timedelta(
    hours=1
)  # of a whole endpoint; the delivery itself waits as long as it was asked to
MOST_DEATHS = 10  # one after another: a run of bad luck is shorter
APART = 10.0  # seconds, at most, between deliveries whose process died twice: one of them may be the cause

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One attempt, ended: an answer, or a failure with its name."""

    claimed: Claimed
    ended_at: datetime
    request_headers: dict[str, str]
    answer: Answer | None = None
    failure: IntegrationError | None = None


async def record(context: Context, results: Sequence[Result]) -> None:
    """Write attempts, deliveries and endpoints down."""
    async with context.database.transaction() as db:
        attempts = await _attempts(db, [result.claimed for result in results])
        for result in results:
            await _record(db, attempts[result.claimed.id, result.claimed.generation], result)
        await db.flush()
        context.crash.point("record.before_commit")
    context.crash.point("record.after_commit")


async def give_back_deliveries(db: AsyncSession, deliveries: Sequence[Delivery], now: datetime) -> None:
    """Free what was being sent when its process died: it may have arrived, and it counts as no failure.

    What processes die of, time after time, has failed all the same.
    """
    for delivery in deliveries:
        attempt = await _attempt(db, delivery, delivery.generation)
        attempt.ended_at, attempt.outcome, attempt.may_have_arrived = now, Word.LOST.value, True
        delivery.may_have_arrived = True
        delivery.deaths += 1
        apart = timedelta(seconds=random.random() * APART if delivery.deaths > 1 else 0)  # noqa: S311 - no secret
        _back_to_pending(delivery, now + apart, Reason(Word.LOST.value).to_json())
        if delivery.deaths >= MOST_DEATHS:
            delivery.state, delivery.finished_at, delivery.needs_attention = DeliveryState.FAILED, now, True
            delivery.reason = Reason("sender_killed", {"tries": delivery.deaths}).to_json()


async def _attempts(
    db: AsyncSession, claimed: Sequence[Claimed]
) -> dict[tuple[int, int], tuple[Attempt, Delivery]]:
    """Find the rows of many attempts at once, by delivery and generation."""
    query = select(Attempt, Delivery).where(
        Attempt.delivery_id == Delivery.id, col(Delivery.id).in_([one.id for one in claimed])
    )
    rows = (await db.exec(query)).all()
    return {(attempt.delivery_id, attempt.generation): (attempt, delivery) for attempt, delivery in rows}


async def _record(db: AsyncSession, rows: tuple[Attempt, Delivery], result: Result) -> None:
    attempt, delivery = rows
    endpoint = await db.get_one(Endpoint, delivery.endpoint_id)
    treatment = _treat(delivery, endpoint, result)
    _describe(attempt, result, treatment)
    ours = delivery.state is DeliveryState.SENDING and delivery.generation == result.claimed.generation
    # An answer that comes after our lease ran out changes nothing, unless it says that the mail has arrived.
    if not ours and (treatment.state != DeliveryState.SENT or delivery.state is DeliveryState.SENT):
        return
    delivery.may_have_arrived = delivery.may_have_arrived or attempt.may_have_arrived
    delivery.deaths = 0
    if _form_next(delivery, endpoint, result):
        delivery.content_type = CONTENT_TYPES[Mode.FORM]
        _back_to_pending(delivery, result.ended_at, {"code": "form_next", "facts": {"status": UNSUPPORTED}})
        return
    _apply(delivery, treatment, result.ended_at)
    _tell_endpoint(db, endpoint, treatment, result)
    log.info(
        "CUSTOM_WEBHOOK: attempt ended",
        delivery=delivery.id,
        outcome=treatment.reason.code,
        state=treatment.state,
        status=attempt.status,
    )


def _treat(delivery: Delivery, endpoint: Endpoint, result: Result) -> Treatment:
    answer, failure = result.answer, result.failure
    return outcome.treat(
        outcome.Answer(
            status=answer.status if answer else None,
            body=answer.body.decode("utf-8", "replace") if answer else "",
            retry_after=answer.headers.get("retry-after") if answer else None,
            word=Word(failure.reason.value) if failure else None,
            detail=failure.detail if failure else "",
        ),
        tries=delivery.tries,
        refusals=delivery.refusals,
        now=result.ended_at,
        random=random.random(),  # noqa: S311 - spreads tries, guards nothing
        schedule=endpoint.schedule,
        require_success=endpoint.require_success,
    )


async def _attempt(db: AsyncSession, delivery: Delivery, generation: int) -> Attempt:
    query = select(Attempt).where(Attempt.delivery_id == delivery.id, Attempt.generation == generation)
    return (await db.exec(query)).one()


def _describe(attempt: Attempt, result: Result, treatment: Treatment) -> None:
    attempt.ended_at, attempt.outcome = result.ended_at, treatment.reason.code
    attempt.request_headers = result.request_headers
    if result.answer is not None:
        answer = result.answer
        attempt.status, attempt.answer, attempt.truncated = answer.status, answer.body, answer.truncated
        attempt.answer_headers, attempt.timings, attempt.peer = answer.headers, answer.timings, answer.peer
    elif result.failure is not None:
        attempt.detail = result.failure.detail
    else:  # an error of ours, and nobody knows how far it came
        attempt.may_have_arrived = True
    if isinstance(result.failure, DeliveryError):
        attempt.timings, attempt.peer = result.failure.timings, result.failure.peer
        attempt.may_have_arrived = result.failure.sent


def _form_next(delivery: Delivery, endpoint: Endpoint, result: Result) -> bool:
    """Whether a 415 may be mended by sending the same bytes under the other name, once (D19)."""
    answered = result.answer is not None and result.answer.status == UNSUPPORTED
    return answered and endpoint.form_on_415 and delivery.content_type == CONTENT_TYPES[Mode.JSON]


def _back_to_pending(delivery: Delivery, due_at: datetime, reason: dict[str, Any]) -> None:
    delivery.state, delivery.due_at, delivery.reason = DeliveryState.PENDING, due_at, reason
    delivery.lease_owner = delivery.lease_until = None


def _apply(delivery: Delivery, treatment: Treatment, now: datetime) -> None:
    delivery.state, delivery.reason = DeliveryState(treatment.state), treatment.reason.to_json()
    delivery.lease_owner = delivery.lease_until = None
    delivery.needs_attention = treatment.needs_attention
    if treatment.state in {DeliveryState.SENT, DeliveryState.FAILED}:
        delivery.finished_at = now
    if treatment.state == DeliveryState.SENT:
        return
    delivery.due_at = treatment.due_at or delivery.due_at
    if treatment.reason.code == Word.RECEIVER_REFUSED:
        delivery.refusals += 1
    else:
        delivery.tries += 1


def _asked(result: Result) -> timedelta | None:
    """How long the receiver, being overloaded, wants to be left alone altogether."""
    if result.answer is None or result.answer.status not in OVERLOADED:
        return None
    asked = wait_asked(result.answer.headers.get("retry-after"), result.ended_at)
    return asked if asked is not None and asked > timedelta(0) else None


def _tell_endpoint(db: AsyncSession, endpoint: Endpoint, treatment: Treatment, result: Result) -> None:
    now = result.ended_at
    if treatment.state == DeliveryState.SENT:
        endpoint.succeeded(now)
    elif treatment.counts_as_failure:
        endpoint.failed(now)
    asked = _asked(result)
    if asked is not None and treatment.state == DeliveryState.PENDING:
        endpoint.not_before = max(endpoint.not_before or now, now + min(asked, LONGEST_PAUSE))
    if treatment.parks_endpoint and endpoint.state is EndpointState.ACTIVE:
        endpoint.state = EndpointState.PARKED
        facts = {"reason": treatment.reason.code}
        db.add(LogEvent(at=now, level="warning", event="endpoint parked", subject=endpoint.name, facts=facts))
