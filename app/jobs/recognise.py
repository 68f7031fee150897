"""After a change of UIDVALIDITY: a mail that is in the ledger gets its new place, and no second row (D2)."""

from collections.abc import Sequence

from sqlalchemy import and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.candidate import Candidate, Shelf
from app.models import Message, UidAlias


async def recognise(db: AsyncSession, shelf: Shelf, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Give the candidates that are new; the others have an alias now."""
    elsewhere = select(Message.id).where(
        Message.folder_id == shelf.folder_id, Message.uidvalidity != shelf.uidvalidity
    )
    if (await db.exec(elsewhere.limit(1))).first() is None:
        return list(candidates)
    return [candidate for candidate in candidates if not await _known(db, shelf, candidate)]


async def _known(db: AsyncSession, shelf: Shelf, candidate: Candidate) -> bool:
    if not candidate.fingerprint:
        return False  # its headers could not be read
    taken = select(UidAlias.message_id).where(
        UidAlias.folder_id == shelf.folder_id, UidAlias.uidvalidity == shelf.uidvalidity
    )
    # a mail of which the ledger has headers only is known by them, and by the moment of its arrival
    by_headers = and_(
        col(Message.digest).is_(None),
        col(Message.fingerprint) == candidate.fingerprint,
        col(Message.internal_at) == candidate.item.internal_at,
    )
    same = select(Message).where(
        Message.folder_id == shelf.folder_id,
        Message.uidvalidity != shelf.uidvalidity,
        col(Message.id).not_in(taken),
        or_(col(Message.digest) == candidate.digest, by_headers) if candidate.digest else by_headers,
    )
    found = (await db.exec(same.order_by(col(Message.id)).limit(1))).first()
    if found is None or found.id is None:
        return False
    db.add(
        UidAlias(
            folder_id=shelf.folder_id,
            uidvalidity=shelf.uidvalidity,
            uid=candidate.item.uid,
            message_id=found.id,
        )
    )
    await db.flush()
    return True
