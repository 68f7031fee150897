"""The program's own database, read from outside while it works, and judged when it has ended."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.models import Database, sqlite
from app.models.invariants import broken_invariants

# What only a person would bring on.
HUMAN = {
    "mails set aside": "SELECT count(*) FROM message WHERE state IN ('quarantined', 'oversize', 'vanished')",
    "mails not sent on": "SELECT count(*) FROM message WHERE state = 'decided' AND verdict <> 'deliver'",
    "deliveries not sent": "SELECT count(*) FROM delivery WHERE state <> 'sent'",
    "deliveries that need attention": "SELECT count(*) FROM delivery WHERE needs_attention",
    "endpoints that rest": "SELECT count(*) FROM endpoint WHERE state <> 'active'",
    "mailboxes that fail": "SELECT count(*) FROM mailbox WHERE state <> 'ok'",
}
OPEN = """
    SELECT (SELECT count(*) FROM message WHERE state = 'stored' OR fetch_at IS NOT NULL)
         + (SELECT count(*) FROM delivery WHERE state IN ('pending', 'sending'))
         + (SELECT coalesce(sum(missing), 0) FROM folder)
"""
MOVED = "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM attempt)"
STORY = """
    SELECT message.id, message.state, message.verdict, message.reason, endpoint.name,
           delivery.webhook_id, delivery.state, delivery.reason, delivery.attempts, delivery.deaths
    FROM message
    LEFT JOIN delivery ON delivery.message_id = message.id
    LEFT JOIN endpoint ON endpoint.id = delivery.endpoint_id
    WHERE message.uid = ?
"""


class Ledger:
    def __init__(self, path: Path) -> None:
        self._path = path

    def settled(self, since: datetime) -> bool:
        """Whether nothing is open, and the mailbox was read through since that moment."""
        ((polled_at, failures),) = self._ask("SELECT polled_at, failures FROM mailbox")
        if polled_at is None or failures or datetime.fromisoformat(polled_at).replace(tzinfo=UTC) <= since:
            return False
        return self._ask(OPEN) == [(0,)]

    def moved(self) -> list[tuple[Any, ...]]:
        """Something that differs as soon as anything has moved."""
        return self._ask(MOVED)

    def sending(self, pid: int) -> set[str]:
        """The webhook-ids of what a worker is sending, or was when it died."""
        query = "SELECT webhook_id FROM delivery WHERE state = 'sending' AND lease_owner LIKE ?"
        return {webhook_id for (webhook_id,) in self._ask(query, f"%/worker/{pid}/%")}

    def story(self, lot: int) -> list[tuple[Any, ...]]:
        """What is known of a mail; numbers in the mailbox begin at 1."""
        return self._ask(STORY, lot + 1)

    def faults(self) -> Iterator[str]:
        """Everything that must not be: broken invariants, a broken file, work for a person."""
        for name, count in asyncio.run(self._broken()).items():
            if count:
                yield f"{name} is broken {count} times"
        integrity = self._ask("PRAGMA integrity_check")
        if integrity != [("ok",)]:
            yield f"the file is broken: {integrity}"
        for what, query in HUMAN.items():
            ((count,),) = self._ask(query)
            if count:
                yield f"{count} {what}"

    async def _broken(self) -> dict[str, int]:
        database = Database(f"sqlite+aiosqlite:///{self._path}")
        try:
            async with database.reading() as db:
                return await broken_invariants(db)
        finally:
            await database.aclose()

    def _ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite.install().connect(self._path, timeout=15)) as connection:
            found: list[tuple[Any, ...]] = connection.execute(query, values).fetchall()
            return found
