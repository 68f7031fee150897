"""Tell operators by mail what they are to know: one mail for all that waits, and never a flood."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import ColumnElement, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.catalogue import catalogue
from app.config import Config
from app.events import Event
from app.integrations import smtp
from app.integrations.errors import IntegrationError
from app.jobs.context import Context
from app.jobs.owner import holds
from app.jobs.patience import until_taken
from app.models import LogEvent, Mailing, Notice, NoticeKind, Setting
from app.rules import notices
from app.rules.verdict import Reason

LEASE = timedelta(seconds=smtp.LIMIT + 30)
MOST = 10_000  # notices that one mail stands for
AT_ONCE = 500  # numbers in one statement

SENT, FAILED = "notices mailed", "notices not mailed"

log = structlog.get_logger()


async def notify(context: Context) -> bool:
    """Send one mail for everything that waits, when its time has come; False when there was nothing to do."""
    now = context.now()
    async with context.database.reading() as db:
        setting = await Setting.load(db)
        if not await _is_due(context, db, setting, now):
            return False
    if not wanted(setting, context.config):
        await _let_be(context, now)
        return True
    ids = await _take(context, now)
    if not ids:
        return False
    letter = await _letter(context, ids, now)
    try:
        refused = await smtp.send(account_of(context.config), letter)
    except IntegrationError as error:
        log.warning("notices not mailed", reason=str(error.reason), detail=error.detail, count=len(ids))
        await _failed(context, Reason(str(error.reason), {"detail": error.detail}))
    else:
        log.info("notices mailed", count=len(ids), refused=len(refused))
        reached = [address for address in letter.to if address not in refused]
        await until_taken("mail sent", partial(_sent, context, ids, reached))
    await context.queue.publish(Event.PROCESS_CHANGED)
    return True


def wanted(setting: Setting, config: Config) -> bool:
    """Whether there is somebody to be told, and a mail server to do it."""
    return bool(setting.notify_on_failure and setting.notify_to and config.smtp_host)


def account_of(config: Config) -> smtp.Account:
    return smtp.Account(
        host=config.smtp_host,
        port=config.smtp_port,
        sender=config.smtp_from,
        username=config.smtp_username,
        password=config.smtp_password.get_secret_value(),
        tls=config.smtp_tls,
    )


async def _is_due(context: Context, db: AsyncSession, setting: Setting, now: datetime) -> bool:
    first = (await db.exec(select(func.min(Notice.at)).where(_waits()))).one()
    if first is None or not wanted(setting, context.config):
        return first is not None
    test = select(func.max(Notice.at)).where(_waits(), Notice.kind == NoticeKind.MAIL_TEST)
    mailing, asked = await db.get_one(Mailing, 1), (await db.exec(test)).one()
    past = notices.Past(mailing.sent_at, mailing.tried_at, mailing.failures)
    taken = holds(mailing.owner, mailing.lease_until, now, length=LEASE)
    return not taken and notices.due_at(first, past, now, asked=asked) <= now


def _waits() -> ColumnElement[bool]:
    return col(Notice.mailed_at).is_(None)


async def _let_be(context: Context, now: datetime) -> None:
    """Nobody wants a mail about these, now or when mails are switched on; the page has them."""
    async with context.database.transaction() as db:
        await db.exec(update(Notice).where(_waits()).values(mailed_at=now))


async def _take(context: Context, now: datetime) -> Sequence[int]:
    """Take the lease; gives the notices that the mail stands for, none when somebody was faster."""
    async with context.database.transaction() as db:
        mailing = await db.get_one(Mailing, 1, with_for_update=True, populate_existing=True)
        setting = await Setting.load(db)
        if not wanted(setting, context.config) or not await _is_due(context, db, setting, now):
            return []
        mailing.owner, mailing.lease_until, mailing.tried_at = context.owner, now + LEASE, now
        found = await db.exec(select(Notice.id).where(_waits()).order_by(col(Notice.id)).limit(MOST))
        return [number for number in found if number is not None]


async def _letter(context: Context, ids: Sequence[int], now: datetime) -> smtp.Letter:
    shown = select(Notice).where(col(Notice.id).in_(ids[: notices.MOST_LINES])).order_by(col(Notice.id))
    async with context.database.reading() as db:
        setting = await Setting.load(db)
        found = (await db.exec(shown)).all()
    written = notices.compose(
        [notices.Line(one.at, notices.told(one.kind, one.subject, one.reason)) for one in found],
        len(ids) - len(found),
        url=context.config.url,
        zone=setting.tz,
        translate=catalogue(setting.notify_language).gettext,
    )
    return smtp.Letter(to=setting.notify_to, subject=written.subject, text=written.text, at=now)


async def _sent(context: Context, ids: Sequence[int], reached: Sequence[str]) -> None:
    """The server has it: only now the notices are done with. A crash before repeats one mail."""
    now = context.now()
    async with context.database.transaction() as db:
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            await db.exec(update(Notice).where(col(Notice.id).in_(some)).values(mailed_at=now))
        mailing = await db.get_one(Mailing, 1)
        mailing.sent_at, mailing.failures, mailing.reason, mailing.owner = now, 0, None, None
        db.add(LogEvent(at=now, event=SENT, subject=", ".join(reached), facts={"count": len(ids)}))


async def _failed(context: Context, reason: Reason) -> None:
    """Try again later, and say so once: a server that is away for a day is one event."""
    now = context.now()
    async with context.database.transaction() as db:
        mailing = await db.get_one(Mailing, 1)
        if not mailing.failures:
            facts = {"reason": reason.code, **reason.facts}
            db.add(
                LogEvent(at=now, level="warning", event=FAILED, subject=context.config.smtp_host, facts=facts)
            )
        mailing.failures += 1
        mailing.reason, mailing.owner = reason.to_json(), None
