"""The clean-up: what is older than Storage keeps it goes, a few rows at a time: nobody waits for it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Delete, Update, delete, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from app.jobs.context import Context
from app.models import Attempt, Delivery, DeliveryState, LogEvent, Message, Raw, Setting, Size
from app.models.database import UNSEEN
from app.models.delivery import FINISHED
from app.models.retention import (
    OldRows,
    ended,
    old_attempts,
    old_bodies,
    old_rows,
    old_sources,
    settled,
)
from app.models.storage import database_size
from app.rules.retention import Kind, threshold

AT_ONCE = 200  # rows in one commit
BYTES = 8 * 2**20  # of content in one commit, unless a single row has more
MOST = 50  # commits for one table in one go; the next one takes up the rest
PAUSE = 0.05  # seconds between two commits, for those that have mail to store and results to write
EVERY = timedelta(minutes=10)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
CLEANED = "storage cleaned"

log = structlog.get_logger()


class CleanUp:
    """Cleans up now and then; how far it came stands in the tables, so that any process may go on."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._last: datetime | None = None

    async def when_due(self) -> None:
        now = self._context.now()
        if self._last is None or not self._last <= now < self._last + EVERY:  # a clock may be set back
            self._last = now
            await clean(self._context)


async def clean(context: Context, *, pause: float = PAUSE, most: int = MOST) -> Counter[Kind]:
    """Remove what is too old, at most so many batches of each; gives how many there were."""
    now = context.now()
    async with context.database.reading() as db:
        setting = await Setting.load(db)
        believed = await _is_credible(db, now.astimezone(setting.tz).date())
    removed: Counter[Kind] = Counter()
    for kind in Kind if believed else ():
        before = threshold(getattr(setting, kind.setting), now)
        if before is not None:
            removed[kind] = await _Removal(context, before, pause, most).of(kind)
    await _note(context, +removed, setting, now)
    return removed


async def _is_credible(db: AsyncSession, today: date) -> bool:
    """Say whether this day follows upon the last that was noted: a clock that runs ahead empties nothing.

    Who has been off for a week is believed the day after, when the day of the return is noted.
    """
    last = (await db.exec(select(func.max(Size.day)).where(col(Size.day) < today))).one()
    if last is None or today - last <= WEEK:
        return True
    log.warning("clean-up does not believe the clock", last_day=last.isoformat())
    return False


@dataclass(frozen=True, slots=True)
class Ended:
    """How a kind that belongs to deliveries is found and removed, and where it stands how far that came."""

    mark: str  # a column of the settings
    old: Callable[[DeliveryState, datetime, datetime | None], Select[Any, Any, Any]]
    remove: Callable[[Sequence[int], datetime], Update | Delete]


def _empty(ids: Sequence[int], before: datetime) -> Update:
    return update(Delivery).where(col(Delivery.id).in_(ids), ended(before)).values(body=None)


def _forget(ids: Sequence[int], before: datetime) -> Delete:
    finished = select(Delivery.id).where(col(Delivery.id) == Attempt.delivery_id, ended(before)).exists()
    return delete(Attempt).where(col(Attempt.id).in_(ids), finished)


OF_DELIVERIES = {
    Kind.BODIES: Ended("bodies_from", old_bodies, _empty),
    Kind.ATTEMPTS: Ended("attempts_from", old_attempts, _forget),
}


@dataclass(frozen=True, slots=True)
class _Removal:
    """Looks without the write lock; what it found is asked again whether it may go when it goes."""

    context: Context
    before: datetime
    pause: float
    most: int

    async def of(self, kind: Kind) -> int:
        gone = await self._sources() if kind is Kind.SOURCES else 0
        if kind in OF_DELIVERIES:
            gone += await self._of_deliveries(OF_DELIVERIES[kind])
        for old in old_rows(kind, self.before):
            gone += await self._rows(old)
        return gone

    async def _sources(self) -> int:
        gone = last = 0
        for _ in range(self.most):
            async with self.context.database.reading() as db:
                query = old_sources(self.before, after=last).limit(AT_ONCE)
                found = _few((await db.exec(query)).all())
            if not found:
                break
            last = found[-1][0]
            gone += await self._remove_sources([row[0] for row in found])
            await asyncio.sleep(self.pause)
        return gone

    async def _remove_sources(self, ids: Sequence[int]) -> int:
        mails = select(Message.id).where(col(Message.id).in_(ids), settled(self.before))
        async with self.context.database.transaction() as db:
            sure = (await db.exec(mails.with_for_update(skip_locked=True))).all()
            await db.exec(delete(Raw).where(col(Raw.message_id).in_(sure)), **UNSEEN)
            gone = update(Message).where(col(Message.id).in_(sure))
            await db.exec(gone.values(source_removed_at=self.context.now()), **UNSEEN)
        return len(sure)

    async def _of_deliveries(self, kind: Ended) -> int:
        gone = 0
        for _ in range(self.most):
            found, since = await self._find_ended(kind)
            few = _few(found)
            more = len(few) < len(found) or len(few) == AT_ONCE
            if not few and since is not None and self.before - since < DAY:
                break  # not worth a commit
            gone += await self._remove_ended(
                kind, [row[0] for row in few], few[-1][1] if more else self.before
            )
            if not more:
                break
            await asyncio.sleep(self.pause)
        return gone

    async def _find_ended(self, kind: Ended) -> tuple[list[tuple[int, datetime, int]], datetime | None]:
        """Give those that ended first; none once all that ended before the moment are done with."""
        async with self.context.database.reading() as db:
            since: datetime | None = getattr(await Setting.load(db), kind.mark)
            if since is not None and since >= self.before:
                return [], self.before
            found = [
                (row[0], row[1], row[2])
                for state in FINISHED
                for row in (await db.exec(kind.old(state, self.before, since).limit(AT_ONCE))).all()
            ]
        return sorted(found, key=lambda row: row[1])[:AT_ONCE], since

    async def _remove_ended(self, kind: Ended, ids: Sequence[int], reached: datetime) -> int:
        mark = col(getattr(Setting, kind.mark))
        behind = mark.is_(None) | (mark < reached)  # it never goes back: what is gone stays gone
        async with self.context.database.transaction() as db:
            gone: int = (await db.exec(kind.remove(ids, self.before), **UNSEEN)).rowcount
            await db.exec(update(Setting).where(behind).values({kind.mark: reached}), **UNSEEN)
        return gone

    async def _rows(self, old: OldRows) -> int:
        gone = 0
        for _ in range(self.most):
            async with self.context.database.reading() as db:
                ids = (await db.exec(select(old.key).where(old.which).order_by(old.age).limit(AT_ONCE))).all()
            if not ids:
                break
            async with self.context.database.transaction() as db:
                gone += (
                    await db.exec(delete(old.table).where(col(old.key).in_(ids), old.which), **UNSEEN)
                ).rowcount
            await asyncio.sleep(self.pause)
        return gone


def _few(rows: Sequence[Any]) -> list[Any]:
    """Give the first rows, whose last column says their sizes, as far as they are small enough together."""
    few: list[Any] = []
    room = BYTES
    for row in rows:
        if few and row[-1] > room:
            break
        few.append(row)
        room -= row[-1]
    return few


async def _note(context: Context, removed: Counter[Kind], setting: Setting, now: datetime) -> None:
    """Keep the day's size, and one line a day of what was removed."""
    day = now.astimezone(setting.tz).date()
    async with context.database.reading() as db:
        known = await db.get(Size, day)
    if known is not None and not removed:
        return
    async with context.database.transaction() as db:
        if await db.get(Size, day) is None:
            db.add(Size(day=day, size=await database_size(db)))
        if not removed:
            return
        last = await LogEvent.latest(db, CLEANED)
        if last is None or last.at.astimezone(setting.tz).date() != day:
            last = LogEvent(at=now, event=CLEANED)
            db.add(last)
        counts = {kind.value: last.facts.get(kind.value, 0) + removed[kind] for kind in Kind}
        last.at, last.facts = now, counts | {"count": sum(counts.values())}
    log.info("storage cleaned", **{kind.value: number for kind, number in removed.items()})
