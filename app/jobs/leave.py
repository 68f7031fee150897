"""What somebody decides to leave as it is: a mail set aside, or one that a rule without receiver took."""

from datetime import datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Decision, LogEvent, Message, MessageState
from app.rules.verdict import Reason

LEFT = "mail left as it is"


async def leave(db: AsyncSession, message: Message, *, by: str, now: datetime) -> LogEvent | None:
    """Settle what waits for somebody and note who did; nothing is removed. None: nothing of it waits."""
    owed = await _owed(db, message)
    if message.state is MessageState.STORED or not (message.can_be_left or owed):
        return None
    reason = Reason("left_by_hand", {"by": by}).to_json()
    for decision in owed:
        decision.leave(reason)
    if message.can_be_left:
        message.leave(reason, now)
    event = LogEvent(at=now, event=LEFT, subject=by, facts={"message": message.id})
    db.add(event)
    return event


async def _owed(db: AsyncSession, message: Message) -> list[Decision]:
    query = select(Decision).where(Decision.message_id == message.id, Decision.owed())
    return list((await db.exec(query)).all())
