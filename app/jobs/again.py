"""Somebody wants a mail handled that was set aside, passed over or not fetched."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Folder, Message


async def try_again(db: AsyncSession, message: Message, now: datetime) -> None:
    """Open the mail's way once more; what we never fetched is asked for when its mailbox is next polled.

    Raises:
        ValueError: it has a verdict that stands.
    """
    message.try_again(now)
    if message.digest is None:
        folder = await db.get_one(Folder, message.folder_id)
        folder.swept_at = None  # it may lie below the UIDs that every poll compares
