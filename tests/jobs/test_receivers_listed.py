"""The receivers as their page lists them: what waits for each, and how quickly it answers."""

import asyncio
from datetime import UTC, datetime

from sqlmodel import col, select

from app.config import FirstRun
from app.integrations.network import Gate
from app.jobs import receivers
from app.jobs.endpoint_test import request_test
from app.jobs.receiver_form import read
from app.jobs.seed import prepare
from app.migrate import upgrade
from app.models import Database, Delivery, DeliveryState, Endpoint, Setting
from app.models import receivers as shown
from app.rules.words import say
from app.vault import Vault
from tests.jobs.conftest import World
from tests.jobs.test_receivers import FORM, arrived
from tests.servers import Postgres


async def test_the_list_knows_what_waits_and_how_quickly_answers_come(world: World) -> None:
    await arrived(world, mails=2)
    await world.deliver()
    await arrived(world, mails=3)
    async with world.context.database.transaction() as db:
        first, second = (await db.exec(select(Delivery).order_by(col(Delivery.id).desc()).limit(2))).all()
        first.due_at = world.clock.at.replace(hour=20)
        second.state, second.reason = DeliveryState.HELD, {"code": "gone", "facts": {}}
        (await Setting.load(db)).mirror_id = 1
    async with world.context.database.reading() as db:
        (row,) = await shown.listed(db, world.clock())
    assert (row.line.due, row.line.later, row.line.held, row.line.sending) == (1, 1, 1, 0)
    assert row.line.length == 3
    assert row.speed
    assert (row.speed.answers, 0 < row.speed.p50 <= row.speed.p95) == (2, True)
    assert (row.mirror, row.stopped, len(row.rules)) == (True, None, 3)
    assert {one.state for one in await world.rows(Delivery)} > {DeliveryState.SENT}


async def test_what_a_receiver_may_take_in_an_hour_is_counted_with_its_tests(world: World) -> None:
    await world.change(Endpoint, rate_per_hour=3)
    await arrived(world, mails=2)
    await world.deliver()
    async with world.context.database.reading() as db:
        assert (await shown.listed(db, world.clock()))[0].stopped is None
    async with world.context.database.transaction() as db:
        test = await request_test(db, await db.get_one(Endpoint, 1), by="ada", now=world.clock())
        test.started_at = world.clock()
    async with world.context.database.reading() as db:
        stopped = (await shown.listed(db, world.clock()))[0].stopped
    assert stopped
    assert say(stopped).startswith("The receiver is set to 3 tries an hour, and had 3")


def test_half_of_the_answers_are_quicker_and_nearly_all_of_them() -> None:
    assert (shown.speed_of([7.0]).p50, shown.speed_of([7.0]).p95) == (7.0, 7.0)
    hundred = [float(number) for number in range(1, 101)]
    assert (shown.speed_of(hundred).p50, shown.speed_of(hundred).p95) == (50.0, 96.0)


async def test_the_list_is_asked_for_in_the_same_words_on_postgresql(postgres: Postgres) -> None:
    url = postgres.new_database()
    await asyncio.to_thread(upgrade, url)
    database, vault, now = Database(url), Vault("a key for tests only"), datetime(2026, 11, 16, tzinfo=UTC)
    await prepare(database, FirstRun(), vault, now)
    found, _ = read(FORM | {"url": "https://hooks.example.com/x"}, gate=Gate(), may_be_insecure=False)
    async with database.transaction() as db:
        for name in ("Studio", "Planning"):
            await receivers.create(db, found | {"name": name}, vault=vault, by="ada", now=now)
    async with database.reading() as db:
        rows = await shown.listed(db, now)
        assert [(row.endpoint.name, row.speed, len(row.rules)) for row in rows] == [
            ("Planning", None, 0),
            ("Studio", None, 3),
        ]
    await database.aclose()
