"""Loses mail: the mark moves as soon as mails are listed, and nobody looks below it again."""

from app.jobs.fetch import fetch
from app.jobs.ingest import BATCH_COUNT
from app.jobs.lease import own
from app.jobs.ledger import Known
from app.jobs.store import store
from app.jobs.visit import Visit
from tests.chaos.variants.stage import play, shelf


async def take_in(visit: Visit) -> int:
    context = visit.context
    async with context.database.reading() as db:
        mark = (await own(db, visit.folder_id, context.owner)).mark
    listing = await visit.imap.listing(mark + 1)
    async with context.database.transaction() as db:
        folder = await own(db, visit.folder_id, context.owner)
        folder.mark = max((item.uid for item in listing), default=mark)
    above = shelf(visit, mark + 1)
    for start in range(0, len(listing), BATCH_COUNT):
        candidates = await fetch(visit, above, listing[start : start + BATCH_COUNT], Known())
        await store(context, above, candidates, missing=0)
    context.bells.decide.set()
    return len(listing)


if __name__ == "__main__":
    play("tests.chaos.variants.mark_first", take_in)
