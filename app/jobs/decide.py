"""T2: parse a stored mail, let the rules judge it, and write all that follows in one commit."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, bindparam, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.events import Event
from app.integrations.errors import IntegrationError
from app.integrations.parsed import ParsedMail
from app.jobs.context import Context
from app.jobs.marks import Marks
from app.jobs.patience import AWAY, until_taken
from app.jobs.stored import HTML_CUT, parsed_mail
from app.jobs.verdict import record
from app.models import Mailbox, Message, MessageState, Raw, Rule, Setting, metadata
from app.models.trouble import trouble_of
from app.rules import identity
from app.rules.decide import groups_of
from app.rules.mail import Mail
from app.rules.sender import bare_address
from app.rules.verdict import Mark, Reason, Step

AT_ONCE = 20
LEASE = timedelta(seconds=60)
PARSING_TIME = 2.0  # seconds after which no other mail is begun: one may take 10, all stay below the lease
JUDGING_TIME = 2.0  # the same of the rules, since nobody else writes while they are asked
MOST_TRIES = 3

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Read:
    """A claimed mail with what the parser made of it, or why it could not."""

    message_id: int
    parsed: ParsedMail | None
    failure: IntegrationError | None = None


async def decide_waiting(
    context: Context, *, parsing_time: float = PARSING_TIME, judging_time: float = JUDGING_TIME
) -> bool:
    """Decide some of the mail that waits; False when none does."""
    claimed = await _claim(context)
    if not claimed:
        return False
    context.crash.point("decide.claimed")
    try:
        reads = await _read(context, claimed, parsing_time)
        await _write(context, reads, rest=claimed[len(reads) :], judging_time=judging_time)
    except AWAY as error:
        if trouble_of(error) is None:  # else it is no mail's fault
            raise
        log.warning("verdicts not written", error=str(getattr(error, "orig", error)))
        await until_taken("mail given back", partial(_write, context, [], rest=claimed))
        return False
    context.crash.point("t2.after_commit")
    context.bells.deliver.set()
    await context.queue.publish(Event.MESSAGE_CHANGED, Event.DELIVERY_CHANGED)
    return True


async def _claim(context: Context) -> list[int]:
    """Take a batch; a mail that was being decided when a process died is taken alone."""
    now = context.now()
    waiting = (
        select(Message.id)
        .where(Message.is_waiting(), col(Message.decide_at) <= now, col(Message.decide_owner).is_(None))
        .order_by(col(Message.decide_tries), col(Message.id))
        .with_for_update(skip_locked=True)
    )
    async with context.database.transaction() as db:
        ids = (await db.exec(waiting.where(Message.decide_tries == 0).limit(AT_ONCE))).all()
        ids = ids or (await db.exec(waiting.limit(1))).all()
        if ids:
            await db.exec(
                update(Message)
                .where(col(Message.id).in_(ids))
                .values(decide_owner=context.owner, decide_at=now + LEASE)
            )
        return [message_id for message_id in ids if message_id is not None]


async def _read(context: Context, claimed: Sequence[int], parsing_time: float) -> list[Read]:
    """Parse the first mails of a batch, one at least; what was read does not wait for all the slow ones."""
    clock = asyncio.get_running_loop().time
    reads, end = [], clock() + parsing_time
    for message_id in claimed:
        reads.append(await _parse(context, message_id))
        if clock() >= end:
            break
    return reads


async def _parse(context: Context, message_id: int) -> Read:
    async with context.database.reading() as db:  # one source at a time: together they may be very large
        source = (await db.exec(select(Raw.body).where(Raw.message_id == message_id))).one()
    try:
        return Read(message_id, await context.parser.mail(source))
    except IntegrationError as error:
        log.warning("mail not parsed", message=message_id, reason=str(error.reason), detail=error.detail)
        return Read(message_id, None, error)


async def _write(
    context: Context, reads: Sequence[Read], *, rest: Sequence[int], judging_time: float = JUDGING_TIME
) -> None:
    async with context.database.transaction() as db:
        left = await _decide(context, db, reads, judging_time)
        await _give_back(context, db, [*left, *rest])
        await db.flush()
        context.crash.point("t2.before_commit")


async def _decide(
    context: Context, db: AsyncSession, reads: Sequence[Read], judging_time: float
) -> list[int]:
    """Judge the first mails that were read, one at least; gives those that it did not come to."""
    clock = asyncio.get_running_loop().time
    now, end = context.now(), clock() + judging_time
    setting, rules = await Setting.load(db), await Rule.in_force(db)
    mailboxes = await Mailbox.names(db)
    found = select(Message).where(col(Message.id).in_([read.message_id for read in reads]))
    messages = {message.id: message for message in (await db.exec(found)).all()}
    mails: list[tuple[Message, Mail, ParsedMail]] = []
    for read in reads:
        message = messages[read.message_id]
        if message.decide_owner != context.owner or message.state is not MessageState.STORED:
            continue  # our lease ran out and another process decided it
        if read.parsed is None:
            _fail(message, read.failure, now)
        else:
            _complete(message, read.parsed)
            mail = parsed_mail(message, read.parsed, mailboxes[message.mailbox_id])
            mails.append((message, mail, read.parsed))
    keys = {key for _, mail, _ in mails for key in groups_of(mail, rules, setting.as_value(), now)}
    marks = await Marks.load(db, keys, now)
    judged = 0
    for message, mail, parsed in mails:
        if judged and clock() >= end:
            break
        rest = message.expected_deliveries > 0  # its steps stand already
        await record(db, message, mail, rules=rules, setting=setting, marks=marks, now=now)
        if not rest:
            message.steps = [*noted(parsed.notes), *message.steps]
        judged += 1
    await _keep_texts(db, [(message, parsed) for message, _, parsed in mails[:judged]])
    return [message.id or 0 for message, _, _ in mails[judged:]]


async def _give_back(context: Context, db: AsyncSession, ids: Sequence[int]) -> None:
    """Let mail that was claimed and not judged be claimed again, uncounted: nothing happened to it."""
    if ids:
        await db.exec(
            update(Message)
            .where(Message.is_waiting(), col(Message.id).in_(ids), col(Message.decide_owner) == context.owner)
            .values(decide_owner=None, decide_at=context.now())
        )


async def _keep_texts(db: AsyncSession, mails: Sequence[tuple[Message, ParsedMail]]) -> None:
    """Keep what was read beside the source, without loading the source."""
    texts = [
        {
            "id": message.id,
            "plain": parsed.plain,
            "html": parsed.html,
            "text": parsed.text,
            "headers": [list(header) for header in parsed.headers],
            "attachments": parsed.attachments,
        }
        for message, parsed in mails
    ]
    if texts:
        table = metadata.tables["raw"]
        await (await db.connection()).execute(
            update(table).where(table.c.message_id == bindparam("id")), texts
        )


def _complete(message: Message, parsed: ParsedMail) -> None:
    """Fill in what could not be read when the mail came in: its headers broke the parser of that moment."""
    if message.fingerprint:
        return
    message.message_id, message.subject = parsed.message_id, parsed.subject
    message.sender_header, message.sender = parsed.sender_header, bare_address(parsed.sender_header)
    message.date_header = parsed.date_header
    message.email_id = identity.email_id(parsed.message_id, parsed.subject, parsed.date_header)


def noted(notes: Sequence[str]) -> list[dict[str, Any]]:
    """Turn what the parser had to put up with, `code` or `code[name]`, into lines of the explanation."""
    split = [note.removesuffix("]").partition("[") for note in notes]
    reasons = [Reason(code, {"name": name} if name else {}) for code, _, name in split if code != HTML_CUT]
    return [Step(reason, Mark.NOTED).to_json() for reason in reasons]


def _fail(message: Message, failure: IntegrationError | None, now: datetime) -> None:
    """Count a mail that ended the parser; the third time it is set aside, its source kept."""
    message.decide_tries += 1
    detail = str(failure.reason) if failure else ""
    if message.decide_tries < MOST_TRIES and failure is not None and not failure.permanent:
        message.decide_owner, message.decide_at = None, now
        return
    reason = Reason("unparsable", {"detail": detail, "tries": message.decide_tries})
    message.settle(MessageState.QUARANTINED, None, reason.to_json(), now)


async def give_back_own(context: Context) -> None:
    """Free what we were deciding when it broke."""
    async with context.database.transaction() as db:
        await give_back_decisions(db, {context.owner}, context.now())


async def give_back_decisions(db: AsyncSession, owners: Collection[str], now: datetime) -> int:
    """Let others decide what these were at, and whatever somebody holds longer than any lease lasts.

    It is counted, since one of these mails may be what ended them.
    """
    result = await db.exec(
        update(Message)
        .where(Message.is_waiting(), or_(col(Message.decide_owner).in_(owners), *overdue(now)))
        .values(decide_owner=None, decide_at=now, decide_tries=Message.decide_tries + 1)
    )
    return result.rowcount


def overdue(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Ask for leases that ran out, and for moments that only a clock set back since can have written."""
    return (
        and_(col(Message.decide_owner).is_not(None), col(Message.decide_at) <= now),
        col(Message.decide_at) > now + 2 * LEASE,
    )


def deadly() -> SelectOfScalar[Message]:
    """Ask for the mail that processes died of, time after time."""
    return select(Message).where(Message.is_waiting(), Message.decide_tries >= MOST_TRIES)


async def set_aside(db: AsyncSession, now: datetime) -> int:
    """Quarantine it, its source kept."""
    messages = (await db.exec(deadly())).all()
    for message in messages:
        reason = Reason("parser_killed", {"tries": message.decide_tries})
        message.settle(MessageState.QUARANTINED, None, reason.to_json(), now)
    return len(messages)
