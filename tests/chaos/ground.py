"""What the database holds before the program starts: a mailbox, two endpoints, one rule for all mail."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from sqlmodel import select

from app.config import FirstRun
from app.jobs.seed import new_endpoint, prepare
from app.migrate import upgrade
from app.models import Database, Endpoint, Rule
from app.rules.condition import Group
from app.rules.rule import Rule as RuleValue
from app.vault import Vault
from tests.servers import Dovecot

KEY = "a key for the chaos only"
USER = "chaos"
SCHEDULE = (0.2, 0.5, 1, *[2] * 200)  # seconds between tries; nothing is given up
LIMIT = 2  # seconds for one try
LONGEST_PAUSE = 1.0  # seconds of an open breaker


def furnish(data_dir: Path, dovecot: Dovecot, urls: Sequence[str]) -> None:
    data_dir.mkdir(parents=True)
    address = f"sqlite+aiosqlite:///{data_dir / 'signal.db'}"
    upgrade(address)
    first_run = FirstRun(
        email_address=USER,
        email_password=SecretStr(dovecot.password),
        imap_server=dovecot.host,
        imap_port=dovecot.port,
        imap_use_ssl=False,
        email_polling_interval_seconds=1,
    )
    asyncio.run(_furnish(address, first_run, urls))


async def _furnish(address: str, first_run: FirstRun, urls: Sequence[str]) -> None:
    database, vault, now = Database(address), Vault(KEY), datetime.now(UTC)
    try:
        await prepare(database, first_run, vault, now)
        async with database.transaction() as db:
            for preset in (await db.exec(select(Rule))).all():
                preset.active = False
            endpoints = [_endpoint(url, vault, now) for url in urls]
            db.add_all(endpoints)
            await db.flush()
            rule = await Rule.add(db, position=0, now=now)
            rule.save(db, _everything(rule.id or 0, endpoints), by="chaos", now=now)
    finally:
        await database.aclose()


def _endpoint(url: str, vault: Vault, now: datetime) -> Endpoint:
    endpoint = new_endpoint(url, url, vault, now)
    endpoint.schedule, endpoint.timeout = list(SCHEDULE), LIMIT
    endpoint.first_pause, endpoint.longest_pause = 0.5, LONGEST_PAUSE
    return endpoint


def _everything(rule_id: int, endpoints: Sequence[Endpoint]) -> RuleValue:
    return RuleValue(
        id=rule_id,
        version_id=0,
        name="Everything",
        conditions=Group(),
        links_required=False,
        endpoint_ids=tuple(endpoint.id or 0 for endpoint in endpoints),
    )
