"""Take in what is new in a folder: announce, size, fetch, store (architecture: the life of a mail)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

import structlog

from app.events import Event
from app.integrations.errors import IntegrationError
from app.integrations.imap import FolderStatus, Imap
from app.integrations.imap_answer import Listed
from app.integrations.parsed import ParsedHeaders
from app.jobs.candidate import HARD_LIMIT, MEGABYTE, Candidate, Shelf, Start
from app.jobs.context import Context
from app.jobs.lease import own
from app.jobs.ledger import Known, known_uids
from app.jobs.progress import Progress
from app.jobs.store import store
from app.models import Folder, Mailbox, Setting
from app.rules import identity
from app.rules.sender import bare_address, is_listed
from app.rules.verdict import Reason

LOOK_BACK = 500  # UIDs below the mark that are compared at every poll
WHOLE = timedelta(days=1)  # how often the whole folder is compared
BATCH_COUNT = 50
BATCH_BYTES = 8 * 1024 * 1024

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One poll of one folder, whose lease is ours."""

    context: Context
    imap: Imap
    mailbox: Mailbox
    folder_id: int
    progress: Progress


async def ingest(visit: Visit) -> int:
    """Give every listed UID a row; gives how many were new.

    Raises:
        IntegrationError: the server does not go along; what was stored stays stored.
        LeaseLost: another process took the folder over.
    """
    context, imap = visit.context, visit.imap
    await visit.progress.step("listing")
    async with context.database.reading() as db:
        name = (await db.get_one(Folder, visit.folder_id)).name
    status = await imap.select(name)
    shelf = await _meet(visit, status)
    listing = await imap.listing(shelf.first)
    context.crash.point("announce.after")
    known = await known_uids(context.database, visit.folder_id, status.uidvalidity, shelf.first)
    fresh = [item for item in listing if known.is_new(item)]
    await _note_missing(visit, len(fresh))
    stored = 0
    for batch in _batches(fresh):
        await visit.progress.step("fetching", listed=len(fresh), stored=stored)
        candidates = await _fetch(visit, shelf, batch, known)
        await store(context, shelf, candidates, missing=len(fresh) - stored - len(batch))
        stored += len(batch)
        context.bells.decide.set()
        await context.queue.publish(Event.MESSAGE_CHANGED)
    await visit.progress.step("flagging", listed=len(fresh), stored=stored)
    await _settle(visit, whole=shelf.first == 1)
    return stored


async def _meet(visit: Visit, status: FolderStatus) -> Shelf:
    """Note what the folder is now; a new UIDVALIDITY voids the mark: mail is recognised by its content."""
    now = visit.context.now()
    async with visit.context.database.transaction() as db:
        folder = await own(db, visit.folder_id, visit.context.owner)
        setting = await Setting.load(db)
        if folder.uidvalidity != status.uidvalidity:
            folder.uidvalidity, folder.mark, folder.swept_at = status.uidvalidity, 0, None
            if folder.started_at is None:
                folder.baseline = status.uidnext - 1
        whole = folder.started_at is None or folder.swept_at is None or folder.swept_at + WHOLE <= now
        return Shelf(
            folder_id=visit.folder_id,
            uidvalidity=status.uidvalidity,
            first=1 if whole else max(1, folder.mark - LOOK_BACK),
            mailbox=visit.mailbox,
            start=_start(folder, visit.mailbox, setting),
            limit_mb=setting.max_email_size_mb,
        )


def _start(folder: Folder, mailbox: Mailbox, setting: Setting) -> Start:
    since = None
    if mailbox.since_on is not None:
        since = datetime.combine(mailbox.since_on, time(), setting.tz).astimezone(UTC)
    return Start(folder.started_at is not None, folder.baseline, mailbox.first_contact, since)


async def _note_missing(visit: Visit, missing: int) -> None:
    async with visit.context.database.transaction() as db:
        (await own(db, visit.folder_id, visit.context.owner)).missing = missing


def _batches(items: Sequence[Listed]) -> Iterator[list[Listed]]:
    batch: list[Listed] = []
    weight = 0
    for item in sorted(items, key=lambda item: item.uid):
        if batch and (len(batch) >= BATCH_COUNT or weight + item.size > BATCH_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(item)
        weight += item.size
    if batch:
        yield batch


async def _fetch(visit: Visit, shelf: Shelf, batch: Sequence[Listed], known: Known) -> list[Candidate]:
    """Read headers first, and bodies only of mail that may matter."""
    heads = await _heads(visit.context, await visit.imap.headers([item.uid for item in batch]))
    candidates = []
    for item in batch:
        head = heads.get(item.uid)
        candidate = Candidate(
            item=item,
            message_id=known.unfetched.get(item.uid),
            occurrence=known.occurrences(item.uid),
            insisted=item.uid in known.insisted,
            unreadable=item.uid not in heads,
        )
        if head is not None:
            candidate = replace(
                candidate,
                header=head.message_id,
                subject=head.subject,
                sender_header=head.sender_header,
                sender=bare_address(head.sender_header),
                date_header=head.date_header,
                email_id=identity.email_id(head.message_id, head.subject, head.date_header),
                fingerprint=identity.fingerprint(
                    message_id=head.message_id,
                    sender_header=head.sender_header,
                    subject=head.subject,
                    date=head.date_header,
                    size=item.size,
                ),
            )
        candidates.append(replace(candidate, refusal=_refusal(shelf, candidate)))
    return await _with_bodies(visit.context, visit.imap, candidates)


async def _heads(context: Context, blocks: dict[int, bytes]) -> dict[int, ParsedHeaders]:
    """Read header blocks; one that breaks the parser is left out and takes no other with it."""
    try:
        return dict(zip(blocks, await context.parser.headers(list(blocks.values())), strict=True))
    except IntegrationError as error:
        if len(blocks) == 1:
            log.warning("IGNORED: headers unreadable", reason=str(error.reason), uid=next(iter(blocks)))
            return {}
    heads: dict[int, ParsedHeaders] = {}
    for uid, block in blocks.items():
        heads |= await _heads(context, {uid: block})
    return heads


def _refusal(shelf: Shelf, candidate: Candidate) -> Reason | None:
    """Say why a mail's body is not fetched, if it is not."""
    if shelf.start.refuses(candidate.item):
        return Reason("before_start", {})
    if not candidate.unreadable and not is_listed(candidate.sender, shelf.mailbox.senders):
        return Reason("sender_not_listed", {"sender": candidate.sender})
    limit = HARD_LIMIT * MEGABYTE if candidate.insisted else shelf.limit
    if candidate.item.size > limit:
        return Reason("too_large", {"size": candidate.item.size, "limit": limit})
    return None


async def _with_bodies(context: Context, imap: Imap, candidates: Sequence[Candidate]) -> list[Candidate]:
    wanted = [candidate.item.uid for candidate in candidates if candidate.refusal is None]
    bodies = await imap.bodies(wanted) if wanted else {}
    context.crash.point("fetch.after")
    lacking = [uid for uid in wanted if uid not in bodies]
    still_there = {item.uid for item in await imap.listing(min(lacking))} if lacking else set()
    return [
        replace(
            candidate,
            body=bodies.get(candidate.item.uid),
            vanished=candidate.item.uid in lacking and candidate.item.uid not in still_there,
        )
        for candidate in candidates
    ]


async def _settle(visit: Visit, *, whole: bool) -> None:
    async with visit.context.database.transaction() as db:
        folder = await own(db, visit.folder_id, visit.context.owner)
        folder.started_at = folder.started_at or visit.context.now()
        if whole:
            folder.swept_at = visit.context.now()
