"""The big switch: what it does to mail that waits, and how what a pause kept back goes afterwards."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Delivery, LogEvent, Sending, Setting
from app.models.database import UNSEEN
from app.models.switch import EVENTS, held_by_switch
from app.rules.verdict import Reason


async def turn(db: AsyncSession, *, to: Sending, per_minute: int, by: str, now: datetime) -> bool:
    """Turn the switch, or change the pace of a resumption; False when it stood there already.

    `per_minute` is how much of what the pause kept back goes each minute (0: all of it at once).
    """
    setting = await Setting.load(db, for_update=True)
    was = setting.sending
    if was is to and (to is not Sending.ON or setting.resume_per_minute == per_minute):
        return False
    changes: dict[str, Any] = {"sending": to}
    if to is Sending.ON:
        start = setting.resume_from if was is to else now
        changes |= {"resume_per_minute": per_minute, "resume_from": start}
        await (_line_up(db, was, now) if per_minute else _let_all_go(db))
    setting.change(changes, by=by, now=now)
    facts = {"per_minute": per_minute} if to is Sending.ON else {}
    db.add(LogEvent(at=now, event=EVENTS[to], subject=by, facts=facts))
    return True


async def _line_up(db: AsyncSession, was: Sending, now: datetime) -> None:
    """Put what the pause kept back into the line; what is in it already keeps its place."""
    held = update(Delivery).where(held_by_switch())
    due = update(Delivery).where(Delivery.is_due(now))
    await db.exec(held.values(in_line_since=now, reason=Reason("waits_in_line").to_json()), **UNSEEN)
    if was is Sending.PAUSED:
        await db.exec(due.values(in_line_since=now), **UNSEEN)


async def _let_all_go(db: AsyncSession) -> None:
    await db.exec(update(Delivery).where(Delivery.in_line()).values(in_line_since=None), **UNSEEN)
