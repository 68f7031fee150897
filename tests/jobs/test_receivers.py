"""What an operator does with the receivers, and that no delivery vanishes by it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from app.integrations.network import Gate
from app.jobs import amend, receivers
from app.jobs.hold import release_due
from app.jobs.receiver_form import kept_headers, read
from app.jobs.receivers import ChangedMeanwhile, mark_of_secret
from app.models import (
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    LogEvent,
    Rule,
    rulebook,
)
from tests.jobs.conftest import World
from tests.letters import with_link
from tests.servers import Sink

FORM: dict[str, Any] = {
    "name": "Studio",
    "mode": "json",
    "content": "whole",
    "form_on_415": True,
    "timeout": "30",
    "concurrency": "16",
    "rate_per_hour": "0",
    "schedule": "5s, 5min",
}


def values(world: World, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - as a form has them
    raw = FORM | {"url": world.sink.url} | changes
    found, problems = read(raw, gate=Gate(world.sink.address), may_be_insecure=False)
    assert problems == {}
    return found


async def make(world: World, **changes: Any) -> Endpoint:  # noqa: ANN401
    async with world.context.database.transaction() as db:
        return await receivers.create(
            db, values(world, **changes), vault=world.context.vault, by="ada", now=world.clock()
        )


async def act(world: World, what: Any, *, endpoint_id: int = 1, **given: Any) -> Any:  # noqa: ANN401
    """Do something with a receiver, as a page would."""
    async with world.context.database.transaction() as db:
        endpoint = await db.get_one(Endpoint, endpoint_id)
        done = what(db, endpoint, by="ada", now=world.clock(), **given)
        return await done if hasattr(done, "__await__") else done


async def endpoint(world: World, endpoint_id: int = 1) -> Endpoint:
    async with world.context.database.reading() as db:
        return await db.get_one(Endpoint, endpoint_id)


async def events(world: World) -> list[LogEvent]:
    return [one for one in await world.rows(LogEvent) if one.event.startswith("receiver")]


async def arrived(world: World, mails: int = 1) -> None:
    world.arrives(*(with_link() for _ in range(mails)))
    await world.poll()
    await world.decide()


async def test_a_second_receiver_waits_until_a_rule_chooses_it(world: World) -> None:
    made = await make(world, name="Planning", extra_headers="X-Key: s3cret")
    assert made.id == 2
    async with world.context.database.reading() as db:
        assert not [rule for rule, version in await Rule.listed(db) if 2 in version.endpoint_ids]
    (event,) = await events(world)
    assert (event.event, event.subject, event.facts["by"]) == ("receiver created", "Planning", "ada")
    secret = world.context.vault.open(made.secret)
    assert "s3cret" not in str(event.facts)
    assert secret not in str(event.facts)
    assert kept_headers(made, world.context.vault) == {"X-Key": "s3cret"}


async def test_the_first_receiver_of_ones_own_becomes_that_of_every_rule(world: World) -> None:
    await world.change(Endpoint, demo=True)
    async with world.context.database.transaction() as db:
        for rule, version in await Rule.listed(db):
            version.endpoint_ids = []
            db.add_all([rule, version])
    await arrived(world)
    assert not await world.rows(Delivery)
    made = await make(world)
    await world.decide()
    assert (await world.one(Delivery)).endpoint_id == made.id
    async with world.context.database.reading() as db:
        assert not await receivers.is_first(db)


async def test_a_change_names_what_changed_and_never_what_a_header_says(world: World) -> None:
    found = values(world, timeout="12", extra_headers="X-Key: s3cret", name="127.0.0.1")
    await act(world, receivers.save, values=found, read=await endpoint(world), vault=world.context.vault)
    (event,) = await events(world)
    assert sorted(event.facts["changed"]) == ["extra_headers", "schedule", "timeout"]
    assert (event.facts["by"], "s3cret" in json.dumps(event.facts)) == ("ada", False)
    assert (await endpoint(world)).timeout == 12


async def test_what_waits_goes_to_where_the_receiver_is_now(world: World) -> None:
    world.sink.answer(500)
    await world.settle()
    await arrived(world)
    await world.deliver()
    with Sink() as elsewhere:
        await world.change(Endpoint, pace=9.0, usual_ms=3.0)
        found = values(world) | {"url": elsewhere.url}
        read = await endpoint(world)
        await act(world, receivers.save, values=found, read=read, vault=world.context.vault)
        moved = await endpoint(world)
        assert (moved.url, moved.pace, moved.usual_ms) == (elsewhere.url, 2.0, None)
        assert (await world.one(Delivery)).state is DeliveryState.PENDING


async def test_nothing_goes_to_a_paused_receiver_until_it_is_resumed(world: World) -> None:
    await act(world, receivers.pause)
    await arrived(world)
    assert await world.deliver() == 0
    await act(world, receivers.pause)  # twice is once
    await act(world, receivers.resume)
    assert await world.deliver() == 1
    assert [event.event for event in await events(world)] == ["receiver paused", "receiver resumed"]


async def test_after_a_410_it_is_taken_up_again_and_what_it_held_goes(world: World) -> None:
    world.sink.answer(410)
    await arrived(world)
    await world.deliver()
    await arrived(world)
    assert (await endpoint(world)).state is EndpointState.PARKED
    await world.change(Endpoint, opened=3, open_until=world.clock(), pace=1.0)
    await act(world, receivers.resume)
    event = await act(world, receivers.release)
    assert event.facts["count"] == 1
    fresh = await endpoint(world)
    assert (fresh.state, fresh.failures, fresh.opened, fresh.pace) == (EndpointState.ACTIVE, 0, 0, 2.0)
    assert (fresh.open_until, fresh.failing_since) == (None, None)
    assert fresh.parked_for is not None  # until it has taken something: then people are told
    await world.deliver()
    await world.deliver()
    assert {one.state for one in await world.rows(Delivery)} == {DeliveryState.SENT}
    assert len(world.sink.seen) == 3
    assert await act(world, receivers.release) is None


async def test_what_a_gate_holds_stays_where_it_is(world: World) -> None:
    await arrived(world)
    gated = {"code": "absence_day", "facts": {"day": "monday", "action": "hold"}}
    await world.change(Delivery, state=DeliveryState.HELD, reason=gated)
    assert await act(world, receivers.release) is None


async def test_a_deleted_receiver_gets_nothing_and_what_waited_says_why(world: World) -> None:
    world.sink.answer(200, 500)
    await arrived(world)
    await world.deliver()
    await arrived(world, mails=3)
    async with world.context.database.transaction() as db:
        for number, one in enumerate((await db.exec(select(Delivery).order_by(col(Delivery.id)))).all()):
            if number == 1:
                one.state, one.reason = DeliveryState.HELD, {"code": "gone", "facts": {}}
            if number == 2:
                one.state = DeliveryState.SENDING
    await act(world, receivers.delete)
    rows = sorted(await world.rows(Delivery), key=lambda one: one.id or 0)
    assert [one.state for one in rows] == [
        DeliveryState.SENT,
        DeliveryState.DROPPED,
        DeliveryState.SENDING,
        DeliveryState.DROPPED,
    ]
    assert {one.reason["code"] for one in rows if one.state is DeliveryState.DROPPED} == {"endpoint_deleted"}
    (event,) = await events(world)
    assert event.facts["dropped"] == 2
    async with world.context.database.transaction() as db:  # what was on its way came back as a failure
        one = await db.get_one(Delivery, rows[2].id)
        one.state = DeliveryState.PENDING
        await db.flush()
        assert await receivers.drop_of_deleted(db, world.clock()) == 1
        assert await receivers.drop_of_deleted(db, world.clock()) == 0
        assert await release_due(db, world.clock()) == 0


async def test_a_new_secret_signs_beside_the_old_one_for_a_day(world: World) -> None:
    vault, before = world.context.vault, await endpoint(world)
    secret = await act(world, receivers.rotate, seen=mark_of_secret(before), vault=vault)
    now = await endpoint(world)
    assert [vault.open(one) for one in now.secrets_at(world.clock())] == [secret, vault.open(before.secret)]
    await arrived(world)
    await world.deliver()
    assert world.sink.seen[0].headers["webhook-signature"].count("v1,") == 2
    world.clock.pass_(hours=23, minutes=59)
    assert len(now.secrets_at(world.clock())) == 2
    world.clock.pass_(minutes=1)
    assert len(now.secrets_at(world.clock())) == 1
    (event,) = await events(world)
    assert secret not in str(event.model_dump())


async def test_the_overlap_can_be_ended_at_once(world: World) -> None:
    seen = mark_of_secret(await endpoint(world))
    secret = await act(world, receivers.rotate, seen=seen, vault=world.context.vault)
    seen = mark_of_secret(await endpoint(world))
    await act(world, receivers.end_overlap, seen=seen)
    now = await endpoint(world)
    assert [world.context.vault.open(one) for one in now.secrets_at(world.clock())] == [secret]
    assert (now.previous_secret, now.previous_until) == (None, None)
    await act(world, receivers.end_overlap, seen=seen)
    assert len(await events(world)) == 2


async def test_of_two_who_ask_for_a_new_secret_one_gets_it_and_the_old_one_signs_on(world: World) -> None:
    before = await endpoint(world)
    seen = mark_of_secret(before)
    await act(world, receivers.rotate, seen=seen, vault=world.context.vault)
    for second in (
        act(world, receivers.rotate, seen=seen, vault=world.context.vault),
        act(world, receivers.end_overlap, seen=seen),
    ):
        with pytest.raises(ChangedMeanwhile):
            await second
    assert (await endpoint(world)).previous_secret == before.secret


async def test_a_rule_that_comes_back_leaves_a_deleted_receiver_out(world: World) -> None:
    async with world.context.database.transaction() as db:
        (rule, version), *_ = await Rule.listed(db)
        first = version.as_value()
        await amend.save(db, rule, replace(first, endpoint_ids=()), by="ada", now=world.clock())
        amend.archive(db, rule, by="ada", now=world.clock())
    await act(world, receivers.delete)
    async with world.context.database.transaction() as db:
        rule = await db.get_one(Rule, rule.id)
        await amend.bring_back(db, rule, by="ada", now=world.clock())
        restored = await amend.save(db, rule, first, by="ada", now=world.clock(), restored_from=1)
        assert (first.endpoint_ids, restored.endpoint_ids) == ((1,), [])
        assert await rulebook.receiver_names(db) == {}
        assert await rulebook.receiver_names(db, deleted=True) == {1: "127.0.0.1"}


async def test_a_deleted_rule_that_named_it_comes_back_without_it(world: World) -> None:
    async with world.context.database.transaction() as db:
        (rule, _), *_ = await Rule.listed(db)
        amend.archive(db, rule, by="ada", now=world.clock())
    await act(world, receivers.delete)
    async with world.context.database.transaction() as db:
        rule = await db.get_one(Rule, rule.id)
        await amend.bring_back(db, rule, by="ada", now=world.clock())
        await db.flush()
        version = await rule.in_version(db, rule.version)
        assert version
        assert version.endpoint_ids == []


async def test_one_that_is_left_alone_can_be_tried_at_once(world: World) -> None:
    later = world.clock() + timedelta(minutes=10)
    await world.change(Endpoint, opened=4, open_until=later, failures=9)
    await arrived(world)
    assert await world.deliver() == 0
    await act(world, receivers.resume)
    assert await world.deliver() == 1
    assert (await endpoint(world)).opened == 0


async def test_a_new_address_begins_anew(world: World) -> None:
    later = world.clock() + timedelta(minutes=10)
    await world.change(Endpoint, opened=4, open_until=later, failures=9, failing_since=world.clock())
    await arrived(world)
    assert await world.deliver() == 0
    found, read = values(world, url=f"{world.sink.url}?new"), await endpoint(world)
    await act(world, receivers.save, values=found, read=read, vault=world.context.vault)
    assert await world.deliver() == 1
