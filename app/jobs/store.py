"""T1: a batch of mails becomes rows in one commit, and the folder's mark moves with it."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.candidate import Candidate, Shelf
from app.jobs.context import Context
from app.jobs.lease import own
from app.jobs.recognise import recognise
from app.models import Effect, EffectKind, Message, MessageState, Raw
from app.rules.backoff import fetch_wait
from app.rules.verdict import Reason, Verdict


async def store(context: Context, shelf: Shelf, candidates: Sequence[Candidate], *, missing: int) -> None:
    """Commit one row for each candidate.

    Raises:
        LeaseLost: another process took the folder over; nothing was stored.
    """
    now = context.now()
    async with context.database.transaction() as db:
        folder = await own(db, shelf.folder_id, context.owner)
        fresh = [one for one in candidates if not await _same_again(db, shelf, one)]
        fresh = await recognise(db, shelf, fresh)
        messages = [await _row(db, shelf, candidate, now) for candidate in fresh]
        await _judge_condition(db, fresh, messages, now)
        db.add_all(messages)
        await db.flush()
        for candidate, message in zip(fresh, messages, strict=True):
            db.add_all(_belongings(shelf, candidate, message, now))
        folder.mark = max(folder.mark, *(candidate.item.uid for candidate in candidates))
        folder.missing = missing
        await db.flush()
        context.crash.point("t1.before_commit")
    context.crash.point("t1.after_commit")


async def _same_again(db: AsyncSession, shelf: Shelf, candidate: Candidate) -> bool:
    """Whether a UID whose size or date changed still stands for the mail we have; its row learns them."""
    if candidate.occurrence == 0 or candidate.message_id is not None or candidate.failure:
        return False
    here = select(Message).where(
        Message.folder_id == shelf.folder_id,
        Message.uidvalidity == shelf.uidvalidity,
        Message.uid == candidate.item.uid,
    )
    for message in (await db.exec(here)).all():
        by_headers = (message.message_id, message.sender_header, message.subject, message.date_header) == (
            candidate.header,
            candidate.sender_header,
            candidate.subject,
            candidate.date_header,
        )
        if message.digest == candidate.digest if candidate.digest else by_headers:
            message.size, message.internal_at = candidate.item.size, candidate.item.internal_at
            return True
    return False


async def _row(db: AsyncSession, shelf: Shelf, candidate: Candidate, now: datetime) -> Message:
    item = candidate.item
    if candidate.message_id is not None:
        message = await db.get_one(Message, candidate.message_id)
    else:
        message = Message(
            mailbox_id=shelf.mailbox.id or 0,
            folder_id=shelf.folder_id,
            uidvalidity=shelf.uidvalidity,
            uid=item.uid,
            occurrence=candidate.occurrence,
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


async def _judge_condition(
    db: AsyncSession, candidates: Sequence[Candidate], messages: Sequence[Message], now: datetime
) -> None:
    """Say what each mail is now: to be decided, or settled already for a reason of its own."""
    twins = await _twins(db, [message.digest for message in messages if message.digest])
    for candidate, message in zip(candidates, messages, strict=True):
        twin = twins.get(message.digest or "")
        if twin is not None and twin.id is None:  # both came in this batch: the first gets its number now
            db.add(twin)
            await db.flush()
        other = twin.id if twin is not None and twin is not message else None
        message.state, message.verdict, message.reason = _condition(candidate, other)
        waits = message.state is MessageState.STORED
        message.decide_at, message.decided_at = (now, None) if waits else (None, now)
        message.fetch_at = _next_fetch(message, now)
        if message.verdict is Verdict.DUPLICATE:
            message.duplicate_of = other
        elif message.digest:
            twins.setdefault(message.digest, message)


def _next_fetch(message: Message, now: datetime) -> datetime | None:
    """Say when the server is asked again for what it did not give, if it is."""
    if message.reason is None or message.reason["code"] != "not_fetched":
        return None
    wait = fetch_wait(message.fetch_tries)
    return now + wait if wait else None


async def _twins(db: AsyncSession, digests: Sequence[str]) -> dict[str, Message]:
    """Find, by digest, the mails that were there first (D2)."""
    query = (
        select(Message)
        .where(col(Message.digest).in_(digests), col(Message.duplicate_of).is_(None))
        .order_by(col(Message.id).desc())
    )
    return {message.digest or "": message for message in (await db.exec(query)).all()}


def _belongings(shelf: Shelf, candidate: Candidate, message: Message, now: datetime) -> list[Raw | Effect]:
    if candidate.body is None:
        return []
    raw = Raw(message_id=message.id or 0, body=candidate.body)
    if not shelf.mailbox.mark_seen:
        return [raw]
    place = {"uid": candidate.item.uid, "uidvalidity": shelf.uidvalidity}
    reference = f"{shelf.folder_id}/{shelf.uidvalidity}/{message.uid}/{message.occurrence}"
    seen = Effect(
        kind=EffectKind.SEEN, reference=reference, folder_id=shelf.folder_id, payload=place, due_at=now
    )
    return [raw, seen]


def _condition(
    candidate: Candidate, twin: int | None
) -> tuple[MessageState, Verdict | None, dict[str, object] | None]:
    if candidate.refusal is not None:
        state = MessageState.OVERSIZE if candidate.refusal.code == "too_large" else MessageState.DECIDED
        return state, Verdict.IGNORE, candidate.refusal.to_json()
    if candidate.vanished:
        return MessageState.VANISHED, Verdict.IGNORE, Reason("vanished", {}).to_json()
    if candidate.body is None:
        facts = {"detail": candidate.failure} if candidate.failure else {}
        return MessageState.QUARANTINED, None, Reason("not_fetched", facts).to_json()
    if candidate.unreadable:
        return MessageState.QUARANTINED, None, Reason("unparsable", {"detail": "headers"}).to_json()
    if twin is not None:
        return (
            MessageState.DECIDED,
            Verdict.DUPLICATE,
            Reason("duplicate_mail", {"message_id": twin}).to_json(),
        )
    return MessageState.STORED, None, None
