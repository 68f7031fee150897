"""One database, two doors: transactions that write, and readings that never take the write lock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import sqlite

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=15000",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "mmap_size=0",
)


class Database:
    """The tables, wherever they live (SQLite file or PostgreSQL)."""

    def __init__(self, url: str) -> None:
        self.sqlite = url.startswith("sqlite")
        if self.sqlite:
            sqlite.install()
        self._writer = self._engine(url, "BEGIN IMMEDIATE", size=1 if self.sqlite else 8)
        self._reader = self._engine(url, "BEGIN", size=5 if self.sqlite else 8)

    def _engine(self, url: str, begin: str, *, size: int) -> AsyncEngine:
        # SQLite has one writer at a time: one connection queues fairly, several would poll for the lock.
        engine = create_async_engine(
            url, pool_size=size, max_overflow=0, pool_timeout=60, hide_parameters=True
        )  # an error must not show what was bound
        if self.sqlite:
            event.listen(engine.sync_engine, "connect", _set_pragmas)
            event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Write: what the block did is committed when it ends, or none of it."""
        async with AsyncSession(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Read one consistent state, without ever waiting for a writer."""
        async with AsyncSession(self._reader, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def change_counter(self) -> AsyncIterator[Callable[[], Awaitable[int]]]:
        """Give a question whose answer differs once another connection has committed.

        For pages while Redis is away. SQLite answers for one connection only, so it is held.
        """
        query = text(
            "PRAGMA data_version" if self.sqlite else "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
        )
        async with self._reader.connect() as connection:

            async def ask() -> int:
                answer = int((await connection.execute(query)).scalar_one())
                await connection.rollback()
                return answer

            yield ask

    async def aclose(self) -> None:
        await self._writer.dispose()
        await self._reader.dispose()


def _set_pragmas(connection: DBAPIConnection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's signature
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
