"""A delivery arrives signed, once if it can be helped, and every attempt at it is kept."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select
from standardwebhooks import Webhook

from app.integrations.network import Gate
from app.integrations.webhook import Webhooks
from app.jobs.claim import claim
from app.jobs.deliver import Deliverer
from app.jobs.outcome import record
from app.jobs.owner import machine
from app.jobs.result import Result
from app.jobs.sweep import sweep
from app.models import (
    Attempt,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    Mode,
    Notice,
    NoticeKind,
    Sending,
)
from app.models.refusal import stops
from app.rules.retry import wait_asked
from tests.jobs.conftest import World, room, running
from tests.letters import with_link
from tests.servers import Answer


async def _decided(world: World, mails: int = 1) -> None:
    world.arrives(*(with_link() for _ in range(mails)))
    await world.poll()
    await world.decide()


async def test_the_request_is_signed_by_the_standard(world: World) -> None:
    await _decided(world)
    world.clock.at = world.clock.at.now(world.clock.at.tzinfo)  # the oracle reads the real clock
    await world.deliver()
    (seen,) = world.sink.seen
    endpoint = await world.one(Endpoint)
    Webhook(world.context.vault.open(endpoint.secret)).verify(seen.body, seen.headers)
    assert seen.headers["x-source"] == "render-signal-server"
    assert seen.headers["content-type"] == "application/json"


async def test_the_attempt_keeps_request_answer_and_times(world: World) -> None:
    await _decided(world)
    await world.deliver()
    attempt, delivery = await world.one(Attempt), await world.one(Delivery)
    assert (attempt.outcome, attempt.status, attempt.number) == ("sent", 200, 1)
    assert attempt.answer == b'{"success": true}'
    assert attempt.request_headers["webhook-id"] == delivery.webhook_id
    assert {"connect", "send", "wait"} <= set(attempt.timings)
    assert (await world.one(Endpoint)).succeeded_at is not None


async def test_a_failure_is_tried_again_with_the_same_bytes_and_the_same_id(world: World) -> None:
    world.sink.answer(500)
    await _decided(world)
    await world.deliver()
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.tries) == (DeliveryState.PENDING, 1)
    assert timedelta(seconds=4) <= delivery.due_at - world.clock() <= timedelta(seconds=6)
    assert await world.deliver() == 0
    world.clock.pass_(seconds=6)
    await world.deliver()
    first, second = world.sink.seen
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert (await world.one(Delivery)).state is DeliveryState.SENT
    assert [attempt.outcome for attempt in await world.rows(Attempt)] == ["bad_status", "sent"]


async def test_after_the_last_try_it_has_failed_and_can_be_sent_again(world: World) -> None:
    await world.change(Endpoint, schedule=[1])
    world.sink.answer(500, 500)
    await _decided(world)
    await world.deliver()
    world.clock.pass_(seconds=2)
    await world.deliver()
    failed = await world.one(Delivery)
    assert (failed.state, failed.needs_attention) == (DeliveryState.FAILED, True)
    async with world.context.database.transaction() as db:
        (await db.get_one(Delivery, failed.id)).send_again(world.clock(), "ada")
    await world.deliver()
    sent = await world.one(Delivery)
    assert (sent.state, sent.webhook_id) == (DeliveryState.SENT, failed.webhook_id)


async def test_a_receiver_that_is_gone_is_parked_and_nothing_is_dropped(world: World) -> None:
    world.sink.answer(410)
    await _decided(world, mails=1)
    await world.deliver()
    assert (await world.one(Endpoint)).state is EndpointState.PARKED
    assert (await world.one(Delivery)).state is DeliveryState.HELD
    await _decided(world)
    assert await world.deliver() == 0
    assert [delivery.state for delivery in await world.rows(Delivery)] == [
        DeliveryState.HELD,
        DeliveryState.PENDING,
    ]


async def test_a_415_is_answered_with_the_same_bytes_as_a_form_once(world: World) -> None:
    world.sink.answer(415, 415)
    await _decided(world)
    await world.deliver()
    await world.deliver()
    first, second = world.sink.seen
    assert second.headers["content-type"] == "application/x-www-form-urlencoded"
    assert first.body == second.body
    assert (await world.one(Delivery)).state is DeliveryState.FAILED


async def test_a_415_is_the_last_word_where_no_form_is_wanted(world: World) -> None:
    await world.change(Endpoint, form_on_415=False)
    world.sink.answer(415)
    await _decided(world)
    assert await world.deliver() == 1
    assert (await world.one(Delivery)).state is DeliveryState.FAILED


async def test_an_endpoint_in_form_mode_gets_a_form_at_once(world: World) -> None:
    await world.change(Endpoint, mode=Mode.FORM)
    await _decided(world)
    await world.deliver()
    assert world.sink.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_leaves_the_whole_endpoint_alone(world: World, status: int) -> None:
    world.sink.answers.append(Answer(status=status, headers={"Retry-After": "3600"}))
    await _decided(world)
    await world.deliver()
    await _decided(world)
    assert await world.deliver() == 0
    assert wait_asked("3600", world.clock()) == timedelta(hours=1)
    world.clock.pass_(hours=1, seconds=1)
    assert await world.deliver() == 2


async def test_over_the_rate_limit_a_delivery_waits(world: World) -> None:
    await world.change(Endpoint, rate_per_hour=2, pace=16.0)
    await _decided(world, mails=3)
    begun = world.clock()
    assert await world.deliver() == 2
    assert await world.deliver() == 0
    async with world.context.database.reading() as db:
        endpoint = (await db.exec(select(Endpoint))).one()
        reason = await stops(db, endpoint, sending=Sending.ON, used=2, now=world.clock())
    assert reason is not None
    assert datetime.fromisoformat(reason.facts["until"]) - begun <= timedelta(hours=1, seconds=1)
    world.clock.pass_(hours=1, seconds=1)
    assert await world.deliver() == 1


async def test_the_pause_switch_is_asked_at_every_claim(world: World) -> None:
    await _decided(world)
    await world.set(sending=Sending.PAUSED)
    assert await world.deliver() == 0
    await world.set(sending=Sending.ON)
    assert await world.deliver() == 1


async def test_a_failure_after_the_request_was_written_may_have_arrived(world: World) -> None:
    world.sink.answers.append(Answer.reset())
    await _decided(world)
    await world.deliver()
    attempt, delivery = await world.one(Attempt), await world.one(Delivery)
    assert (attempt.outcome, attempt.may_have_arrived) == ("connection_lost", True)
    assert (delivery.state, delivery.may_have_arrived) == (DeliveryState.PENDING, True)


async def test_a_receiver_that_is_down_is_a_named_failure(world: World) -> None:
    await world.change(Endpoint, url="http://127.0.0.1:1/hook")
    await _decided(world)
    world.deliverer = Deliverer(replace(world.context, webhooks=Webhooks(Gate("127.0.0.1/32"))))
    async with running(world.deliverer):
        await world.deliver()
    attempt = await world.one(Attempt)
    assert (attempt.outcome, attempt.may_have_arrived) == ("refused", False)


async def test_a_private_target_that_is_not_allowed_is_held_with_its_reason(world: World) -> None:
    await world.change(Endpoint, url="https://10.0.0.1/hook")
    await _decided(world)
    await world.deliver()
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.reason["code"]) == (DeliveryState.HELD, "private_address")
    assert (await world.one(Notice)).kind is NoticeKind.ENDPOINT_UNREACHABLE
    await sweep(world.context)
    assert (await world.one(Delivery)).state is DeliveryState.HELD


async def test_two_workers_never_claim_the_same_delivery(world: World) -> None:
    await world.change(Endpoint, pace=16.0)
    await _decided(world, mails=6)
    other = replace(world.context, owner="elsewhere/worker/2/2")
    shares = await asyncio.gather(*(claim(context, room(2)) for context in [world.context, other] * 3))
    ids = [one.id for share in shares for one in share]
    assert sorted(ids) == sorted(set(ids))
    assert len(ids) == 6


async def test_what_a_dead_process_was_sending_is_sent_again_under_the_same_id(world: World) -> None:
    await _decided(world)
    await claim(replace(world.context, owner=f"{machine()}/worker/999999999/1"), room(1))
    assert await world.deliver() == 0
    await sweep(world.context)
    await world.deliver()
    delivery = await world.one(Delivery)
    assert (delivery.state, delivery.may_have_arrived, delivery.tries) == (DeliveryState.SENT, True, 0)
    assert [attempt.outcome for attempt in await world.rows(Attempt)] == ["lost", "sent"]


@pytest.mark.parametrize("passed", [46, -3600], ids=["it ran out", "the clock was set back"])
async def test_a_lease_that_cannot_be_right_is_given_back(world: World, passed: int) -> None:
    await _decided(world)
    await claim(replace(world.context, owner="elsewhere/worker/2/2"), room(1))
    world.clock.pass_(seconds=passed)
    await sweep(world.context)
    assert (await world.one(Delivery)).state is DeliveryState.PENDING


@pytest.mark.parametrize(("status", "state"), [(500, DeliveryState.SENDING), (200, DeliveryState.SENT)])
async def test_a_late_failure_is_ignored_and_a_late_success_counts(
    world: World, status: int, state: DeliveryState
) -> None:
    await _decided(world)
    (late,) = await claim(replace(world.context, owner="elsewhere/worker/2/2"), room(1))
    world.clock.pass_(seconds=46)
    await sweep(world.context)
    await claim(world.context, room(1))
    world.sink.answer(status)
    deliverer = Deliverer(world.context)
    await deliverer._send(late, busy=False)  # noqa: SLF001 - the worker that was asleep wakes up
    result: Result = deliverer._results.get_nowait()  # noqa: SLF001
    await record(world.context, [result])
    assert (await world.one(Delivery)).state is state


async def test_a_delivery_that_is_due_in_years_was_written_by_a_wrong_clock(world: World) -> None:
    await _decided(world)
    await world.change(Delivery, due_at=world.clock() + timedelta(days=3650))
    await sweep(world.context)
    assert await world.deliver() == 1


async def test_one_mail_that_fails_with_a_wish_for_patience_holds_no_other_back(world: World) -> None:
    world.sink.answers.append(Answer(status=500, headers={"Retry-After": "9999999999"}))
    await _decided(world, mails=2)
    await world.deliver()
    assert sorted(delivery.state for delivery in await world.rows(Delivery)) == ["pending", "sent"]
    assert (await world.one(Endpoint)).not_before is None


async def test_what_a_receiver_says_can_always_be_stored_and_shown(world: World) -> None:
    world.sink.answer(422, body=b'{"success": false, "message": "no \\ud800 \\u0000 lot"}')
    await _decided(world)
    await world.deliver()
    assert (await world.one(Delivery)).reason["facts"]["message"] == "no ?  lot"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500, body=b"you sent Bearer TOPSECRET123", headers={"x-echo": "Bearer TOPSECRET123"}),
        Answer.raw(b"HTTP/1.1 Bearer TOPSECRET123\r\n\r\n"),
    ],
    ids=["an answer", "no answer at all"],
)
async def test_what_an_own_header_says_is_kept_nowhere_even_if_the_receiver_repeats_it(
    world: World, answer: Answer
) -> None:
    own = world.context.vault.seal(json.dumps({"Authorization": "Bearer TOPSECRET123"}))
    await world.change(Endpoint, extra_headers=own)
    world.sink.answers.append(answer)
    await _decided(world)
    await world.deliver()
    assert world.sink.seen[0].headers["authorization"] == "Bearer TOPSECRET123"
    kept = (await world.one(Attempt)).model_dump_json() + (await world.one(Delivery)).model_dump_json()
    assert "TOPSECRET123" not in kept
    assert "•••" in kept
