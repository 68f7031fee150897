"""Claims on both databases: many workers, and each delivery goes to one of them."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from app.config import Config, FirstRun
from app.integrations.network import Gate
from app.integrations.parser import Parser
from app.integrations.webhook import Webhooks
from app.jobs.claim import claim
from app.jobs.context import Context
from app.jobs.queue import Queue
from app.jobs.seed import prepare
from app.migrate import upgrade
from app.models import Database, Delivery, DeliveryState, Folder, Message, MessageState, Raw, metadata
from app.vault import Vault
from tests.servers import Postgres, Redis

NOW = datetime(2026, 11, 16, 13, 0, tzinfo=UTC)
DELIVERIES = 40


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as postgres:
        yield postgres


@pytest.fixture(params=["sqlite", "postgres"])
def either_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, brought up by the migrations."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres").new_database()
        upgrade(url)
        return url
    shutil.copy(request.getfixturevalue("schema"), tmp_path / "either.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'either.db'}"


@pytest.fixture
async def context(either_url: str, redis: Redis, tmp_path: Path) -> AsyncIterator[Context]:
    database, queue, webhooks = Database(either_url), Queue(redis.url), Webhooks(Gate())
    context = Context(
        config=Config(data_dir=tmp_path),
        database=database,
        queue=queue,
        vault=Vault("a key for tests only"),
        parser=Parser(),
        webhooks=webhooks,
        owner="elsewhere/worker/1/1",
        now=lambda: NOW,
    )
    first_run = FirstRun(
        webhook_url="https://hook.example.com",
        email_address="ada",
        email_password=SecretStr("secret"),
        imap_server="imap.example.com",
    )
    await prepare(database, first_run, context.vault, NOW)
    await _fill(database)
    yield context
    await webhooks.aclose()
    await queue.aclose()
    await database.aclose()


async def _fill(database: Database) -> None:
    async with database.transaction() as db:
        folder = Folder(mailbox_id=1, uidvalidity=1)
        db.add(folder)
        await db.flush()
        for uid in range(1, DELIVERIES + 1):
            message = Message(
                mailbox_id=1,
                folder_id=folder.id or 0,
                uidvalidity=1,
                uid=uid,
                size=1,
                internal_at=NOW,
                stored_at=NOW,
                state=MessageState.DECIDED,
            )
            db.add(message)
            await db.flush()
            db.add(Raw(message_id=message.id or 0, body=b""))
            db.add(_pending(message))


def _pending(message: Message) -> Delivery:
    facts: dict[str, object] = {
        "detector": None,
        "delivery_time": None,
        "urgent": False,
        "window_start": None,
        "window_end": None,
        "links": [],
    }
    return Delivery(
        webhook_id=f"msg_{message.id}",
        message_id=message.id or 0,
        rule_id=1,
        rule_version_id=1,
        endpoint_id=1,
        state=DeliveryState.PENDING,
        reason={"code": "rule_sends", "facts": {}},
        facts=facts,
        due_at=NOW,
        created_at=NOW,
    )


async def test_many_workers_share_the_work_and_none_gets_what_another_has(context: Context) -> None:
    workers = [replace(context, owner=f"elsewhere/worker/{number}/1") for number in range(8)]
    shares = await asyncio.gather(*(claim(worker, 1, 5) for worker in workers))
    ids = [one.id for share in shares for one in share]
    assert len(ids) == len(set(ids)) == DELIVERIES
    assert all(one.generation == 1 and one.body for share in shares for one in share)


async def test_the_tables_are_those_of_the_models(either_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    engine = create_async_engine(either_url)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []
