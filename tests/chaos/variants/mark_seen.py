"""Loses mail: what is unread is fetched as the library does it by default, which marks it as read."""

import asyncio

from imap_tools import MailBoxUnencrypted

from app.jobs.fetch import fetch
from app.jobs.ledger import Known
from app.jobs.store import store
from app.jobs.visit import Visit
from tests.chaos.variants.stage import play, shelf


async def take_in(visit: Visit) -> int:
    uids = await asyncio.to_thread(_read, visit)
    fresh = [item for item in await visit.imap.listing(1) if item.uid in uids]
    if fresh:
        whole = shelf(visit, 1)
        await store(visit.context, whole, await fetch(visit, whole, fresh, Known()), missing=0)
        visit.context.bells.decide.set()
    return len(fresh)


def _read(visit: Visit) -> set[int]:
    """Read what is unread; from now on it is read."""
    account, password = visit.mailbox, visit.context.vault.open(visit.mailbox.password)
    with MailBoxUnencrypted(account.host, account.port).login(account.username, password) as box:
        return {int(mail.uid or 0) for mail in box.fetch("UNSEEN")}


if __name__ == "__main__":
    play("tests.chaos.variants.mark_seen", take_in)
