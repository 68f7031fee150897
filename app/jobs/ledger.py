"""What the ledger knows of a folder's UIDs."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import col, select

from app.integrations.imap import Listed
from app.models import Database, Message, MessageState, UidAlias

FETCH_TRIES = 3


@dataclass(frozen=True, slots=True)
class Known:
    """Rows by UID; `unfetched`: rows whose mail the server has not given us yet, to be asked for again."""

    seen: dict[int, set[tuple[int, datetime]]] = field(default_factory=dict)
    aliases: frozenset[int] = frozenset()
    unfetched: dict[int, int] = field(default_factory=dict)

    def is_new(self, item: Listed) -> bool:
        """Whether this UID has no row, or now stands for another mail (size or date differ)."""
        if item.uid in self.unfetched:
            return True
        if item.uid in self.aliases:
            return False
        return (item.size, item.internal_at) not in self.seen.get(item.uid, set())


async def known_uids(database: Database, folder_id: int, uidvalidity: int, first: int) -> Known:
    columns = (
        col(Message.uid),
        col(Message.size),
        col(Message.internal_at),
        col(Message.id),
        col(Message.state),
        col(Message.reason),
        col(Message.fetch_tries),
    )
    async with database.reading() as db:
        rows = await db.exec(
            select(*columns).where(  # type: ignore[call-overload] - more columns than its overloads have
                Message.folder_id == folder_id, Message.uidvalidity == uidvalidity, Message.uid >= first
            )
        )
        known = Known()
        for uid, size, internal_at, message_id, state, reason, tries in rows:
            known.seen.setdefault(uid, set()).add((size, internal_at))
            if state is MessageState.QUARANTINED and reason["code"] == "not_fetched" and tries < FETCH_TRIES:
                known.unfetched[uid] = message_id
        aliases = select(UidAlias.uid).where(
            UidAlias.folder_id == folder_id, UidAlias.uidvalidity == uidvalidity, UidAlias.uid >= first
        )
        return Known(known.seen, frozenset((await db.exec(aliases)).all()), known.unfetched)
