"""What an empty database starts with, and the environment's mailbox and receiver, read once (D25, D34)."""

from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

import structlog
from argon2 import PasswordHasher
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.config import ConfigError, FirstRun
from app.integrations.signature import new_secret
from app.jobs.amend import decide_again
from app.models import (
    Database,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    FirstContact,
    LogEvent,
    Mailbox,
    Mailing,
    Message,
    MessageState,
    Rule,
    RuleVersion,
    Sending,
    Setting,
)
from app.rules import playing
from app.rules.address import host_of
from app.rules.outcome import SCHEDULE
from app.rules.presets import PRESETS
from app.rules.rule import Rule as RuleValue
from app.rules.verdict import Reason, Verdict
from app.rules.window import as_shown, parse_time
from app.vault import Vault

log = structlog.get_logger()

AUTHOR = "environment"
DEMO = "demo"  # as an author
PRESET = "preset"
SAVED = "receiver saved"  # as an event


async def prepare(database: Database, first_run: FirstRun, vault: Vault, now: datetime) -> None:
    """Fill an empty database; take mailbox and receiver from the environment where there is none yet.

    Raises:
        ConfigError: a variable that is read here is malformed.
    """
    async with database.transaction() as db:
        setting = await db.get(Setting, 1)
        if setting is None:
            setting = _setting(first_run, now)
            db.add(setting)
            await _add_presets(db, now)
        if await db.get(Mailing, 1) is None:
            db.add(Mailing())
        if first_run.dashboard_user and not setting.username:
            setting.username = first_run.dashboard_user
            setting.password_hash = PasswordHasher().hash(first_run.dashboard_password.get_secret_value())
        if first_run.has_mailbox and not await _corrected(db, _mailbox(first_run, vault, now)):
            await _end_demo(db, setting, first_run, now)
            db.add(_mailbox(first_run, vault, now))
        if first_run.webhook_url and not await _redirected(db, _endpoint(first_run, vault, now), now):
            await add_endpoint(db, _endpoint(first_run, vault, now), by=AUTHOR, now=now)


async def add_endpoint(db: AsyncSession, endpoint: Endpoint, *, by: str, now: datetime) -> None:
    """Add a receiver, the only one of every rule from now on; mail that waited for one is decided again.

    Rules that programs made keep the receivers that those gave them.
    """
    db.add(endpoint)
    await db.flush()
    for rule, version in await Rule.listed(db):
        if rule.external_id is None:
            rule.save(db, replace(version.as_value(), endpoint_ids=(endpoint.id or 0,)), by=by, now=now)
    await decide_again(db, now)


def new_endpoint(name: str, url: str, vault: Vault, now: datetime) -> Endpoint:
    return Endpoint(
        name=name,
        url=url,
        secret=vault.seal(new_secret()),
        schedule=list(SCHEDULE),
        created_at=now,
    )


def _setting(first_run: FirstRun, now: datetime) -> Setting:
    return Setting(
        zone=first_run.polling_timezone,
        polling_interval=first_run.email_polling_interval_seconds,
        polling_days=sorted(int(day) for day in set(first_run.polling_active_days)),
        polling_start_hour=first_run.polling_active_start_hour,
        polling_end_hour=first_run.polling_active_end_hour,
        window_start=_time("WEBHOOKS_TIME_START", first_run.webhooks_time_start),
        window_end=_time("WEBHOOKS_TIME_END", first_run.webhooks_time_end),
        absence_days=[],
        sending=Sending.ON if first_run.webhook_sending_enabled else Sending.PAUSED,
        group_dedup=first_run.enable_subject_group_dedup,
        exclude_keywords=[],
        saved_at=now,
        saved_by=AUTHOR,
    )


def _time(variable: str, text: str) -> str:
    if not text:
        return ""
    if parse_time(text) is None:
        message = f"{variable}: {text!r} is not a time such as 9h, 09h30 or 09:30"
        raise ConfigError(message)
    return as_shown(text)


async def _add_presets(db: AsyncSession, now: datetime) -> None:
    for position, (name, definition) in enumerate(PRESETS):
        rule = await Rule.add(db, position=position, now=now)
        value = RuleValue.from_definition(
            id=rule.id or 0, version_id=0, name=name, endpoint_ids=(), definition=definition
        )
        rule.save(db, value, by=PRESET, now=now)


async def _corrected(db: AsyncSession, wanted: Mailbox) -> bool:
    """Whether there is a mailbox of one's own already; one that never answered takes what is wanted now."""
    query = select(Mailbox).where(col(Mailbox.demo).is_(False)).order_by(col(Mailbox.id))
    own = (await db.exec(query)).first()
    if own is not None and own.answered_at is None:
        for name in ("name", "host", "port", "tls", "username", "password", "senders", "poll_at"):
            setattr(own, name, getattr(wanted, name))
    return own is not None


async def _redirected(db: AsyncSession, wanted: Endpoint, now: datetime) -> bool:
    """Whether there is a receiver of one's own already.

    One that never took anything, and that nobody has saved in its form, may stand elsewhere.
    """
    query = select(Endpoint).where(col(Endpoint.demo).is_(False)).order_by(col(Endpoint.id))
    own = (await db.exec(query)).first()
    if own is None:
        return False
    if own.url != wanted.url and own.saved_by not in ("", AUTHOR):
        log.warning("WEBHOOK_URL is not taken: there is a receiver of one's own", receiver=own.name)
    if own.succeeded_at is None and own.saved_by in ("", AUTHOR) and own.url != wanted.url:
        facts = {"endpoint": own.id, "by": AUTHOR, "changed": ["name", "url", "verify_tls"]}
        own.name, own.url, own.verify_tls, own.url_since = wanted.name, wanted.url, wanted.verify_tls, now
        own.begin_anew(now)
        db.add(LogEvent(at=now, event=SAVED, subject=own.name, facts=facts))
    return True


async def _end_demo(db: AsyncSession, setting: Setting, first_run: FirstRun, now: datetime) -> None:
    """One's own mailbox ends the demo: what it set for show goes, its mailbox rests, its receiver too."""
    setting.demo = False
    fresh = _setting(first_run, now)
    if setting.polling_interval == playing.POLL_EVERY:
        setting.polling_interval = fresh.polling_interval
    if (setting.window_start, setting.window_end) in playing.WINDOWS:
        setting.window_start, setting.window_end = fresh.window_start, fresh.window_end
    if setting.saved_by == DEMO:
        setting.saved_by = fresh.saved_by
    setting.revision += 1
    for mailbox in (await db.exec(select(Mailbox).where(Mailbox.demo))).all():
        mailbox.active = False
    for endpoint in (await db.exec(select(Endpoint).where(Endpoint.demo))).all():
        endpoint.state = EndpointState.PAUSED
        await _drop_open(db, endpoint, now)
    await _forget_set_aside(db)
    for rule in (await db.exec(select(Rule))).all():
        await _undo_demo(db, rule, now)
    await _leave_receiver(db, now)


async def _drop_open(db: AsyncSession, endpoint: Endpoint, now: datetime) -> None:
    """What was still on its way to the demo's receiver will not arrive, and says so."""
    waiting = select(Delivery).where(
        Delivery.endpoint_id == endpoint.id,
        col(Delivery.state).in_((DeliveryState.HELD, DeliveryState.PENDING, DeliveryState.FAILED)),
    )
    for delivery in (await db.exec(waiting)).all():
        delivery.state, delivery.reason = DeliveryState.DROPPED, Reason("demo_over").to_json()
        delivery.finished_at, delivery.needs_attention = now, False


async def _forget_set_aside(db: AsyncSession) -> None:
    """A sample that was set aside for show waits for nobody any more."""
    samples = select(Message).where(
        Message.state == MessageState.QUARANTINED,
        col(Message.mailbox_id).in_(select(Mailbox.id).where(Mailbox.demo)),
    )
    for message in (await db.exec(samples)).all():
        message.state, message.verdict = MessageState.DECIDED, Verdict.IGNORE
        message.reason = Reason("demo_over").to_json()


async def _undo_demo(db: AsyncSession, rule: Rule, now: datetime) -> None:
    """Give a rule back what it said before the demo changed it."""
    query = select(RuleVersion).where(RuleVersion.rule_id == rule.id).order_by(col(RuleVersion.number).desc())
    versions = (await db.exec(query)).all()
    if versions[0].created_by == DEMO:
        before = next(version for version in versions if version.created_by != DEMO)
        rule.save(db, before.as_value(), by=AUTHOR, now=now)


async def _leave_receiver(db: AsyncSession, now: datetime) -> None:
    """Let no rule go on sending to the demo's receiver: a mail without any is held, and says so."""
    over = set((await db.exec(select(Endpoint.id).where(Endpoint.demo))).all())
    for rule, version in await Rule.listed(db):
        value = version.as_value()
        if over.intersection(value.endpoint_ids):
            left = tuple(one for one in value.endpoint_ids if one not in over)
            rule.save(db, replace(value, endpoint_ids=left), by=AUTHOR, now=now)


def _mailbox(first_run: FirstRun, vault: Vault, now: datetime) -> Mailbox:
    return Mailbox(
        name=first_run.email_address,
        host=first_run.imap_server,
        port=first_run.imap_port,
        tls=first_run.imap_use_ssl,
        username=first_run.email_address,
        password=vault.seal(first_run.email_password.get_secret_value()),
        senders=[sender.lower() for sender in first_run.sender_of_interest_for_polling],
        first_contact=FirstContact.UNSEEN,
        state_since=now,
        poll_at=now,
        created_at=now,
    )


def _endpoint(first_run: FirstRun, vault: Vault, now: datetime) -> Endpoint:
    url = first_run.webhook_url
    if not url.startswith(("http://", "https://")) or not host_of(url):
        message = "WEBHOOK_URL: must be an address such as https://receiver.example.org/hook"
        raise ConfigError(message)
    endpoint = new_endpoint(urlsplit(url).hostname or url, url, vault, now)
    endpoint.verify_tls = first_run.webhook_ssl_verify
    return endpoint
