"""A mail to be judged for its own sake: out of the ledger, or handed in; nothing of it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import defer
from sqlmodel import col, select

from app.integrations.parsed import ParsedMail
from app.integrations.parser import Parser
from app.jobs import stored
from app.models import Database, Mailbox, Message, MessageState, Raw
from app.rules import identity
from app.rules.mail import Mail
from app.rules.sender import bare_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail with all that a judgement and a webhook need of it; `message` may be a row of no table."""

    message: Message
    mail: Mail
    plain: str
    html: str
    notes: tuple[str, ...] = ()  # what the parser had to put up with


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the ledger holds of a mail: its source too, where what was read in it is not kept."""

    message: Message
    raw: Raw
    mailbox: str
    body: bytes | None


async def stored_letter(database: Database, message_id: int, parser: Parser) -> Letter | None:
    """Give a mail of the ledger; None when its text was never kept.

    Raises:
        IntegrationError: it was not read before, and the parser cannot.
    """
    found = await kept_mails(database, [message_id])
    return await letter_of(found[message_id], parser) if found else None


async def kept_mails(database: Database, message_ids: Sequence[int]) -> dict[int, Kept]:
    """Give these mails of the ledger, but for those whose text was never kept."""
    query = (
        select(Message, Raw, Mailbox.name)
        .join(Raw, col(Raw.message_id) == Message.id)
        .join(Mailbox, col(Mailbox.id) == Message.mailbox_id)
        .where(col(Message.id).in_(message_ids))
        .options(defer(Raw.body, raiseload=True))  # type: ignore[arg-type]
    )
    async with database.reading() as db:
        rows = (await db.exec(query)).all()
        unread = [raw.message_id for _, raw, _ in rows if raw.text is None or raw.headers is None]
        source = select(Raw.message_id, Raw.body).where(col(Raw.message_id).in_(unread))
        bodies = dict((await db.exec(source)).all()) if unread else {}
    return {
        raw.message_id: Kept(message=message, raw=raw, mailbox=mailbox, body=bodies.get(raw.message_id))
        for message, raw, mailbox in rows
    }


async def letter_of(kept: Kept, parser: Parser) -> Letter:
    """Give a mail as it was read, or read it again.

    Raises:
        IntegrationError: the parser cannot.
    """
    read = stored.kept(kept.message, kept.raw) if kept.body is None else await parser.mail(kept.body)
    return _letter(kept.message, read, kept.mailbox)


async def passing_letter(body: bytes, parser: Parser, *, mailbox: Mailbox | None, now: datetime) -> Letter:
    """Read a mail as if it had come into this mailbox at this moment.

    Raises:
        IntegrationError: the parser cannot read it.
    """
    parsed = await parser.mail(body)
    message = Message(
        mailbox_id=mailbox.id if mailbox and mailbox.id else 0,
        folder_id=0,
        uidvalidity=0,
        uid=0,
        size=len(body),
        internal_at=now,
        stored_at=now,
        email_id=identity.email_id(parsed.message_id, parsed.subject, parsed.date_header),
        message_id=parsed.message_id,
        subject=parsed.subject,
        sender=bare_address(parsed.sender_header),
        sender_header=parsed.sender_header,
        date_header=parsed.date_header,
        state=MessageState.STORED,
    )
    return _letter(message, parsed, mailbox.name if mailbox else "")


def _letter(message: Message, parsed: ParsedMail, mailbox: str) -> Letter:
    mail = stored.parsed_mail(message, parsed, mailbox)
    return Letter(message=message, mail=mail, plain=parsed.plain, html=parsed.html, notes=parsed.notes)
