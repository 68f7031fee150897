"""Live events: one subscription for the whole process, fanned out to the streams of its readers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.events import CHANNEL, Event
from app.jobs.owner import note_deaths
from app.models import Database

STREAMS = 6  # of one session: as many connections as a browser opens
LOOK = 1.0  # seconds between two looks at the database
PING = 5.0  # seconds after which a silent Redis is asked whether it is there, and after which it is not
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)  # seconds before the next try to subscribe

log = structlog.get_logger()


class Listener:
    """One open stream: the names that its reader has not heard yet, each once."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.closed = False
        self._unheard: dict[Event, None] = {}
        self._rung = asyncio.Event()

    def tell(self, event: Event) -> None:
        self._unheard[event] = None
        self._rung.set()

    def close(self) -> None:
        self.closed = True
        self._rung.set()

    async def hear(self, within: float) -> list[Event]:
        """Wait for news; an empty list when there was none in time or the stream is to end."""
        try:
            async with asyncio.timeout(within):
                await self._rung.wait()
        except TimeoutError:
            return []
        self._rung.clear()
        heard = list(self._unheard)
        self._unheard.clear()
        return heard


class Live:
    def __init__(self, redis_url: str, database: Database, now: Callable[[], datetime]) -> None:
        self.subscribed = False
        self._redis_url = redis_url
        self._database = database
        self._now = now
        self._listeners: set[Listener] = set()
        self._closed = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hear and look while the block runs."""
        async with asyncio.TaskGroup() as tasks:
            work = [tasks.create_task(self._listen()), tasks.create_task(self._look())]
            yield
            for task in work:
                task.cancel()

    def join(self, session: str) -> Listener | None:
        """Open a stream for this session (its token's hash); None when it has enough, or when we stop."""
        theirs = sum(listener.session == session for listener in self._listeners)
        if self._closed or theirs >= STREAMS:
            return None
        listener = Listener(session)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener.tell(event)

    def end(self, session: str) -> None:
        """End the streams of somebody who signed out."""
        for listener in self._listeners:
            if listener.session == session:
                listener.close()

    def close(self) -> None:
        """End every stream, for an open one keeps the server from stopping."""
        self._closed = True
        for listener in self._listeners:
            listener.close()

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                redis = Redis.from_url(self._redis_url, socket_connect_timeout=PING)
                async with redis, redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    await self._hear(channel, after_break=failures > 0)
            except (RedisError, OSError, TimeoutError) as error:
                if self.subscribed or not failures:
                    log.warning("live events by polling", error=type(error).__name__)
                failures = 1 if self.subscribed else failures + 1
                self.subscribed = False
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES)) - 1])

    async def _hear(self, channel: PubSub, *, after_break: bool) -> None:
        asked = False
        while True:
            message = await channel.get_message(timeout=PING)
            if message is None and asked:
                raise TimeoutError
            if message is None:
                await channel.ping()
            asked = message is None
            if message is None:
                continue
            if message["type"] == "subscribe":
                self._begin(after_break=after_break)
            elif message["type"] == "message":
                self._pass_on(message["data"])

    def _begin(self, *, after_break: bool) -> None:
        self.subscribed = True
        if after_break:  # what was published meanwhile is lost
            log.info("live events by subscription")
            self.tell(Event.ALL_CHANGED)

    def _pass_on(self, name: bytes) -> None:
        try:
            self.tell(Event(name.decode("utf-8", "replace")))
        except ValueError:  # another version of us publishes names that we do not know
            self.tell(Event.ALL_CHANGED)

    async def _look(self) -> None:
        while True:
            try:
                await (self._look_at_processes() if self.subscribed else self._look_at_everything())
            except SQLAlchemyError as error:
                log.warning("database did not answer", error=type(error).__name__)
            await asyncio.sleep(LOOK)

    async def _look_at_processes(self) -> None:
        if await note_deaths(self._database, self._now()):
            self.tell(Event.PROCESS_CHANGED)

    async def _look_at_everything(self) -> None:
        async with self._database.change_counter() as count:
            before = await count()
            while not self.subscribed:
                await self._look_at_processes()
                await asyncio.sleep(LOOK)
                after = await count()
                if after != before:
                    self.tell(Event.ALL_CHANGED)
                before = after
