"""Writing that is never given up: tried again until the database takes it."""

import asyncio

import structlog
from sqlalchemy import exc

from app.jobs.border import Work
from app.models.trouble import trouble_of

PATIENCE = 1.0  # seconds between two tries
AWAY = (exc.DBAPIError, exc.TimeoutError)  # where `trouble_of` finds some, what is written is not at fault

log = structlog.get_logger()


async def until_taken(what: str, work: Work) -> None:
    """Do the work, a transaction that may be repeated, until the database is full, locked or gone no more.

    An error that lies in what is written flies on.
    """
    while True:
        try:
            await work()
        except AWAY as error:
            trouble = trouble_of(error)
            if trouble is None:
                raise
            log.warning(
                "not written yet", what=what, trouble=trouble, error=str(getattr(error, "orig", error))
            )
            await asyncio.sleep(PATIENCE)
        else:
            return
