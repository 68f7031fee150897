"""What the tests of the clean-up write and read."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.context import Context
from app.models import (
    Delivery,
    Raw,
    Setting,
)
from app.models.invariants import broken_invariants
from tests.views.cast import (
    Cast,
    a_delivery,
    a_message,
    an_attempt,
)

Row = TypeVar("Row", bound=SQLModel)
NOW = datetime(2026, 11, 16, 13, 0, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=366), NOW - timedelta(days=364)


async def rows(context: Context, table: type[Row]) -> list[Row]:
    async with context.database.reading() as db:
        return list((await db.exec(select(table))).all())


async def keep(context: Context, **days: int) -> None:
    async with context.database.transaction() as db:
        setting = await Setting.load(db)
        for name, value in days.items():
            setattr(setting, f"keep_{name}", value)


async def broken(context: Context) -> set[int]:
    async with context.database.reading() as db:
        return set((await broken_invariants(db)).values())


async def a_sent_mail(db: AsyncSession, cast: Cast, at: datetime, **given: Any) -> Delivery:  # noqa: ANN401
    """Add a mail and a delivery with one try; a day is enough for all of it."""
    message = await a_message(db, cast, f"Lot {at:%d %b}", at=at)
    delivery = await a_delivery(db, cast, message, **given)
    await an_attempt(db, delivery)
    return delivery


async def sources(context: Context) -> set[int]:
    return {raw.message_id for raw in await rows(context, Raw)}
