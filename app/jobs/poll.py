"""Poll a mailbox: connect, take in what is new, take note of how it went."""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events import Event
from app.integrations.errors import Failure, IntegrationError
from app.jobs import notices
from app.jobs.context import Context
from app.jobs.flag import flag_seen
from app.jobs.ingest import ingest
from app.jobs.lease import LeaseLost, leased
from app.jobs.patience import AWAY, until_taken
from app.jobs.progress import Progress
from app.jobs.visit import Visit
from app.models import Folder, LogEvent, Mailbox, MailboxState, Run, RunState, Setting
from app.models.database import storage_trouble
from app.models.trouble import trouble_of
from app.rules import polling
from app.rules.backoff import backoff
from app.rules.notices import is_outage
from app.rules.verdict import Reason

UNEXPECTED = "unexpected"
TOO_FAR = timedelta(minutes=10)  # no poll is planned further ahead: a clock was set back since

TakeIn: TypeAlias = Callable[[Visit], Awaitable[int]]

log = structlog.get_logger()


async def request_polls(db: AsyncSession, *, by: str, now: datetime) -> list[Run]:
    """Ask for a poll of every mailbox in use: one run each, to be rung for after the commit."""
    mailboxes = (await db.exec(select(Mailbox).where(Mailbox.active).order_by(col(Mailbox.id)))).all()
    runs = [Run(mailbox_id=mailbox.id, requested_by=by, created_at=now) for mailbox in mailboxes]
    db.add_all(runs)
    await db.flush()
    return runs


async def due_polls(context: Context) -> list[tuple[int, int | None]]:
    """Give what is to be polled now: runs somebody asked for, and mailboxes whose time has come."""
    now = context.now()
    async with context.database.reading() as db:
        if storage_trouble(db):
            return []  # mail waits on its server, where nothing is lost
        queued = select(Run).where(Run.state == RunState.QUEUED).order_by(col(Run.id))
        asked = [(run.mailbox_id, run.id) for run in (await db.exec(queued)).all() if run.mailbox_id]
        setting = await Setting.load(db)
        if not setting.polling_active or not polling.active(
            now,
            days=frozenset(setting.polling_days),
            start_hour=setting.polling_start_hour,
            end_hour=setting.polling_end_hour,
            zone=setting.zone,
        ):
            return list(asked)
        mailboxes = (await db.exec(select(Mailbox).where(Mailbox.active))).all()
    waiting = {mailbox_id for mailbox_id, _ in asked}
    return [
        *asked,
        *(
            (box.id, None)
            for box in mailboxes
            if box.id not in waiting and _due(box, setting, now) and box.id
        ),
    ]


def _due(mailbox: Mailbox, setting: Setting, now: datetime) -> bool:
    if mailbox.failures or mailbox.polled_at is None:
        return mailbox.poll_at <= now or mailbox.poll_at > now + TOO_FAR
    # computed from the setting of this moment, so that a shorter interval takes effect at once
    planned_at = mailbox.polled_at + timedelta(seconds=setting.polling_interval)
    return planned_at <= now or mailbox.polled_at > now


async def poll(
    context: Context, mailbox_id: int, run_id: int | None = None, *, take_in: TakeIn = ingest
) -> None:
    """Poll once, unless another process is at it: then the run stays queued and its turn comes."""
    try:
        await _poll(context, mailbox_id, run_id, take_in=take_in)
    except AWAY as error:
        trouble = trouble_of(error)
        if trouble is None:
            raise
        log.warning("POLLER: nothing stored", mailbox=mailbox_id, trouble=trouble)  # it is not the mailbox's
        end = partial(Progress(context, run_id).end, RunState.FAILED, {"code": "database_away", "facts": {}})
        await until_taken("the poll's end", end)


async def _poll(context: Context, mailbox_id: int, run_id: int | None, *, take_in: TakeIn) -> None:
    async with leased(context, mailbox_id) as folder_id:
        if folder_id is None:
            return
        progress, began_at = Progress(context, run_id), context.now()
        if not await progress.begin():
            return
        try:
            stored = await _read(context, mailbox_id, folder_id, progress, take_in=take_in)
        except IntegrationError as error:
            reason = {"code": str(error.reason), "facts": {"detail": error.detail}}
            await _failed(context, mailbox_id, reason)
            await progress.end(RunState.FAILED, reason)
        except LeaseLost:
            await progress.end(RunState.FAILED, {"code": "lease_lost", "facts": {}})
        else:
            if stored or run_id is not None:  # a line for every silent poll would bury the others
                log.info("POLLER: mails stored", mailbox=mailbox_id, run=run_id, stored=stored)
            await _answered(context, mailbox_id, began_at)
            await progress.end(RunState.DONE)
    await context.queue.publish(Event.MAILBOX_CHANGED)


async def broke(context: Context, mailbox_id: int, run_id: int | None) -> None:
    """Say in the rows that a poll met an error nobody had thought of."""
    reason = {"code": UNEXPECTED, "facts": {}}
    await _failed(context, mailbox_id, reason)
    await Progress(context, run_id).end(RunState.FAILED, reason)


async def _read(
    context: Context, mailbox_id: int, folder_id: int, progress: Progress, *, take_in: TakeIn
) -> int:
    async with context.database.reading() as db:
        mailbox = await db.get_one(Mailbox, mailbox_id)
        folder = (await db.get_one(Folder, folder_id)).name
    await progress.step("connecting")
    async with Visit(context, mailbox, progress, folder_id=folder_id, folder=folder) as visit:
        stored = await take_in(visit)
        await flag_seen(context, visit.imap, folder_id)
    return stored


async def _answered(context: Context, mailbox_id: int, began_at: datetime) -> None:
    async with context.database.transaction() as db:
        mailbox, setting, now = await db.get_one(Mailbox, mailbox_id), await Setting.load(db), context.now()
        if mailbox.failures:
            db.add(LogEvent(at=now, event="mailbox answers again", subject=mailbox.name))
            if await notices.outage_told(db, mailbox):
                notices.mailbox_recovered(db, mailbox, now)
        mailbox.answered(now, began_at, began_at + timedelta(seconds=setting.polling_interval))


async def _failed(context: Context, mailbox_id: int, reason: dict[str, Any]) -> None:
    code, detail = reason["code"], reason["facts"].get("detail", "")
    async with context.database.transaction() as db:
        mailbox, setting, now = await db.get_one(Mailbox, mailbox_id), await Setting.load(db), context.now()
        state = MailboxState.REFUSED if code == Failure.AUTH_FAILED else MailboxState.FAILING
        if not mailbox.failures:
            facts = {"reason": code, "detail": detail}
            db.add(
                LogEvent(at=now, level="warning", event="mailbox fails", subject=mailbox.name, facts=facts)
            )
        interval = timedelta(seconds=setting.polling_interval)
        wait = backoff(interval=interval, failures=mailbox.failures, random=random.random())  # noqa: S311 - no secret
        mailbox.failed(state, reason, now, now + wait)
        outage = is_outage(code, since=mailbox.state_since, now=now)
        if outage and not await notices.outage_told(db, mailbox):
            notices.mailbox_failing(db, mailbox, Reason.from_json(reason), now)
    log.warning("POLLER: poll failed", mailbox=mailbox_id, reason=code, detail=detail)
