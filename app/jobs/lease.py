"""One poll of a folder at a time, across all processes and machines: a lease that is renewed and released."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.context import Context
from app.jobs.owner import holds
from app.models import Folder

LENGTH = timedelta(seconds=30)
RENEWAL = 10.0  # seconds

log = structlog.get_logger()


class LeaseLost(Exception):
    """Another process reads this folder now; what we have not committed is theirs to do."""


@asynccontextmanager
async def leased(
    context: Context, mailbox_id: int, name: str = "INBOX", *, renewal: float = RENEWAL
) -> AsyncIterator[int | None]:
    """Hold the folder while the block runs; gives its id, or None when somebody else holds it."""
    folder_id = await _take(context, mailbox_id, name)
    if folder_id is None:
        yield None
        return
    renewals = asyncio.create_task(_renew(context, folder_id, renewal))
    try:
        yield folder_id
    finally:
        renewals.cancel()
        with suppress(asyncio.CancelledError):
            await renewals
        await _release(context, folder_id)


async def own(db: AsyncSession, folder_id: int, owner: str) -> Folder:
    """Give the folder inside a transaction, provided that the lease is still ours.

    Raises:
        LeaseLost: it is not.
    """
    folder = await db.get_one(Folder, folder_id)
    if folder.lease_owner != owner:
        raise LeaseLost
    return folder


async def _take(context: Context, mailbox_id: int, name: str) -> int | None:
    now = context.now()
    async with context.database.transaction() as db:
        query = select(Folder).where(Folder.mailbox_id == mailbox_id, Folder.name == name).with_for_update()
        folder = (await db.exec(query)).one_or_none()
        if folder is None:
            folder = Folder(mailbox_id=mailbox_id, name=name)
        elif holds(folder.lease_owner, folder.lease_until, now, length=LENGTH):
            return None
        folder.lease_owner, folder.lease_until = context.owner, now + LENGTH
        db.add(folder)
        await db.flush()
        return folder.id


async def _renew(context: Context, folder_id: int, renewal: float) -> None:
    while True:
        await asyncio.sleep(renewal)
        await _set(context, folder_id, owner=context.owner)


async def _release(context: Context, folder_id: int) -> None:
    await _set(context, folder_id, owner=None)


async def _set(context: Context, folder_id: int, *, owner: str | None) -> None:
    change = (
        update(Folder)
        .where(col(Folder.id) == folder_id, col(Folder.lease_owner) == context.owner)
        .values(lease_owner=owner, lease_until=context.now() + LENGTH if owner else None)
    )
    try:
        async with context.database.transaction() as db:
            await db.exec(change)
    except SQLAlchemyError as error:  # the next renewal may get through; a lease not given back runs out
        log.warning("lease not written", folder=folder_id, error=type(error).__name__)
