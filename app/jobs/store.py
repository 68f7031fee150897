"""T1: a batch of mails becomes rows in one commit, and the folder's mark moves with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.integrations.imap import Listed
from app.jobs.context import Context
from app.jobs.lease import own
from app.models import Effect, EffectKind, Mailbox, Message, MessageState, Raw, UidAlias
from app.rules import identity
from app.rules.verdict import Reason, Verdict

MEGABYTE = 1024 * 1024
HARD_LIMIT = 30  # MB: no larger mail is fetched, whatever the setting says


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a batch goes."""

    folder_id: int
    uidvalidity: int
    mailbox: Mailbox
    limit_mb: int | None

    @property
    def limit(self) -> int:
        """The largest mail that is fetched, in bytes."""
        return min(self.limit_mb or HARD_LIMIT, HARD_LIMIT) * MEGABYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A listed UID with whatever could be had of it. `message_id`: its row, when it was met before."""

    item: Listed
    message_id: int | None = None
    header: str = ""
    subject: str = ""
    sender_header: str = ""
    sender: str = ""
    date_header: str = ""
    email_id: str = ""
    fingerprint: str = ""
    refusal: Reason | None = None
    body: bytes | None = None
    vanished: bool = False
    unreadable: bool = False  # its headers broke the parser

    @property
    def digest(self) -> str | None:
        if self.body is None:
            return None
        # without a Message-ID two mails of the same words may still be two mails: their dates and subjects tell
        return identity.digest(
            self.header or f"{self.date_header}|{self.subject}", self.sender_header, self.body
        )


async def store(context: Context, shelf: Shelf, candidates: Sequence[Candidate], *, missing: int) -> None:
    """Commit one row for each candidate.

    Raises:
        LeaseLost: another process took the folder over; nothing was stored.
    """
    now = context.now()
    async with context.database.transaction() as db:
        folder = await own(db, shelf.folder_id, context.owner)
        for candidate in candidates:
            await _place(db, shelf, candidate, now)
        folder.mark = max(folder.mark, *(candidate.item.uid for candidate in candidates))
        folder.missing = missing
        await db.flush()
        context.crash.point("t1.before_commit")
    context.crash.point("t1.after_commit")


async def _place(db: AsyncSession, shelf: Shelf, candidate: Candidate, now: datetime) -> None:
    if await _recognised(db, shelf, candidate):
        return
    message = await _row(db, shelf, candidate, now)
    twin = await _twin(db, message) if message.digest else None
    message.state, message.verdict, message.reason = _condition(candidate, twin)
    if message.state is MessageState.STORED:
        message.decide_at = now
    else:
        message.decided_at = now
    message.duplicate_of = twin
    db.add(message)
    await db.flush()
    if candidate.body is None:
        return
    db.add(Raw(message_id=message.id, body=candidate.body))
    if shelf.mailbox.mark_seen:
        place = {"uid": candidate.item.uid, "uidvalidity": shelf.uidvalidity}
        reference = f"{shelf.folder_id}/{shelf.uidvalidity}/{message.uid}/{message.occurrence}"
        db.add(
            Effect(
                kind=EffectKind.SEEN,
                reference=reference,
                folder_id=shelf.folder_id,
                payload=place,
                due_at=now,
            )
        )


async def _recognised(db: AsyncSession, shelf: Shelf, candidate: Candidate) -> bool:
    """After a change of UIDVALIDITY: give a mail that is in the ledger its new place, and no second row."""
    taken = select(UidAlias.message_id).where(
        UidAlias.folder_id == shelf.folder_id, UidAlias.uidvalidity == shelf.uidvalidity
    )
    same = select(Message).where(
        Message.folder_id == shelf.folder_id,
        Message.uidvalidity != shelf.uidvalidity,
        col(Message.id).not_in(taken),
    )
    if candidate.digest:
        same = same.where(Message.digest == candidate.digest)
    else:
        same = same.where(
            Message.fingerprint == candidate.fingerprint, Message.internal_at == candidate.item.internal_at
        )
    found = (await db.exec(same.order_by(col(Message.id)).limit(1))).first()
    if found is None or found.id is None or not candidate.fingerprint:
        return False
    place = UidAlias(
        folder_id=shelf.folder_id, uidvalidity=shelf.uidvalidity, uid=candidate.item.uid, message_id=found.id
    )
    db.add(place)
    await db.flush()
    return True


async def _row(db: AsyncSession, shelf: Shelf, candidate: Candidate, now: datetime) -> Message:
    item = candidate.item
    if candidate.message_id is not None:
        message = await db.get_one(Message, candidate.message_id)
    else:
        here = (
            Message.folder_id == shelf.folder_id,
            Message.uidvalidity == shelf.uidvalidity,
            Message.uid == item.uid,
        )
        occurrence = (await db.exec(select(func.count()).select_from(Message).where(*here))).one()
        message = Message(
            mailbox_id=shelf.mailbox.id or 0,
            folder_id=shelf.folder_id,
            uidvalidity=shelf.uidvalidity,
            uid=item.uid,
            occurrence=occurrence,
            size=item.size,
            internal_at=item.internal_at,
            stored_at=now,
            state=MessageState.STORED,
        )
    message.message_id, message.subject = candidate.header, candidate.subject
    message.sender, message.sender_header = candidate.sender, candidate.sender_header
    message.date_header, message.email_id = candidate.date_header, candidate.email_id
    message.fingerprint, message.digest = candidate.fingerprint, candidate.digest
    message.fetch_tries += 1
    return message


async def _twin(db: AsyncSession, message: Message) -> int | None:
    """Give the mail of the same identity that was there first (D2)."""
    query = select(Message.id).where(Message.digest == message.digest, col(Message.duplicate_of).is_(None))
    if message.id is not None:
        query = query.where(Message.id != message.id)
    return (await db.exec(query.order_by(col(Message.id)).limit(1))).first()


def _condition(
    candidate: Candidate, twin: int | None
) -> tuple[MessageState, Verdict | None, dict[str, object] | None]:
    if candidate.refusal is not None:
        state = MessageState.OVERSIZE if candidate.refusal.code == "too_large" else MessageState.DECIDED
        return state, Verdict.IGNORE, candidate.refusal.to_json()
    if candidate.vanished:
        return MessageState.VANISHED, Verdict.IGNORE, Reason("vanished", {}).to_json()
    if candidate.body is None:
        return MessageState.QUARANTINED, None, Reason("not_fetched", {}).to_json()
    if candidate.unreadable:
        return MessageState.QUARANTINED, None, Reason("unparsable", {"detail": "headers"}).to_json()
    if twin is not None:
        return (
            MessageState.DECIDED,
            Verdict.DUPLICATE,
            Reason("duplicate_mail", {"message_id": twin}).to_json(),
        )
    return MessageState.STORED, None, None
