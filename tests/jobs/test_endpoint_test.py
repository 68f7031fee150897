"""A test of a receiver goes the way of a delivery, and touches nothing of it."""

from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from app.jobs.checker import Checker
from app.jobs.endpoint_test import KEPT, request_test, waiting
from app.jobs.owner import machine
from app.models import Attempt, Content, Delivery, Endpoint, EndpointState, EndpointTest, Mode
from app.rules.verdict import Reason
from app.rules.words import say
from tests.jobs.conftest import World
from tests.servers import Answer, eventually_async, free_port


async def ask(world: World, times: int = 1) -> None:
    async with world.context.database.transaction() as db:
        endpoint = await db.get_one(Endpoint, 1)
        for _ in range(times):
            await request_test(db, endpoint, by="ada", now=world.clock())


async def run(world: World) -> None:
    """Start what waits, and see it end."""
    checker = Checker(world.context)
    await checker.start_waiting()
    await eventually_async(lambda: _all_ended(world))
    await checker.drain()


async def _all_ended(world: World) -> bool:
    return all(test.ended_at for test in await world.rows(EndpointTest))


async def tested(world: World, **changes: Any) -> EndpointTest:  # noqa: ANN401 - columns
    """One test of a receiver that is so."""
    if changes:
        await world.change(Endpoint, **changes)
    await ask(world)
    await run(world)
    return await world.one(EndpointTest)


def said(test: EndpointTest) -> str:
    assert test.reason
    return say(Reason.from_json(test.reason))


async def test_it_carries_what_a_delivery_carries_and_says_that_it_is_none(world: World) -> None:
    world.clock.at = world.clock.at.now(world.clock.at.tzinfo)  # the oracle reads the real clock
    sealed = world.context.vault.seal('{"X-Api-Key": "s3cret"}')
    test = await tested(world, extra_headers=sealed)
    (seen,) = world.sink.seen
    endpoint = await world.one(Endpoint)
    Webhook(world.context.vault.open(endpoint.secret)).verify(seen.body, seen.headers)
    assert (seen.headers["content-type"], seen.headers["x-api-key"]) == ("application/json", "s3cret")
    assert seen.headers["webhook-id"] == test.webhook_id
    assert test.webhook_id.startswith("test_")
    assert seen.json["subject"].startswith("[TEST]")
    assert "detector" not in seen.json
    assert (said(test), test.status, test.body) == ("The receiver accepted it (status 200)", 200, seen.body)
    assert test.request_headers["X-Api-Key"] == "•••"
    assert {"connect", "wait"} <= test.timings.keys()
    assert test.ended_at is not None
    assert test.url == (await world.one(Endpoint)).url


async def test_nothing_of_it_is_a_delivery_or_counts_for_the_receiver(world: World) -> None:
    before = (await world.one(Endpoint)).model_dump()
    world.sink.answer(500, 410)
    await ask(world, times=2)
    await run(world)
    assert (await world.one(Endpoint)).model_dump() == before
    assert not await world.rows(Delivery)
    assert not await world.rows(Attempt)
    assert {said(test) for test in await world.rows(EndpointTest)} == {
        "The receiver answered with status 500",
        "The receiver answered with status 410",
    }


@pytest.mark.parametrize("state", [EndpointState.PAUSED, EndpointState.PARKED])
async def test_it_goes_to_a_receiver_that_gets_nothing_else(world: World, state: EndpointState) -> None:
    assert (await tested(world, state=state)).status == 200
    assert (await world.one(Endpoint)).state is state


async def test_it_does_not_go_to_one_that_was_deleted_meanwhile(world: World) -> None:
    test = await tested(world, state=EndpointState.DELETED)
    assert (said(test), test.started_at, test.url) == ("The receiver was deleted", None, "")
    assert not world.sink.seen


async def test_it_is_judged_as_a_delivery_is(world: World) -> None:
    world.sink.answer(200, body=b'{"success": false, "message": "Lot inconnu"}')
    assert said(await tested(world)) == "The receiver refused it (status 200): Lot inconnu"


async def test_an_answer_without_success_is_none_where_that_is_demanded(world: World) -> None:
    world.sink.answer(200, body=b"ok")
    assert (await tested(world, require_success=True)).reason == {
        "code": "not_confirmed",
        "facts": {"status": 200},
    }


async def test_what_does_not_answer_is_cut_off_at_the_limit(world: World) -> None:
    world.sink.answers.append(Answer.hang())
    test = await tested(world, timeout=1)
    assert (said(test), test.status, test.answer) == ("No answer in time", None, None)
    assert test.timings


async def test_an_address_that_may_not_be_called_is_not(world: World) -> None:
    test = await tested(world, url=f"http://127.0.0.1:{free_port()}/hook")
    assert test.reason
    assert test.reason["code"] == "private_address"


async def test_a_secret_that_cannot_be_read_is_said(world: World) -> None:
    test = await tested(world, secret=b"sealed by another")
    assert test.reason
    assert test.reason["code"] == "secret_unreadable"


async def test_where_json_is_refused_it_goes_as_a_form_at_once(world: World) -> None:
    world.sink.answer(415, 200)
    test = await tested(world)
    assert (test.status, test.request_headers["Content-Type"]) == (200, "application/x-www-form-urlencoded")
    assert len(world.sink.seen) == 2


async def test_a_form_goes_as_one_and_only_once(world: World) -> None:
    world.sink.answer(415)
    assert (await tested(world, mode=Mode.FORM)).status == 415
    assert len(world.sink.seen) == 1


async def test_it_is_shaped_as_the_receiver_wants_it(world: World) -> None:
    await tested(world, content=Content.TEMPLATE, template='{"title": "{{subject}}"}')
    assert world.sink.seen[0].json == {"title": "[TEST] Signal Server"}
    await world.change(Endpoint, content=Content.WITHOUT_CONTENT)
    await ask(world)
    await run(world)
    assert not {"email_content", "bodyPreview"} & world.sink.seen[1].json.keys()


async def test_a_template_that_was_spoilt_ends_it_and_no_other(world: World) -> None:
    test = await tested(world, content=Content.TEMPLATE, template="{")
    assert said(test) == "An error of ours: see the log"
    assert not world.sink.seen


async def test_it_obeys_the_limit_of_an_hour(world: World) -> None:
    await world.change(Endpoint, rate_per_hour=2)
    await ask(world, times=3)
    await run(world)
    ended = sorted(said(test) for test in await world.rows(EndpointTest))
    assert len(world.sink.seen) == 2
    assert ended[0] == "Not sent: the last hour had 2 tries, and 2 are allowed"
    world.clock.pass_(hours=1, seconds=1)
    await ask(world)
    await run(world)
    assert len(world.sink.seen) == 3


async def test_a_test_whose_process_died_has_ended(world: World) -> None:
    await ask(world, times=2)
    first, second = await world.rows(EndpointTest)
    async with world.context.database.transaction() as db:
        lost, late = await db.get_one(EndpointTest, first.id), await db.get_one(EndpointTest, second.id)
        lost.owner, lost.started_at = f"{machine()}/worker/999999999/1", world.clock()
        late.owner, late.started_at = "elsewhere/worker/1/1", world.clock() - timedelta(minutes=13)
    await run(world)
    assert {said(test) for test in await world.rows(EndpointTest)} == {
        "The process ended while sending: it may have arrived"
    }
    assert not world.sink.seen


async def test_one_that_is_broken_off_is_ended_by_the_next_process(world: World) -> None:
    world.sink.answers.append(Answer.hang())
    await ask(world)
    checker = Checker(world.context)
    await checker.start_waiting()
    await eventually_async(lambda: len(world.sink.seen) == 1)
    await checker.drain()
    assert (await world.one(EndpointTest)).ended_at is None
    world.clock.pass_(minutes=13)
    await run(world)
    assert (await world.one(EndpointTest)).ended_at is not None


async def test_a_receiver_that_hangs_keeps_no_other_waiting(world: World) -> None:
    world.sink.answers.append(Answer.hang())
    await ask(world, times=2)
    checker = Checker(world.context)
    await checker.start_waiting()
    await eventually_async(lambda: len(world.sink.seen) == 2)
    ended = await eventually_async(lambda: _ended(world))
    assert ended == 1
    async with world.context.database.reading() as db:
        assert await waiting(db, 1) == 1
    await checker.drain()


async def _ended(world: World) -> int:
    return len([test for test in await world.rows(EndpointTest) if test.ended_at])


async def test_only_the_latest_are_kept(world: World) -> None:
    for _ in range(KEPT // 4 + 1):
        await ask(world, times=4)
        await run(world)
    await ask(world)
    assert len(await world.rows(EndpointTest)) == KEPT
