"""What becomes of a delivery after an attempt: many results in one commit."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import structlog

from app.integrations.webhook import DeliveryError
from app.jobs.claim import CONTENT_TYPES
from app.jobs.context import Context
from app.jobs.health import hear
from app.jobs.request import UNSUPPORTED
from app.jobs.result import Result
from app.models import DeliveryState, Endpoint, EndpointState, Mode
from app.models.fate import Fate, fates, receivers, save
from app.rules import outcome
from app.rules.outcome import Treatment, Word

log = structlog.get_logger()


async def record(context: Context, results: Sequence[Result]) -> None:
    """Write attempts, deliveries and endpoints down."""
    async with context.database.transaction() as db:
        endpoints = await receivers(db, {result.claimed.endpoint.id or 0 for result in results})
        known = await fates(db, {result.claimed.id for result in results})
        changed: dict[int, Fate] = {}
        heard: dict[int | None, list[tuple[Result, Treatment]]] = defaultdict(list)
        attempts, ended = [], []
        for result in results:
            endpoint, fate = endpoints[result.claimed.endpoint.id], known[result.claimed.id]
            treatment = _treat(fate, endpoint, result)
            attempts.append(_described(result, treatment))
            if not _counts(fate, result, treatment):
                continue
            changed[fate.id] = fate
            ended.append((fate, result, treatment))
            if _become(fate, endpoint, result=result, treatment=treatment):
                heard[endpoint.id].append((result, treatment))
        await save(db, list(changed.values()), attempts)
        for endpoint_id, results_of_one in heard.items():
            await hear(db, endpoints[endpoint_id], results_of_one)
        await db.flush()
        context.crash.point("record.before_commit")
    context.crash.point("record.after_commit")
    for fate, result, treatment in ended:  # only now: who does not read our log keeps no write lock
        _log(fate, result, treatment)


def _counts(fate: Fate, result: Result, treatment: Treatment) -> bool:
    """Whether we still hold it; after that, only an answer that it arrived does."""
    ours = fate.state is DeliveryState.SENDING and fate.generation == result.claimed.generation
    return ours or (treatment.state == DeliveryState.SENT and fate.state is not DeliveryState.SENT)


def _treat(fate: Fate, endpoint: Endpoint, result: Result) -> Treatment:
    return outcome.treat(
        result.exchange.told,
        tries=fate.tries,
        refusals=fate.refusals,
        now=result.ended_at,
        random=random.random(),  # noqa: S311 - spreads tries, guards nothing
        schedule=endpoint.schedule,
        require_success=endpoint.require_success,
    )


def _described(result: Result, treatment: Treatment) -> dict[str, Any]:
    """Give what is written down of an attempt."""
    return {
        "of": result.claimed.id,
        "in_generation": result.claimed.generation,
        "ended_at": result.ended_at,
        "outcome": treatment.reason.code,
        "detail": result.failure.detail if result.failure else "",
        "may_have_arrived": _may_have_arrived(result),
        **result.exchange.columns(),
    }


def _may_have_arrived(result: Result) -> bool:
    """Whether a try without an answer had begun to be written; of an error of ours nobody knows."""
    if isinstance(result.failure, DeliveryError):
        return result.failure.sent
    return result.answer is None and result.failure is None


def _become(fate: Fate, endpoint: Endpoint, *, result: Result, treatment: Treatment) -> bool:
    """Say in the delivery what became of it; True when that tells something of the receiver as it is now."""
    # what was under way to a deleted one waits, so that the next sweep drops it
    moved = result.claimed.endpoint.url != endpoint.url or endpoint.state is EndpointState.DELETED
    if moved and treatment.state != DeliveryState.SENT:
        _wait(fate, result, treatment)
        return False
    if _again_as_form(fate, endpoint, result):
        if result.claimed.probe:
            endpoint.let_another_try(result.ended_at)
        return False
    _settle(fate, result, treatment)
    return not moved


def _wait(fate: Fate, result: Result, treatment: Treatment) -> None:
    """What was said, whatever it was, is not the last word: the receiver is no more where it was said."""
    fate.may_have_arrived = fate.may_have_arrived or _may_have_arrived(result)
    fate.needs_attention, fate.deaths = False, 0
    fate.wait(result.ended_at, treatment.reason.to_json())


def _again_as_form(fate: Fate, endpoint: Endpoint, result: Result) -> bool:
    """Whether a 415 may be mended by the same bytes under the other name, once (D19); it waits then."""
    refused = result.answer is not None and result.answer.status == UNSUPPORTED
    if not refused or not endpoint.form_on_415 or fate.content_type != CONTENT_TYPES[Mode.JSON]:
        return False
    fate.content_type = CONTENT_TYPES[Mode.FORM]
    fate.wait(result.ended_at, {"code": "form_next", "facts": {"status": UNSUPPORTED}})
    return True


def _settle(fate: Fate, result: Result, treatment: Treatment) -> None:
    """Say in the delivery what became of it."""
    fate.state, fate.reason = DeliveryState(treatment.state), treatment.reason.to_json()
    fate.lease_owner = fate.lease_until = None
    fate.needs_attention, fate.deaths = treatment.needs_attention, 0
    fate.may_have_arrived = fate.may_have_arrived or _may_have_arrived(result)
    if fate.state in {DeliveryState.SENT, DeliveryState.FAILED}:
        fate.finished_at = result.ended_at
    if fate.state is not DeliveryState.SENT:
        fate.due_at = treatment.due_at or fate.due_at
        if treatment.reason.code == Word.RECEIVER_REFUSED:
            fate.refusals += 1
        else:
            fate.tries += 1


def _log(fate: Fate, result: Result, treatment: Treatment) -> None:
    log.info(
        "CUSTOM_WEBHOOK: attempt ended",
        delivery=fate.id,
        outcome=treatment.reason.code,
        state=fate.state.value,
        status=result.answer.status if result.answer else None,
    )
