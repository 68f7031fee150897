"""What somebody does to held deliveries by hand: any number of them in one commit, and never one twice."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Delivery, DeliveryState, LogEvent, Message, metadata
from app.models.database import UNSEEN
from app.models.held import HeldFilter
from app.rules.verdict import Reason

RELEASED, DROPPED, TAKEN_BACK = "held mail released", "held mail dropped", "dropped mail taken back"
WORD = metadata.tables["delivery"].c.state.type


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some deliveries by their numbers, or all that match a filter."""

    ids: tuple[int, ...] = ()
    all_of: HeldFilter | None = None

    def condition(self) -> ColumnElement[bool]:
        held = Delivery.is_now(DeliveryState.HELD)  # asked again at the moment of the change
        if self.all_of is None:
            return and_(held, col(Delivery.id).in_(self.ids))
        found = select(Delivery.id).join(Message, col(Message.id) == Delivery.message_id)
        return and_(held, col(Delivery.id).in_(found.where(*self.all_of.conditions())))


async def release(db: AsyncSession, chosen: Chosen, *, by: str, now: datetime) -> LogEvent | None:
    """Let them go at once, whatever the gates say; the claim still asks the switch and the receiver."""
    values = {
        "state": DeliveryState.PENDING,
        "reason": Reason("released_by_hand", {"by": by}).to_json(),
        "due_at": now,
        "release_at": None,
        "expires_at": None,
        "in_line_since": None,
        "tries": 0,
        "refusals": 0,
        "needs_attention": False,
    }
    return await _change(db, chosen.condition(), values, LogEvent(at=now, event=RELEASED, subject=by))


async def drop(db: AsyncSession, chosen: Chosen, *, by: str, now: datetime) -> LogEvent | None:
    """Let them not go; they are kept, and can be sent, or taken back together by their batch."""
    batch = secrets.token_hex(8)
    values = {
        "state": DeliveryState.DROPPED,
        "reason": Reason("dropped_by_hand", {"by": by, "batch": batch}).to_json(),
        "finished_at": now,
        "in_line_since": None,
    }
    event = LogEvent(at=now, event=DROPPED, subject=by, facts={"batch": batch})
    return await _change(db, chosen.condition(), values, event)


async def take_back(db: AsyncSession, batch: str, *, by: str, now: datetime) -> LogEvent | None:
    """Hold again what was dropped at one go; the gates are asked at once what becomes of it.

    What was tried already was held by its receiver, not by a gate: it is tried again.
    """
    dropped = and_(
        col(Delivery.state) == DeliveryState.DROPPED,
        Delivery.why() == "dropped_by_hand",
        col(Delivery.reason)["facts"]["batch"].as_string() == batch,
    )
    values = {
        "state": case(
            (col(Delivery.attempts) > 0, literal(DeliveryState.PENDING, WORD)),
            else_=literal(DeliveryState.HELD, WORD),
        ),
        "reason": Reason("taken_back", {"by": by}).to_json(),
        "due_at": now,
        "finished_at": None,
        "planned_for": 0,
    }
    return await _change(db, dropped, values, LogEvent(at=now, event=TAKEN_BACK, subject=by))


async def _change(
    db: AsyncSession, condition: ColumnElement[bool], values: dict[str, Any], event: LogEvent
) -> LogEvent | None:
    """Change them in one statement, however many they are, and note how many; None when there were none."""
    changed = await db.exec(update(Delivery).where(condition).values(**values), **UNSEEN)
    if not changed.rowcount:
        return None
    event.facts = {**event.facts, "count": changed.rowcount}
    db.add(event)
    await db.flush()
    return event
