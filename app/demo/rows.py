"""The demo's rows: its mailbox, its receiver, and what the settings and rules need for both.

At any hour of the day one kind of sample mail is to be held, and others are to leave. So the demo sets a
window of one hour, two to eight hours ahead, and lets the three preset rules send outside of it; only what
the DESABO preset says of urgent offers stays: they wait for the window. Rule versions carry
`demo` as their author; what an operator has saved is left alone.
"""

import secrets
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.demo_ports import HOST, Ports
from app.jobs.seed import AUTHOR, DEMO, add_endpoint, new_endpoint
from app.models import Database, Endpoint, EndpointState, FirstContact, Mailbox, Rule, RuleVersion, Setting
from app.ready import CannotStart
from app.rules import playing
from app.rules.presets import PRESETS
from app.rules.rule import Action
from app.vault import Sealed, Vault

USERNAME = "demo"


async def look(database: Database, vault: Vault) -> tuple[ZoneInfo, str]:
    """Give the operator's zone and the mailbox's password: the one it has, or a new one.

    Raises:
        CannotStart: there is a mailbox of one's own, or no database yet.
    """
    async with database.reading() as db:
        await _require_none_of_ones_own(db)
        setting = await db.get(Setting, 1)
        if setting is None:
            message = "the database is empty: run `signal-server migrate` first"
            raise CannotStart(message)
        mailbox = await _mailbox(db)
        return setting.tz, (_opened(mailbox, vault) if mailbox else "") or secrets.token_urlsafe(24)


async def write(database: Database, vault: Vault, *, places: Ports, password: str, now: datetime) -> None:
    """Add the rows, or bring them up to date; ids stay.

    Raises:
        CannotStart: there is a mailbox of one's own.
    """
    async with database.transaction() as db:
        await _require_none_of_ones_own(db)
        setting = await Setting.load(db)
        mailbox = await _mailbox(db) or _new_mailbox(now)
        mailbox.host, mailbox.port, mailbox.password = HOST, places.imap, vault.seal(password)
        mailbox.poll_at = now
        endpoint = await _endpoint(db) or new_endpoint("Demo receiver", "", vault, now)
        endpoint.url, endpoint.demo = f"http://{HOST}:{places.receiver}/hook", True
        if not setting.demo:  # never, or not since a mailbox of one's own was removed
            setting.demo, mailbox.active, endpoint.state = True, True, EndpointState.ACTIVE
        _set(setting, now)
        db.add_all([mailbox, endpoint])
        if endpoint.id is None or await _delivers_elsewhere(db):
            await add_endpoint(db, endpoint, by=DEMO, now=now)
            await _send_at_any_hour(db)


async def secrets_of_receiver(database: Database, vault: Vault, now: datetime) -> list[str]:
    """Give the secrets by which a delivery may be signed at this moment."""
    async with database.reading() as db:
        endpoint = await _endpoint(db)
    return [vault.open(secret) for secret in endpoint.secrets_at(now)] if endpoint else []


async def _require_none_of_ones_own(db: AsyncSession) -> None:
    own = (await db.exec(select(Mailbox.name).where(col(Mailbox.demo).is_(False)).limit(1))).first()
    if own is not None:
        message = (
            f"the demo is refused: the mailbox {own} is connected here; give the demo a DATA_DIR of its own"
        )
        raise CannotStart(message)


async def _mailbox(db: AsyncSession) -> Mailbox | None:
    return (await db.exec(select(Mailbox).where(Mailbox.demo).limit(1))).first()


async def _endpoint(db: AsyncSession) -> Endpoint | None:
    return (await db.exec(select(Endpoint).where(Endpoint.demo).limit(1))).first()


def _opened(mailbox: Mailbox, vault: Vault) -> str:
    try:
        return vault.open(mailbox.password)
    except Sealed:  # the key has changed since
        return ""


def _new_mailbox(now: datetime) -> Mailbox:
    return Mailbox(
        name="Demo mailbox",
        host=HOST,
        port=0,
        tls=False,
        username=USERNAME,
        password=b"",
        senders=[],
        first_contact=FirstContact.UNSEEN,
        demo=True,
        state_since=now,
        poll_at=now,
        created_at=now,
    )


def _set(setting: Setting, now: datetime) -> None:
    """Poll often, and open the window later today; a window that somebody chose stays."""
    untouched = setting.saved_by in {AUTHOR, DEMO}
    if not untouched and (setting.window_start, setting.window_end) not in playing.WINDOWS:
        return
    start, end = playing.window(now.astimezone(setting.tz).hour)
    wanted: dict[str, Any] = {"window_start": start, "window_end": end}
    if untouched:
        wanted |= {"polling_interval": playing.POLL_EVERY, "saved_by": DEMO}
    if any(getattr(setting, name) != value for name, value in wanted.items()):
        setting.change(wanted, by=DEMO if untouched else setting.saved_by, now=now)


async def _delivers_elsewhere(db: AsyncSession) -> bool:
    """Whether WEBHOOK_URL came in since the last start: sample mails must not reach its receiver."""
    return any(version.created_by == AUTHOR for version in await _in_force(db))


async def _send_at_any_hour(db: AsyncSession) -> None:
    """Let rules that are as the presets have them send outside the window, but for urgent offers."""
    for version in await _in_force(db):
        version.definition = _open(version.definition)


def _open(definition: dict[str, Any]) -> dict[str, Any]:
    if definition not in [preset for _, preset in PRESETS]:
        return definition
    always = {"before": Action.SEND.value, "after": Action.SEND.value}
    return {**definition, "policy": {**definition["policy"], **always}}


async def _in_force(db: AsyncSession) -> list[RuleVersion]:
    current = (col(RuleVersion.rule_id) == Rule.id) & (RuleVersion.number == Rule.version)
    query = select(RuleVersion).join(Rule, current)
    return list((await db.exec(query)).all())
