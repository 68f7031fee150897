"""What the ledger knows of a folder's UIDs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select as columns_of
from sqlmodel import select

from app.integrations.imap_answer import Listed
from app.jobs.candidate import Shelf
from app.models import Database, Message, UidAlias


@dataclass(frozen=True, slots=True)
class Known:
    """Rows by UID; `unfetched`: rows whose mail the server has not given us yet, to be asked for again."""

    seen: dict[int, set[tuple[int, datetime]]] = field(default_factory=dict)
    aliases: frozenset[int] = frozenset()
    unfetched: dict[int, int] = field(default_factory=dict)
    insisted: set[int] = field(default_factory=set)  # of these, what somebody wants whatever its size

    def is_new(self, item: Listed) -> bool:
        """Whether this UID has no row, or now stands for another mail (size or date differ)."""
        if item.uid in self.unfetched:
            return True
        if item.uid in self.aliases:
            return False
        return (item.size, item.internal_at) not in self.seen.get(item.uid, set())

    def owed_beside(self, listing: Iterable[Listed]) -> list[int]:
        """Give the rows of mail that we were to ask for again and that is not listed any more."""
        listed = {item.uid for item in listing}
        return [message_id for uid, message_id in self.unfetched.items() if uid not in listed]

    def occurrences(self, uid: int) -> int:
        return len(self.seen.get(uid, ()))


async def known_uids(database: Database, shelf: Shelf, now: datetime) -> Known:
    table = Message.__table__.c  # type: ignore[attr-defined]  # SQLModel does not declare it
    columns = (
        table.uid,
        table.size,
        table.internal_at,
        table.id,
        table.fetch_at,
        table.insisted,
    )
    query = columns_of(*columns).where(
        table.folder_id == shelf.folder_id,
        table.uidvalidity == shelf.uidvalidity,
        table.uid >= shelf.first,
    )
    further = select(UidAlias.uid).where(
        UidAlias.folder_id == shelf.folder_id,
        UidAlias.uidvalidity == shelf.uidvalidity,
        UidAlias.uid >= shelf.first,
    )
    async with database.reading() as db:
        rows = (await (await db.connection()).execute(query)).all()
        aliases = frozenset((await db.exec(further)).all())
    seen: dict[int, set[tuple[int, datetime]]] = {}
    unfetched: dict[int, int] = {}
    insisted: set[int] = set()
    for uid, size, internal_at, message_id, fetch_at, wanted in rows:
        seen.setdefault(uid, set()).add((size, internal_at))
        if fetch_at is not None and fetch_at <= now:
            unfetched[uid] = message_id
            if wanted:
                insisted.add(uid)
    return Known(seen, aliases, unfetched, insisted)
