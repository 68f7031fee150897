"""The doorbell of a Redis that answers, but keeps nothing more."""

import asyncio
from dataclasses import replace
from pathlib import Path

from redis.asyncio import Redis as Client
from structlog.testing import capture_logs

from app.config import Config
from app.events import Event
from app.jobs.context import Context
from app.jobs.ingest import ingest
from app.jobs.queue import Queue
from app.worker import Polls, _doorbell
from tests.servers import Redis, eventually_async


async def test_a_full_redis_is_away_once_and_back_once_although_it_publishes() -> None:
    with Redis() as redis, capture_logs() as logs:
        client, queue = Client.from_url(redis.url), Queue(redis.url)
        await client.config_set("maxmemory", 1)
        for _ in range(3):
            await queue.deliver()
            await queue.publish(Event.DELIVERY_CHANGED)
            assert not queue.ok
        await client.config_set("maxmemory", 0)
        await queue.deliver()
        assert queue.ok
        await queue.aclose()
        await client.aclose()
    assert [line["event"] for line in logs] == ["queue away", "queue back"]


async def test_a_doorbell_that_breaks_again_and_again_says_so_once(context: Context, tmp_path: Path) -> None:
    with Redis() as redis, capture_logs() as logs:
        client = Client.from_url(redis.url)
        await client.config_set("maxmemory", 1)
        before = (await client.info("stats"))["total_connections_received"]

        async def listened_thrice() -> bool:
            told = await client.info()
            return bool(told["total_connections_received"] >= before + 3 and told["connected_clients"] == 1)

        listening = replace(context, config=Config(data_dir=tmp_path, redis_url=redis.url))
        bell = asyncio.create_task(_doorbell(listening, Polls(listening, ingest)))
        await eventually_async(listened_thrice)
        bell.cancel()
        await asyncio.gather(bell, return_exceptions=True)
        await client.aclose()
    assert [line["event"] for line in logs if line["event"] == "doorbell away"] == ["doorbell away"]
