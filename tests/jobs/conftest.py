"""A worker's parts, put together by hand: a clock that tests move, a mailbox in Dovecot, a receiver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr
from sqlmodel import SQLModel, select

from app.config import Config, FirstRun
from app.integrations.network import Gate
from app.integrations.parser import Parser
from app.integrations.webhook import Webhooks
from app.jobs.claim import Room
from app.jobs.context import Context
from app.jobs.decide import decide_waiting
from app.jobs.deliver import Deliverer
from app.jobs.poll import poll
from app.jobs.queue import Queue
from app.jobs.seed import prepare
from app.jobs.sweep import sweep
from app.models import Attempt, Database, Mailbox, Setting
from app.vault import Vault
from tests.servers import Dovecot, Redis, Sink

Row = TypeVar("Row", bound=SQLModel)
users = count(1)


@dataclass
class Clock:
    """Monday afternoon in Paris, until a test says otherwise."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 16, 13, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **span: float) -> None:
        self.at += timedelta(**span)


def room(most: int) -> Room:
    """So much of each receiver's, whatever else is under way."""
    return lambda _: most


@dataclass
class World:
    """One mailbox, one receiver, one worker whose steps are taken by hand."""

    context: Context
    clock: Clock
    imap: Dovecot
    user: str
    sink: Sink
    deliverer: Deliverer

    def arrives(self, *mails: bytes, seen: bool = False) -> None:
        for mail in mails:
            self.imap.deliver(self.user, mail, seen=seen)

    async def poll(self, **changes: Any) -> None:  # noqa: ANN401 - a Context's fields
        await poll(replace(self.context, **changes), 1)

    async def decide(self) -> None:
        while await decide_waiting(self.context):
            pass

    async def deliver(self) -> int:
        """Send what is due now, as many at once as the receiver takes, and write it down; gives the tries."""
        before = len(await self.rows(Attempt))
        while await self.deliverer.claim_due():
            await self.deliverer.drain()
        return len(await self.rows(Attempt)) - before

    async def settle(self) -> None:
        """From the mailbox to the receiver, as far as things go at this moment."""
        await self.poll()
        await self.decide()
        await sweep(self.context)
        await self.deliver()

    async def rows(self, table: type[Row]) -> list[Row]:
        async with self.context.database.reading() as db:
            return list((await db.exec(select(table))).all())

    async def one(self, table: type[Row]) -> Row:
        (row,) = await self.rows(table)
        return row

    async def change(self, table: type[Row], **values: Any) -> None:  # noqa: ANN401 - columns
        """Change every row of a table, as a page would."""
        async with self.context.database.transaction() as db:
            for row in (await db.exec(select(table))).all():
                for name, value in values.items():
                    setattr(row, name, value)

    async def set(self, **values: Any) -> None:  # noqa: ANN401 - columns
        """Save settings, as a page would."""
        async with self.context.database.transaction() as db:
            setting = await Setting.load(db)
            for name, value in values.items():
                setattr(setting, name, value)
            setting.revision += 1

    async def mailbox(self) -> Mailbox:
        return await self.one(Mailbox)


@asynccontextmanager
async def running(deliverer: Deliverer) -> AsyncIterator[None]:
    writing = asyncio.create_task(deliverer.write_results())
    try:
        yield
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing


@pytest.fixture
def first_run() -> FirstRun:
    """What the environment says at the first start; a test file may have its own."""
    return FirstRun()


@pytest.fixture
async def context(
    either_url: str, redis: Redis, tmp_path: Path, first_run: FirstRun
) -> AsyncIterator[Context]:
    """A worker's parts on a database of each kind, with neither mailbox nor receiver to talk to."""
    database, queue, webhooks = Database(either_url), Queue(redis.url), Webhooks(Gate())
    clock = Clock()
    context = Context(
        config=Config(data_dir=tmp_path),
        database=database,
        queue=queue,
        vault=Vault("a key for tests only"),
        parser=Parser(),
        webhooks=webhooks,
        owner="elsewhere/worker/1/1",
        now=clock,
    )
    await prepare(database, first_run, context.vault, clock())
    yield context
    await webhooks.aclose()
    await queue.aclose()
    await database.aclose()


@pytest.fixture
async def world(  # noqa: PLR0917 - fixtures
    database: Database, redis: Redis, dovecot: Dovecot, sink: Sink, tmp_path: Path
) -> AsyncIterator[World]:
    clock, user = Clock(), f"user{next(users)}"
    vault = Vault("a key for tests only")
    first_run = FirstRun(
        email_address=user,
        email_password=SecretStr(dovecot.password),
        imap_server=dovecot.host,
        imap_port=dovecot.port,
        imap_use_ssl=False,
        webhook_url=sink.url,
    )
    await prepare(database, first_run, vault, clock())
    queue, webhooks = Queue(redis.url), Webhooks(Gate(sink.address))
    async with Parser() as parser:
        context = Context(
            config=Config(data_dir=tmp_path),
            database=database,
            queue=queue,
            vault=vault,
            parser=parser,
            webhooks=webhooks,
            owner="elsewhere/worker/1/1",
            now=clock,
        )
        deliverer = Deliverer(context)
        async with running(deliverer):
            yield World(context, clock, dovecot, user, sink, deliverer)
    await webhooks.aclose()
    await queue.aclose()
