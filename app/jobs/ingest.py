"""Take in what is new in a folder: announce, size, fetch, store (architecture: the life of a mail)."""

from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import structlog
from sqlmodel import col, func, select

from app.events import Event
from app.integrations.errors import IntegrationError
from app.integrations.imap_answer import Listed
from app.jobs.candidate import Candidate, Shelf, Start
from app.jobs.fetch import blank, fetch
from app.jobs.lease import own
from app.jobs.ledger import Known, known_uids
from app.jobs.store import store
from app.jobs.visit import Visit
from app.models import Folder, Mailbox, Message, MessageState, Setting
from app.rules.verdict import Reason, Verdict

LOOK_BACK = 500  # UIDs below the mark that are compared at every poll
WHOLE = timedelta(days=1)  # how often the whole folder is compared
BATCH_COUNT = 50
BATCH_BYTES = 8 * 1024 * 1024
MOST_FAILURES = 5  # mails that a server may fail to give in one poll, before it is the server that fails

log = structlog.get_logger()


async def ingest(visit: Visit) -> int:
    """Give every listed UID a row; gives how many were new.

    Raises:
        IntegrationError: the server does not go along; what was stored stays stored.
        LeaseLost: another process took the folder over.
    """
    context = visit.context
    await visit.progress.step("listing")
    shelf = await _meet(visit)
    listing = await visit.imap.listing(shelf.first)
    context.crash.point("announce.after")
    known = await known_uids(context.database, shelf, context.now())
    fresh = [item for item in listing if known.is_new(item)]
    missing = sum(item.uid not in known.unfetched for item in fresh)
    await _note(visit, missing=missing, gone=known.owed_beside(listing))
    stored = 0
    async for candidates in _fetched(visit, shelf, fresh, known):
        missing -= sum(candidate.message_id is None for candidate in candidates)
        await store(context, shelf, candidates, missing=missing)
        stored += len(candidates)
        await visit.progress.step("fetching", total=len(fresh), done=stored)
        context.bells.decide.set()
        await context.queue.publish(Event.MESSAGE_CHANGED)
    await visit.progress.step("flagging", total=len(fresh), done=stored)
    await _settle(visit, whole=shelf.first == 1)
    return stored


async def _meet(visit: Visit) -> Shelf:
    """Note what the folder is now; a new UIDVALIDITY voids the mark: mail is recognised by its content."""
    now, status = visit.context.now(), visit.status
    async with visit.context.database.transaction() as db:
        folder = await own(db, visit.folder_id, visit.context.owner)
        setting = await Setting.load(db)
        if folder.uidvalidity != status.uidvalidity:
            folder.uidvalidity, folder.mark, folder.swept_at = status.uidvalidity, 0, None
            if folder.started_at is None:
                folder.baseline = status.uidnext - 1
        owed = select(func.min(col(Message.uid))).where(
            Message.folder_id == folder.id,
            Message.uidvalidity == status.uidvalidity,
            col(Message.fetch_at) <= now,
        )
        return Shelf(
            folder_id=visit.folder_id,
            uidvalidity=status.uidvalidity,
            first=_first(folder, (await db.exec(owed)).one(), now),
            mailbox=visit.mailbox,
            start=_start(folder, visit.mailbox, setting),
            limit_mb=setting.max_email_size_mb,
        )


def _first(folder: Folder, owed: int | None, now: datetime) -> int:
    """Give the lowest UID to look at: a stretch below the mark, what the server owes us, once a day all."""
    if folder.started_at is None or folder.swept_at is None or folder.swept_at + WHOLE <= now:
        return 1
    first = max(1, folder.mark - LOOK_BACK)
    return first if owed is None else min(first, owed)


def _start(folder: Folder, mailbox: Mailbox, setting: Setting) -> Start:
    since = None
    if mailbox.since_on is not None:
        since = datetime.combine(mailbox.since_on, time(), setting.tz).astimezone(UTC)
    return Start(folder.started_at is not None, folder.baseline, mailbox.first_contact, since)


async def _note(visit: Visit, *, missing: int, gone: Collection[int]) -> None:
    """Count what has no row yet (I1), and settle what we were to ask for again and is not there any more."""
    async with visit.context.database.transaction() as db:
        (await own(db, visit.folder_id, visit.context.owner)).missing = missing
        for message_id in gone:
            _vanish(await db.get_one(Message, message_id), visit.context.now())


async def _fetched(
    visit: Visit, shelf: Shelf, fresh: Sequence[Listed], known: Known
) -> AsyncIterator[list[Candidate]]:
    """Read batch by batch; when one cannot be had its mails are taken singly: that finds the one at fault."""
    batches, failures = deque(_batches(fresh, known)), 0
    while batches:
        batch = batches.popleft()
        try:
            yield await fetch(visit, shelf, batch, known)
        except IntegrationError as error:
            await visit.reconnect()  # raises when it is the server that is away
            if len(batch) > 1:
                batches.extendleft([item] for item in reversed(batch))
                continue
            failures += 1
            if failures > MOST_FAILURES:
                raise
            log.warning("mail not given", uid=batch[0].uid, reason=str(error.reason), detail=error.detail)
            yield [replace(blank(batch[0], known), failure=str(error.reason))]


def _batches(items: Sequence[Listed], known: Known) -> Iterator[list[Listed]]:
    """Cut into batches, in the order of UIDs; mails that were not to be had before come last, each alone."""
    batch: list[Listed] = []
    weight = 0
    for item in sorted(items, key=lambda item: item.uid):
        if item.uid in known.unfetched:
            continue
        if batch and (len(batch) >= BATCH_COUNT or weight + item.size > BATCH_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(item)
        weight += item.size
    if batch:
        yield batch
    yield from ([item] for item in items if item.uid in known.unfetched)


async def _settle(visit: Visit, *, whole: bool) -> None:
    now = visit.context.now()
    async with visit.context.database.transaction() as db:
        folder = await own(db, visit.folder_id, visit.context.owner)
        folder.started_at = folder.started_at or now
        if not whole:
            return
        folder.swept_at = now
        unmet = select(Message).where(  # owed from before the folder was renumbered
            Message.folder_id == folder.id,
            Message.uidvalidity != folder.uidvalidity,
            col(Message.fetch_at).is_not(None),
        )
        for message in (await db.exec(unmet)).all():
            _vanish(message, now)


def _vanish(message: Message, now: datetime) -> None:
    message.settle(MessageState.VANISHED, Verdict.IGNORE, Reason("vanished", {}).to_json(), now)
    message.fetch_at = None
