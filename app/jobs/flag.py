r"""`\Seen`, as a courtesy to people who look at the mailbox: after the commit, retried until done."""

from datetime import timedelta

import structlog
from sqlalchemy import update
from sqlmodel import col, select

from app.integrations.errors import IntegrationError
from app.integrations.imap import Imap
from app.jobs.context import Context
from app.models import Effect, EffectKind, Folder

AT_ONCE = 500
PAUSE = timedelta(seconds=60)

log = structlog.get_logger()


async def flag_seen(context: Context, imap: Imap, folder_id: int) -> None:
    """Set the flags that are due in the selected folder. A server that refuses them fails nothing else."""
    context.crash.point("flag.before")
    while await _flag_some(context, imap, folder_id):
        pass


async def _flag_some(context: Context, imap: Imap, folder_id: int) -> bool:
    async with context.database.reading() as db:
        folder = await db.get_one(Folder, folder_id)
        query = (
            select(Effect)
            .where(
                Effect.kind == EffectKind.SEEN,
                Effect.folder_id == folder_id,
                col(Effect.done_at).is_(None),
                Effect.due_at <= context.now(),
            )
            .limit(AT_ONCE)
        )
        effects = (await db.exec(query)).all()
    if not effects:
        return False
    ids = [effect.id for effect in effects]
    # after a change of UIDVALIDITY the old numbers mean other mails: those flags are given up
    uids = [
        effect.payload["uid"] for effect in effects if effect.payload["uidvalidity"] == folder.uidvalidity
    ]
    try:
        if uids:
            await imap.mark_seen(uids)
    except IntegrationError as error:
        log.warning("flag refused", folder=folder_id, reason=str(error.reason), detail=error.detail)
        values = {"tries": Effect.tries + 1, "due_at": context.now() + PAUSE, "detail": str(error.reason)}
    else:
        values = {"done_at": context.now()}
    async with context.database.transaction() as db:
        await db.exec(update(Effect).where(col(Effect.id).in_(ids)).values(**values))
    return True
