"""Write down, in the caller's transaction, what an operator is to be told of; `notify` sends it by mail."""

from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Endpoint, Mailbox, Notice, NoticeKind
from app.rules.verdict import Reason

AGAIN = timedelta(hours=12)  # between two notices of the same


def endpoint_failing(db: AsyncSession, endpoint: Endpoint, now: datetime) -> None:
    since = (endpoint.failing_since or now).isoformat()
    _about(db, NoticeKind.ENDPOINT_FAILING, endpoint, Reason("receiver_silent", {"since": since}), now=now)


async def endpoint_unreachable(db: AsyncSession, endpoint: Endpoint, reason: Reason, now: datetime) -> None:
    """Tell that nothing may be sent to it; once in a while, however many deliveries that holds.

    What was told before it last took something is over, and the page shows it no more.
    """
    before = now - AGAIN
    told = (Notice.endpoint_id == endpoint.id, Notice.kind == NoticeKind.ENDPOINT_UNREACHABLE)
    lately = (
        select(Notice.id).where(*told, col(Notice.at) > max(before, endpoint.succeeded_at or before)).limit(1)
    )
    if (await db.exec(lately)).first() is None:
        _about(db, NoticeKind.ENDPOINT_UNREACHABLE, endpoint, reason, now=now)


def endpoint_parked(db: AsyncSession, endpoint: Endpoint, reason: Reason, now: datetime) -> None:
    _about(db, NoticeKind.ENDPOINT_PARKED, endpoint, reason, now=now)


def endpoint_recovered(db: AsyncSession, endpoint: Endpoint, now: datetime) -> None:
    _about(db, NoticeKind.ENDPOINT_RECOVERED, endpoint, Reason("works_again"), now=now)


def delivery_failed(
    db: AsyncSession, delivery_id: int, endpoint: Endpoint, *, reason: Reason, now: datetime
) -> None:
    told = Reason(reason.code, {**reason.facts, "delivery_id": delivery_id})
    _about(db, NoticeKind.DELIVERY_FAILED, endpoint, told, now=now)


def mailbox_failing(db: AsyncSession, mailbox: Mailbox, reason: Reason, now: datetime) -> None:
    _about(db, NoticeKind.MAILBOX_FAILING, mailbox, reason, now=now)


def mailbox_recovered(db: AsyncSession, mailbox: Mailbox, now: datetime) -> None:
    _about(db, NoticeKind.MAILBOX_RECOVERED, mailbox, Reason("works_again"), now=now)


async def outage_told(db: AsyncSession, mailbox: Mailbox) -> bool:
    """Whether the last that was said of a mailbox is that it fails."""
    kinds = [NoticeKind.MAILBOX_FAILING, NoticeKind.MAILBOX_RECOVERED]
    query = select(Notice.kind).where(Notice.mailbox_id == mailbox.id, col(Notice.kind).in_(kinds))
    last = (await db.exec(query.order_by(col(Notice.id).desc()).limit(1))).first()
    return last is NoticeKind.MAILBOX_FAILING


async def mail_waits(db: AsyncSession) -> bool:
    """Whether a mail that somebody asked for has not gone yet."""
    waiting = select(Notice.id).where(Notice.kind == NoticeKind.MAIL_TEST, col(Notice.mailed_at).is_(None))
    return (await db.exec(waiting.limit(1))).first() is not None


def mail_wanted(db: AsyncSession, by: str, now: datetime) -> None:
    """Let a mail go at once, to see whether it arrives; there is nothing in it to put away."""
    reason = Reason("notice_mail_test", {"name": by})
    db.add(Notice(kind=NoticeKind.MAIL_TEST, subject=by, reason=reason.to_json(), at=now, seen_at=now))


def _about(
    db: AsyncSession, kind: NoticeKind, whom: Endpoint | Mailbox, reason: Reason, *, now: datetime
) -> None:
    db.add(
        Notice(
            kind=kind,
            subject=whom.name,
            endpoint_id=whom.id if isinstance(whom, Endpoint) else None,
            mailbox_id=whom.id if isinstance(whom, Mailbox) else None,
            reason=reason.to_json(),
            at=now,
        )
    )
