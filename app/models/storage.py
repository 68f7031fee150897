"""How large the database is, what takes the room, and what room is left."""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.database import LARGEST_LOG, STORAGE
from app.models.delivery import Attempt, Delivery
from app.models.log_event import LogEvent
from app.models.message import Raw
from app.models.size import Size
from app.models.trouble import MEGABYTE, Storage
from app.rules.retention import Kind

SAMPLE = 200  # rows that stand for all of a kind
SPAN = timedelta(days=30)  # over which growth is measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """In bytes. What is `unused` lies within the size; `free` (of the disk) is None on somebody's server."""

    size: int
    unused: int = 0
    log: int = 0
    free: int | None = None
    least_free: int = 0

    @property
    def room(self) -> int | None:
        """Give what may still be used, before no mail is fetched any more."""
        return None if self.free is None else self.free + self.unused - self.least_free

    @property
    def log_too_large(self) -> bool:
        return self.log > LARGEST_LOG


@dataclass(frozen=True, slots=True)
class Usage:
    rows: int
    size: int


async def measure(db: AsyncSession) -> Measured:
    storage: Storage = db.info[STORAGE]
    size = await database_size(db)
    if storage.path is None:
        return Measured(size=size)
    free = None
    with suppress(OSError):
        disk = os.statvfs(storage.path)
        free = disk.f_bavail * disk.f_frsize
    page = await _number(db, "PRAGMA page_size")
    return Measured(
        size=size,
        unused=await _number(db, "PRAGMA freelist_count") * page,
        log=_log_of(storage),
        free=free,
        least_free=storage.least_free * MEGABYTE,
    )


async def database_size(db: AsyncSession) -> int:
    """Give the bytes that the database takes, its log included."""
    storage: Storage = db.info[STORAGE]
    if storage.path is None:
        return await _number(db, "SELECT pg_database_size(current_database())")
    pages = await _number(db, "PRAGMA page_count") * await _number(db, "PRAGMA page_size")
    return pages + _log_of(storage)


def _log_of(storage: Storage) -> int:
    try:
        return os.stat(f"{storage.path}-wal").st_size  # noqa: PTH116 - a name, not a path, is made
    except OSError:
        return 0


async def _number(db: AsyncSession, statement: str) -> int:
    return int((await (await db.connection()).execute(text(statement))).scalar_one())


async def usages(db: AsyncSession) -> dict[Kind, Usage]:
    """Estimate what each kind takes, of its contents: from a few rows, for counting all takes long."""
    attempt = _bytes(Attempt.answer) + _text(Attempt.answer_headers) + _text(Attempt.request_headers)
    raw = _bytes(Raw.body) + _bytes(Raw.plain) + _bytes(Raw.html) + _bytes(Raw.text) + _text(Raw.headers)
    return {
        Kind.SOURCES: await _estimate(db, col(Raw.message_id), raw),
        Kind.BODIES: await _estimate(db, col(Delivery.id), func.octet_length(Delivery.body)),
        Kind.ATTEMPTS: await _estimate(db, col(Attempt.id), attempt + _text(Attempt.timings)),
        Kind.LOGS: await _estimate(db, col(LogEvent.id), _text(LogEvent.facts) + _bytes(LogEvent.subject)),
    }


def _bytes(column: Any) -> Any:  # noqa: ANN401 - a mapped column, and an expression
    return func.coalesce(func.octet_length(column), 0)


def _text(column: Any) -> Any:  # noqa: ANN401
    return _bytes(cast(column, String))


async def _estimate(db: AsyncSession, key: Any, size: ColumnElement[int]) -> Usage:  # noqa: ANN401
    """Weigh rows at even distances, by their numbers; those whose size is NULL count for nothing."""
    first = (await db.exec(select(func.min(key)))).one()
    last = (await db.exec(select(func.max(key)))).one()
    if first is None or last is None:
        return Usage(0, 0)
    numbers = range(first, last + 1, max(1, (last + 1 - first) // SAMPLE))
    rows, weight = (await db.exec(select(func.count(size), func.sum(size)).where(key.in_(numbers)))).one()
    share = (last + 1 - first) / len(numbers)
    return Usage(round(rows * share), round((weight or 0) * share))


async def sizes_until(db: AsyncSession, today: date) -> list[tuple[date, int]]:
    """Give the size at the beginning of each of the last days that are known."""
    query = select(Size).where(col(Size.day) >= today - SPAN, col(Size.day) < today).order_by(col(Size.day))
    return [(row.day, row.size) for row in (await db.exec(query)).all()]
