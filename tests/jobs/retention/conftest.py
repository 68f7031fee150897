"""A worker that only cleans up, on a database of each kind."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.config import Config, FirstRun
from app.integrations.network import Gate
from app.integrations.parser import Parser
from app.integrations.webhook import Webhooks
from app.jobs.context import Context
from app.jobs.queue import Queue
from app.jobs.seed import prepare
from app.migrate import upgrade
from app.models import (
    Database,
)
from app.vault import Vault
from tests.jobs.retention.ledger import NOW
from tests.servers import Redis
from tests.views.cast import (
    Cast,
    add_surroundings,
)


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
    await prepare(database, FirstRun(), context.vault, NOW)
    yield context
    await webhooks.aclose()
    await queue.aclose()
    await database.aclose()


@pytest.fixture
async def cast(context: Context) -> Cast:
    cast = Cast(NOW)
    async with context.database.transaction() as db:
        await add_surroundings(db, cast)
    return cast
