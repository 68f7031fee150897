"""A worker's parts, put together by hand as in tests/jobs, on a disk that can fail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.deliver import Deliverer
from app.models import Database
from tests.faults.disk import Disk
from tests.jobs.conftest import World, running, world

__all__ = ["world"]

LEDGER = (
    "SELECT id, state, verdict, decide_owner FROM message ORDER BY id",
    "SELECT message_id, length(body), text FROM raw ORDER BY message_id",
    "SELECT id, state, attempts, generation, length(body) FROM delivery ORDER BY id",
    "SELECT id, outcome FROM attempt ORDER BY id",
    "SELECT kind, reference, done_at FROM effect ORDER BY id",
    "SELECT mark, missing, lease_owner FROM folder ORDER BY id",
)


class Ledger(Database):
    """Our database; notes after each commit how far the disk had come, and what then stood in it."""

    def __init__(self, path: Path, disk: Disk, *pragmas: str) -> None:
        self._pragmas = pragmas
        self._disk = disk
        self.acknowledged: list[tuple[int, str]] = []
        super().__init__(f"sqlite+aiosqlite:///{path}")

    def _engine(self, url: str, begin: str, *, size: int) -> AsyncEngine:
        engine = super()._engine(url, begin, size=size)

        def set_pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's signature
            cursor = connection.cursor()
            for pragma in self._pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        event.listen(engine.sync_engine, "connect", set_pragmas)
        return engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        async with super().transaction() as db:
            yield db
        said = await contents(self)
        self.acknowledged.append((len(self._disk.steps), said))


async def contents(database: Database) -> str:
    """Everything that a receiver or an operator would miss."""
    async with database.reading() as db:
        connection = await db.connection()
        return "\n".join([str((await connection.execute(text(query))).all()) for query in LEDGER])


@asynccontextmanager
async def on_disk(world: World, disk: Disk, *pragmas: str) -> AsyncIterator[tuple[World, Ledger]]:
    """The same world, its database on this disk."""
    ledger = Ledger(disk.database, disk, *pragmas)
    context = replace(world.context, database=ledger)
    deliverer = Deliverer(context)
    try:
        async with running(deliverer):
            yield replace(world, context=context, deliverer=deliverer), ledger
    finally:
        await ledger.aclose()
