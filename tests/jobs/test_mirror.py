"""The mirror gets the links of each mail once, and nothing that happens to it touches another delivery."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import JSON, literal, union_all
from sqlmodel import select

from app.migrate import upgrade
from app.models import (
    Content,
    Database,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    Message,
    MessageState,
    Rule,
    RuleVersion,
)
from app.models.history import fates_of
from app.models.invariants import broken_invariants
from app.models.mirror import is_no_copy
from tests.jobs.conftest import World
from tests.letters import a_mail, desabo, matching, with_link
from tests.servers import Postgres
from tests.servers.sink import Answer

LINK = {"provider": "fromsmash", "raw_url": "https://fromsmash.com/m1"}


@pytest.fixture
async def mirrored(world: World) -> World:
    """Links go to /mirror as well."""
    async with world.context.database.transaction() as db:
        first = (await db.exec(select(Endpoint))).one()
        own = {"name": "mirror", "url": world.sink.url.replace("/hook", "/mirror")}
        mirror = Endpoint(**first.model_dump(exclude={"id"}) | own)
        db.add(mirror)
        await db.flush()
        number = mirror.id
    await world.set(mirror_id=number)
    return world


async def copies(world: World) -> list[Delivery]:
    return [one for one in await world.rows(Delivery) if one.facts.get("mirror")]


async def primaries(world: World) -> list[Delivery]:
    return [one for one in await world.rows(Delivery) if not one.facts.get("mirror")]


def seen(world: World, path: str) -> list[Any]:
    return [one.json for one in world.sink.seen if one.path == path]


async def sound(world: World) -> bool:
    async with world.context.database.reading() as db:
        return await broken_invariants(db) == {"I1": 0, "I2": 0, "I3": 0}


async def set_receivers(world: World, *endpoint_ids: int) -> None:
    """Let every rule send there."""
    async with world.context.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.endpoint_ids = list(endpoint_ids)


async def test_the_mirror_gets_subject_sender_and_links_and_nothing_else(mirrored: World) -> None:
    mirrored.arrives(a_mail("Fichiers", f"Voici : {LINK['raw_url']}"))
    await mirrored.settle()
    assert seen(mirrored, "/mirror") == [
        {"subject": "Fichiers", "sender_email": "ann@example.com", "delivery_links": [LINK]}
    ]
    (whole,) = seen(mirrored, "/hook")
    assert (whole["subject"], whole["delivery_links"]) == ("Fichiers", [LINK])
    assert "email_content" in whole
    ids = [one.headers["webhook-id"] for one in mirrored.sink.seen]
    assert len(set(ids)) == 2
    assert await sound(mirrored)


async def test_switched_off_nothing_is_mirrored(mirrored: World) -> None:
    await mirrored.set(mirror_media=False)
    mirrored.arrives(with_link())
    await mirrored.settle()
    assert (seen(mirrored, "/mirror"), len(seen(mirrored, "/hook"))) == ([], 1)


async def test_without_a_mirror_nothing_is_mirrored(world: World) -> None:
    world.arrives(with_link())
    await world.settle()
    assert len(await world.rows(Delivery)) == 1


async def test_a_mail_without_a_link_is_not_mirrored(mirrored: World) -> None:
    mirrored.arrives(desabo())
    await mirrored.settle()
    assert (await copies(mirrored), len(seen(mirrored, "/hook"))) == ([], 1)


async def test_a_mail_that_several_rules_send_is_mirrored_once(mirrored: World) -> None:
    async with mirrored.context.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.definition = {**version.definition, "stop": False}
    mirrored.arrives(matching(7))
    await mirrored.settle()
    assert len(await primaries(mirrored)) == 2
    (copy,) = await copies(mirrored)
    assert copy.rule_id == min(one.rule_id for one in await primaries(mirrored))
    assert await sound(mirrored)


async def test_where_the_mirror_gets_the_mail_itself_there_is_no_copy(mirrored: World) -> None:
    await set_receivers(mirrored, 1, 2)
    mirrored.arrives(with_link())
    await mirrored.settle()
    assert await copies(mirrored) == []
    assert len(seen(mirrored, "/mirror")) == len(seen(mirrored, "/hook")) == 1
    assert await sound(mirrored)


async def test_a_mail_that_is_held_is_mirrored_when_it_goes(mirrored: World) -> None:
    await mirrored.set(window_start="16h00", window_end="18h00")
    mirrored.arrives(with_link())
    await mirrored.settle()
    (primary,), (copy,) = await primaries(mirrored), await copies(mirrored)
    assert copy.state is primary.state is DeliveryState.HELD
    assert (copy.release_at, copy.expires_at, copy.reason) == (
        primary.release_at,
        primary.expires_at,
        primary.reason,
    )
    mirrored.clock.pass_(hours=3)
    await mirrored.settle()
    assert len(seen(mirrored, "/mirror")) == len(seen(mirrored, "/hook")) == 1
    assert set(seen(mirrored, "/mirror")[0]) == {"subject", "sender_email", "delivery_links"}


async def test_a_mail_that_is_dropped_is_not_mirrored(mirrored: World) -> None:
    async with mirrored.context.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            policy = dict.fromkeys(version.definition["policy"], "drop")
            version.definition = {**version.definition, "policy": policy, "urgent_policy": None}
    await mirrored.set(window_start="16h00", window_end="18h00")
    mirrored.arrives(with_link())
    await mirrored.settle()
    assert [one.state for one in await mirrored.rows(Delivery)] == [DeliveryState.DROPPED]


async def test_a_rule_that_gets_its_receiver_later_makes_no_second_copy(mirrored: World) -> None:
    async with mirrored.context.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.definition = {**version.definition, "stop": False}
            version.endpoint_ids = [1] if version.rule_id == 1 else []
    mirrored.arrives(matching(7))
    await mirrored.settle()
    assert (len(await primaries(mirrored)), len(await copies(mirrored))) == (1, 1)
    await set_receivers(mirrored, 1)
    now = mirrored.clock()
    await mirrored.change(Message, state=MessageState.STORED, decide_at=now, decide_owner=None)
    await mirrored.decide()
    assert (len(await primaries(mirrored)), len(await copies(mirrored))) == (2, 1)
    assert await sound(mirrored)


async def test_a_rules_template_is_not_for_the_mirror(mirrored: World) -> None:
    async with mirrored.context.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.definition = {**version.definition, "template": '{"title": "{{subject}}"}'}
        (await db.get_one(Endpoint, 2)).content = Content.TEMPLATE
        (await db.get_one(Endpoint, 2)).template = '{"title": "{{email_content}}"}'
    mirrored.arrives(a_mail("Fichiers", LINK["raw_url"]))
    await mirrored.settle()
    assert seen(mirrored, "/hook") == [{"title": "Fichiers"}]
    assert set(seen(mirrored, "/mirror")[0]) == {"subject", "sender_email", "delivery_links"}


@pytest.mark.parametrize("state", [EndpointState.PARKED, EndpointState.PAUSED, EndpointState.DELETED])
async def test_a_mirror_that_takes_nothing_keeps_its_copies_and_stops_nobody(
    mirrored: World, state: EndpointState
) -> None:
    async with mirrored.context.database.transaction() as db:
        (await db.get_one(Endpoint, 2)).state = state
    mirrored.arrives(with_link())
    await mirrored.settle()
    assert [one.state for one in await primaries(mirrored)] == [DeliveryState.SENT]
    (copy,) = await copies(mirrored)
    kept = {DeliveryState.HELD, DeliveryState.PENDING}
    assert copy.state in ({DeliveryState.DROPPED} if state is EndpointState.DELETED else kept)
    assert seen(mirrored, "/mirror") == []


async def test_a_mirror_that_fails_changes_nothing_for_the_mail(mirrored: World) -> None:
    async with mirrored.context.database.transaction() as db:
        (await db.get_one(Endpoint, 2)).url = "http://127.0.0.1:1/"  # not on the list of private targets
    mirrored.arrives(with_link())
    await mirrored.settle()
    (copy,) = await copies(mirrored)
    assert (copy.state, copy.needs_attention) == (DeliveryState.HELD, True)
    async with mirrored.context.database.reading() as db:
        fate = (await fates_of(db, [await db.get_one(Message, 1)]))[1]
    assert fate.state == "sent"


async def test_a_copy_that_lives_keeps_no_group_closed(mirrored: World) -> None:
    mirrored.sink.answers.append(Answer(status=400))
    mirrored.arrives(matching(42))
    await mirrored.settle()
    by_mirror = {bool(one.facts.get("mirror")): one for one in await mirrored.rows(Delivery)}
    for number, one in by_mirror.items():
        state = DeliveryState.SENT if number else DeliveryState.FAILED
        async with mirrored.context.database.transaction() as db:
            (await db.get_one(Delivery, one.id)).state = state
    mirrored.arrives(matching(42))
    await mirrored.settle()
    assert len(await primaries(mirrored)) == 2  # the second is no duplicate: nobody got the first


async def test_rules_know_nothing_of_it(mirrored: World) -> None:
    """What is decided, and what is sent to rules' own receivers, is the same with and without a mirror."""
    made = []
    for mirror_media in (True, False):
        await mirrored.set(mirror_media=mirror_media)
        mirrored.arrives(with_link())
        await mirrored.settle()
        made.append(
            (await primaries(mirrored))[-1].model_dump(include={"state", "reason", "priority", "rule_id"})
        )
    assert made[0] == made[1]
    assert len(await mirrored.rows(Rule)) == 3


async def test_copies_are_told_from_others_on_postgresql_too(postgres: Postgres) -> None:
    """What a JSON truth is called differs; the others of these tests are on SQLite."""
    url = postgres.new_database()
    await asyncio.to_thread(upgrade, url)
    database = Database(url)
    facts = [{"mirror": True}, {"mirror": False}, {"mirror": None}, {"links": []}]
    async with database.reading() as db:
        rows = union_all(*(select(literal(one, JSON).label("facts")) for one in facts)).subquery()
        told = select(rows.c.facts["mirror"].as_boolean().is_not(True))
        assert sorted((await db.exec(told)).all()) == [False, True, True, True]
        assert (await db.exec(select(Delivery.id).where(is_no_copy()))).all() == []
    await database.aclose()
