"""One database, two doors: transactions that write, and readings that never take the write lock."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import sqlite
from app.models.trouble import MEGABYTE, Storage, Trouble, trouble_of

LARGEST_LOG = 64 * MEGABYTE  # of a write-ahead log that nobody keeps from being used again
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "mmap_size=0",
    f"journal_size_limit={LARGEST_LOG}",  # a log that a reader made grow does not stay so large
)
PATIENCE = 15.0  # seconds that a writer waits for those of this process, and then for another one
STORAGE = "storage"  # under which a session knows it
LEAST_FREE = 64  # megabytes; see Storage
UNSEEN: dict[str, Any] = {"execution_options": {"synchronize_session": False}}  # no row of these was loaded


class Database:
    """The tables, wherever they live (SQLite file or PostgreSQL)."""

    def __init__(self, url: str, *, patience: float = PATIENCE, least_free: int = LEAST_FREE) -> None:
        self.sqlite = url.startswith("sqlite")
        self._storage = Storage(Path(make_url(url).database or "") if self.sqlite else None, least_free)
        self._patience = patience
        if self.sqlite:
            sqlite.install()
        self._writer = self._engine(url, "BEGIN IMMEDIATE", size=1 if self.sqlite else 8)
        self._reader = self._engine(url, "BEGIN", size=5 if self.sqlite else 8)

    def _engine(self, url: str, begin: str, *, size: int) -> AsyncEngine:
        # SQLite has one writer at a time: one connection queues fairly, several would poll for the lock.
        engine = create_async_engine(
            url, pool_size=size, max_overflow=0, pool_timeout=self._patience, hide_parameters=True
        )  # an error must not show what was bound
        if self.sqlite:
            event.listen(engine.sync_engine, "connect", self._set_pragmas)
            event.listen(engine.sync_engine, "handle_error", _open_anew)
            event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Write: what the block did is committed when it ends, or none of it."""
        async with self._session(self._writer) as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Read one consistent state, without ever waiting for a writer."""
        async with self._session(self._reader) as session:
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

    def _session(self, engine: AsyncEngine) -> AsyncSession:
        return AsyncSession(engine, expire_on_commit=False, info={STORAGE: self._storage})

    def _set_pragmas(self, connection: DBAPIConnection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in (f"busy_timeout={self._patience * 1000:.0f}", *PRAGMAS):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def storage_trouble(db: AsyncSession) -> Trouble | None:
    """Look at the disk under the tables that this session works on."""
    storage: Storage = db.info[STORAGE]
    return storage.trouble()


def _open_anew(context: ExceptionContext) -> None:
    """Let no connection live on that met a failing disk: what it has in memory may be there alone."""
    error = context.sqlalchemy_exception
    if error is not None and trouble_of(error) is Trouble.AWAY:
        context.is_disconnect = True
