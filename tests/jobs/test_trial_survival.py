"""A trial that is cancelled, whose worker dies or stops, or that breaks: it ends, or begins again."""

import asyncio
import json
import sys

from app.jobs.progress import broke
from app.jobs.sweep import sweep
from app.jobs.trial import next_trial
from app.models import Run, RunState, TrialResult
from app.models.trial import KIND
from tests.jobs.conftest import World
from tests.jobs.trials import a_day, about, ask, began, counts, many, stop
from tests.servers import Redis
from tests.servers.waiting import eventually_async


async def test_a_trial_that_waits_is_cancelled_at_once(world: World) -> None:
    await a_day(world)
    number = await ask(world, about("facture"))
    await stop(world, number)
    assert not await next_trial(world.context)
    run = await world.one(Run)
    assert (run.state, run.ended_at) == (RunState.CANCELLED, world.clock())


async def test_a_trial_under_way_ends_within_a_batch_of_being_cancelled(world: World) -> None:
    await many(world, 600)
    number = await ask(world, about("facture"))
    trial = asyncio.create_task(next_trial(world.context))
    await eventually_async(lambda: began(world, number))
    await stop(world, number)
    await trial
    run = await world.one(Run)
    assert run.state is RunState.CANCELLED
    assert 0 < run.done < run.total
    assert len(await world.rows(TrialResult)) == run.details["counts"]["gained"]


WORKER = """
import asyncio, json, sys
from pathlib import Path
from app.config import Config
from app.integrations.network import Gate
from app.integrations.parser import Parser
from app.integrations.webhook import Webhooks
from app.jobs.context import Context
from app.jobs.owner import owner_of
from app.jobs.queue import Queue
from app.jobs.trial import next_trial
from app.models import Database
from app.vault import Vault
from app.clock import now

async def main():
    given = json.loads(sys.argv[1])
    async with Parser() as parser:
        await next_trial(Context(
            config=Config(data_dir=Path(given["folder"])), database=Database(given["database"]),
            queue=Queue(given["redis"]), vault=Vault("a key for tests only"), parser=parser,
            webhooks=Webhooks(Gate("")), owner=owner_of("worker"), now=now))

asyncio.run(main())
"""


async def test_a_trial_whose_worker_is_killed_is_begun_again_by_the_next(
    world: World,
    database_url: str,
    redis: Redis,
) -> None:
    await many(world, 1500)
    number = await ask(world, about("facture"))
    given = {"folder": str(world.context.config.data_dir), "database": database_url, "redis": redis.url}
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, json.dumps(given))
    await eventually_async(lambda: began(world, number), timeout=60)
    child.kill()
    await child.wait()
    run = await world.one(Run)
    assert (run.state, 0 < run.done < run.total) == (RunState.RUNNING, True)
    assert not await next_trial(world.context)
    assert await sweep(world.context)
    assert await next_trial(world.context)
    run = await world.one(Run)
    assert (run.state, run.done, run.total) == (RunState.DONE, 1504, 1504)
    assert counts(run) == {"gained": 1501, "unchanged": 3}
    assert len(await world.rows(TrialResult)) == 1501


async def test_a_worker_that_is_asked_to_stop_leaves_its_trial_to_the_next(world: World) -> None:
    await many(world, 600)
    number = await ask(world, about("facture"))
    trial = asyncio.create_task(next_trial(world.context))
    await eventually_async(lambda: began(world, number))
    trial.cancel()
    await asyncio.wait([trial])
    run = await world.one(Run)
    assert (run.state, run.owner) == (RunState.QUEUED, None)
    assert await next_trial(world.context)
    assert (await world.one(Run)).details["counts"]["gained"] == 601


async def test_a_trial_that_breaks_says_so(world: World) -> None:
    await a_day(world)
    number = await ask(world, about("facture"))
    async with world.context.database.transaction() as db:
        run = await db.get_one(Run, number)
        run.state, run.owner = RunState.RUNNING, world.context.owner
    await broke(world.context, KIND)
    run = await world.one(Run)
    assert (run.state, run.reason) == (RunState.FAILED, {"code": "unexpected", "facts": {}})
