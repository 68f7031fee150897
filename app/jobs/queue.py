"""The doorbell: tells other processes to look now. Nothing depends on it; every worker looks each second."""

import asyncio
import json
from time import monotonic
from typing import Any

import structlog
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from app.events import CHANNEL, Event

BUDGET = 0.2  # seconds that a ring may cost its caller
REMEMBERED = 60.0  # seconds that a failure counts against calls of another kind that succeed
POLL, DECIDE, DELIVER, TRIAL, REPLAY = "poll", "decide", "deliver", "trial", "replay"
TEST = "test"  # of a receiver

log = structlog.get_logger()


def encode(job: dict[str, Any]) -> bytes:
    return json.dumps(job).encode()


def decode(job: bytes) -> dict[str, Any]:
    """Read a job; never pickle, so whoever can write to Redis can run nothing."""
    value: dict[str, Any] = json.loads(job)
    return value


class Queue:
    """Rings and announces, and never fails its caller: Redis may be away at any time."""

    def __init__(self, url: str) -> None:
        self._away: dict[str, float] = {}  # when each kind of call failed last: a full Redis still publishes
        # enough for every coroutine that rings at once; a caller never waits for a free connection
        pool: ConnectionPool = ConnectionPool.from_url(url, max_connections=200)
        self._redis = ArqRedis(pool, job_serializer=encode, job_deserializer=decode)

    @property
    def ok(self) -> bool:
        return not self._away

    async def poll(self, mailbox_id: int, run_id: int | None = None) -> None:
        await self._ring(POLL, mailbox_id, run_id)

    async def decide(self) -> None:
        await self._ring(DECIDE)

    async def deliver(self) -> None:
        await self._ring(DELIVER)

    async def trial(self) -> None:
        await self._ring(TRIAL)

    async def test(self) -> None:
        await self._ring(TEST)

    async def replay(self) -> None:
        await self._ring(REPLAY)

    async def publish(self, *events: Event) -> None:
        """Tell the pages which of their regions are out of date."""
        for event in events:
            await self._within_budget("publish", self._redis.publish(CHANNEL, event.value))

    async def _ring(self, job: str, *ids: int | None) -> None:
        await self._within_budget("ring", self._redis.enqueue_job(job, *ids, _expires=60))

    async def _within_budget(self, kind: str, call: Any) -> None:  # noqa: ANN401 - any awaitable
        try:
            async with asyncio.timeout(BUDGET):
                await call
        except (RedisError, OSError, TimeoutError) as error:
            if self.ok:
                log.warning("queue away", error=type(error).__name__)
            self._away[kind] = monotonic()
        else:
            self._back(kind)

    def _back(self, kind: str) -> None:
        """Forget failures of this kind, and old ones of another, which may not be tried for hours."""
        if self.ok:
            return
        recent = monotonic() - REMEMBERED
        self._away = {name: at for name, at in self._away.items() if name != kind and at > recent}
        if not self._away:
            log.info("queue back")

    async def aclose(self) -> None:
        await (
            self._redis.connection_pool.disconnect()
        )  # a pool that was given to the client is not closed with it
