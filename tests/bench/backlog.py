"""Deliveries that wait, written straight into a data directory: what a bench of sending begins with."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.seed import new_endpoint
from app.models import (
    Database,
    Delivery,
    DeliveryState,
    Folder,
    Mailbox,
    Message,
    MessageState,
    Raw,
    RuleVersion,
)
from app.rules.verdict import Verdict
from app.vault import Vault

TEXT = (
    "Bonjour,\r\nÀ faire pour 16h30\r\nhttps://www.dropbox.com/scl/fo/abc\r\n" + "Une ligne de plus.\r\n" * 40
)
LINKS = [{"provider": "dropbox", "raw_url": "https://www.dropbox.com/scl/fo/abc"}]
FACTS = {
    "detector": "recadrage",
    "captures": {},
    "delivery_time": "16h30",
    "urgent": False,
    "window_start": "",
    "window_end": "",
    "links": LINKS,
}
SENDS = {"code": "rule_sends", "facts": {"endpoints": [1], "receivers": 1}}


class Backlog:
    """Fills a data directory whose tables are there."""

    def __init__(self, data_dir: Path, vault: Vault) -> None:
        self._url = f"sqlite+aiosqlite:///{data_dir / 'signal.db'}"
        self._vault = vault
        self._numbers = count(1)

    async def fill(
        self, urls: Sequence[str], each: int, *, limit: int = 30, concurrency: int = 8
    ) -> list[int]:
        """Add an endpoint for each address, and mails that all of them are to get; gives their ids."""
        now, database = datetime.now(UTC), Database(self._url)
        try:
            async with database.transaction() as db:
                endpoints = [new_endpoint(url, url, self._vault, now) for url in urls]
                for endpoint in endpoints:
                    endpoint.timeout, endpoint.concurrency = limit, concurrency
                db.add_all(endpoints)
                await db.flush()
                ids = [endpoint.id or 0 for endpoint in endpoints]
                await self._mails(db, ids, each, now)
        finally:
            await database.aclose()
        return ids

    async def more(self, endpoint_id: int, number: int) -> None:
        """Add mails for an endpoint that is there."""
        database = Database(self._url)
        try:
            async with database.transaction() as db:
                await self._mails(db, [endpoint_id], number, datetime.now(UTC))
        finally:
            await database.aclose()

    async def _mails(self, db: AsyncSession, endpoints: Sequence[int], number: int, now: datetime) -> None:
        version = (await db.exec(select(RuleVersion).order_by(col(RuleVersion.id)))).first()
        assert version is not None
        folder = (await db.exec(select(Folder))).first() or await _folder(db, now)
        messages = [_message(folder, next(self._numbers), now, len(endpoints)) for _ in range(number)]
        db.add_all(messages)
        await db.flush()
        for message in messages:
            db.add(Raw(message_id=message.id or 0, body=TEXT.encode(), plain=TEXT, text=TEXT))
            db.add_all(_delivery(message, version, endpoint, now) for endpoint in endpoints)


async def _folder(db: AsyncSession, now: datetime) -> Folder:
    """A mailbox that nobody polls."""
    mailbox = Mailbox(
        name="bench",
        host="127.0.0.1",
        port=1,
        username="bench",
        password=b"",
        active=False,
        senders=[],
        state_since=now,
        poll_at=now,
        created_at=now,
    )
    db.add(mailbox)
    await db.flush()
    folder = Folder(mailbox_id=mailbox.id or 0)
    db.add(folder)
    await db.flush()
    return folder


def _message(folder: Folder, number: int, now: datetime, deliveries: int) -> Message:
    return Message(
        mailbox_id=folder.mailbox_id,
        folder_id=folder.id or 0,
        uidvalidity=1,
        uid=number,
        size=len(TEXT),
        internal_at=now,
        stored_at=now,
        email_id=f"{number:032x}",
        digest=f"{number:064x}",
        message_id=f"<{number}@example.com>",
        subject=f"Média Solution - Missions Recadrage - Lot {number}",
        sender="ann@example.com",
        sender_header="Ann <ann@example.com>",
        date_header="Mon, 16 Nov 2026 10:00:00 +0100",
        state=MessageState.DECIDED,
        verdict=Verdict.DELIVER,
        reason=SENDS,
        steps=[],
        expected_deliveries=deliveries,
        decided_at=now,
    )


def _delivery(message: Message, version: RuleVersion, endpoint: int, now: datetime) -> Delivery:
    return Delivery(
        webhook_id=f"msg_{message.uid}_{endpoint}",
        message_id=message.id or 0,
        rule_id=version.rule_id,
        rule_version_id=version.id or 0,
        endpoint_id=endpoint,
        state=DeliveryState.PENDING,
        reason=SENDS,
        facts=FACTS,
        due_at=now,
        created_at=now,
    )
