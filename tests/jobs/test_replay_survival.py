"""A replay whose worker is killed at any point goes on where it was: none twice, none forgotten."""

import asyncio
import json
import sys

import pytest
from sqlmodel import select

from app.jobs.owner import machine
from app.jobs.sweep import sweep
from app.models import Run, RunState
from tests.jobs.conftest import World
from tests.jobs.replays import ask, deliveries, put_back
from tests.jobs.test_replay import many
from tests.servers import Redis

WORKER = """
import asyncio, json, sys
from pathlib import Path
from app.config import Config
from app.crash import Crash
from app.integrations.network import Gate
from app.integrations.parser import Parser
from app.integrations.webhook import Webhooks
from app.jobs.context import Context
from app.jobs.owner import owner_of
from app.jobs.queue import Queue
from app.jobs.replay import next_replay
from app.models import Database
from app.vault import Vault
from app.clock import now

async def main():
    given = json.loads(sys.argv[1])
    folder = Path(given["folder"])
    async with Parser() as parser:
        context = Context(
            config=Config(data_dir=folder), database=Database(given["database"]),
            queue=Queue(given["redis"]), vault=Vault("a key for tests only"), parser=parser,
            webhooks=Webhooks(Gate("")), owner=owner_of("worker"), now=now,
            crash=Crash(given["crash_at"], folder))
        while await next_replay(context):
            pass

asyncio.run(main())
"""


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize(("point", "done"), [("replay.before_commit", 0), ("replay.after_commit", 50)])
async def test_a_replay_whose_worker_is_killed_goes_on_where_it_was(
    world: World, database_url: str, redis: Redis, *, point: str, done: int, new: bool
) -> None:
    await many(world, 119)
    number = await ask(world, as_new=new)
    given = {
        "folder": str(world.context.config.data_dir),
        "database": database_url,
        "redis": redis.url,
        "crash_at": point,
    }
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, json.dumps(given))
    assert await asyncio.wait_for(child.wait(), 60) == -9
    assert (await run_of(world, number)).done == done
    assert await put_back(world) == done  # the dead one holds it still
    assert await sweep(world.context)
    assert await put_back(world) == 120
    run = await run_of(world, number)
    assert (run.state, run.done, run.total) == (RunState.DONE, 120, 120)
    if new:
        made = [one.reason["facts"]["delivery"] for one in (await deliveries(world))[120:]]
        assert made == list(range(1, 121))
    else:
        assert {one.reason["code"] for one in await deliveries(world)} == {"sent_again"}
        assert {one.reason["facts"]["from"] for one in await deliveries(world)} == {"sent"}


async def run_of(world: World, number: int) -> Run:
    async with world.context.database.reading() as db:
        return (await db.exec(select(Run).where(Run.id == number))).one()


async def test_what_a_dead_worker_was_at_goes_on_at_its_pace(world: World) -> None:
    await many(world, 60)
    number = await ask(world, per_minute=1)
    await put_back(world)
    async with world.context.database.transaction() as db:
        (await db.get_one(Run, number)).owner = f"{machine()}/worker/999999999/1"
    assert await sweep(world.context)
    assert await put_back(world) == 1
    world.clock.pass_(minutes=1)
    assert await put_back(world) == 2
