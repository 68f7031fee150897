"""After a change of UIDVALIDITY: a mail that is in the ledger gets its new place, and no second row (D2)."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.candidate import Candidate, Shelf
from app.models import Message, MessageState, UidAlias

_NEVER_CAME = {MessageState.QUARANTINED, MessageState.VANISHED}


async def recognise(db: AsyncSession, shelf: Shelf, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Give the candidates that bring something, new mail or what a row lacks; the others are placed."""
    elsewhere = select(Message.id).where(
        Message.folder_id == shelf.folder_id, Message.uidvalidity != shelf.uidvalidity
    )
    if (await db.exec(elsewhere.limit(1))).first() is None:
        return list(candidates)
    placed = [await _placed(db, shelf, candidate) for candidate in candidates]
    return [candidate for candidate in placed if candidate is not None]


async def _placed(db: AsyncSession, shelf: Shelf, candidate: Candidate) -> Candidate | None:
    found = await _known(db, shelf, candidate)
    if found is None:
        return candidate
    place = {"uidvalidity": shelf.uidvalidity, "uid": candidate.item.uid}
    if found.digest is not None:
        db.add(UidAlias(folder_id=shelf.folder_id, message_id=found.id or 0, **place))
        await db.flush()
        return None
    # a row without its source moves: when somebody wants the mail after all, it is asked for there
    found.uidvalidity, found.uid = place["uidvalidity"], place["uid"]
    found.occurrence = candidate.occurrence
    await db.flush()
    too_large = candidate.refusal is not None and candidate.refusal.code == "too_large"
    if found.state not in _NEVER_CAME or (found.insisted and too_large):
        return None
    return replace(candidate, message_id=found.id)


async def _known(db: AsyncSession, shelf: Shelf, candidate: Candidate) -> Message | None:
    if not candidate.fingerprint or candidate.message_id is not None:
        return None  # its headers could not be read, or it has a row at this very place
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
    return (await db.exec(same.order_by(col(Message.id)).limit(1))).first()
