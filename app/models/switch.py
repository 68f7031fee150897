"""How the big switch stands: since when, who turned it, and what waits because of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.models.delivery import Delivery, DeliveryState
from app.models.endpoint import Endpoint, EndpointState
from app.models.log_event import LogEvent
from app.models.setting import Sending, Setting

EVENTS = {
    Sending.ON: "sending resumed",
    Sending.DRAINING: "sending drains",
    Sending.PAUSED: "sending paused",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    sending: Sending
    per_minute: int
    kept: int  # what it keeps back, and what goes one after the other since
    left: int  # what is on its way
    stopped: int  # of that, for receivers to which nothing goes
    by: str = ""
    since: datetime | None = None

    @property
    def going(self) -> int:
        return self.left - self.stopped

    @property
    def word(self) -> str:
        if self.sending is Sending.DRAINING and not self.left:
            return "drained"
        if self.sending is Sending.ON and self.kept:
            return "resuming"
        return self.sending.value


async def switch(db: AsyncSession, setting: Setting, *, left: int, now: datetime) -> Switch:
    """Say how it stands; `left` is how many deliveries are on their way."""
    waits = select(func.count()).where(_waits(setting.sending, now))
    turned = await _turned(db, setting.sending) if setting.sending is not Sending.ON else None
    return Switch(
        sending=setting.sending,
        per_minute=setting.resume_per_minute,
        kept=(await db.exec(waits)).one(),
        left=left,
        stopped=(await db.exec(_stopped())).one(),
        by=turned.subject if turned else "",
        since=turned.at if turned else None,
    )


def held_by_switch() -> ColumnElement[bool]:
    return and_(Delivery.is_now(DeliveryState.HELD), Delivery.why() == "paused")


def _waits(sending: Sending, now: datetime) -> ColumnElement[bool]:
    open_still = col(Delivery.state).in_([DeliveryState.HELD, DeliveryState.PENDING])
    in_line = and_(Delivery.in_line(), open_still)
    if sending is Sending.ON:
        return in_line
    return or_(in_line, held_by_switch(), *([Delivery.is_due(now)] if sending is Sending.PAUSED else []))


def _stopped() -> SelectOfScalar[int]:
    """Count what waits until somebody takes its receiver up again."""
    stopped = select(Endpoint.id).where(col(Endpoint.state).in_([EndpointState.PAUSED, EndpointState.PARKED]))
    return select(func.count()).where(
        Delivery.is_now(DeliveryState.PENDING), col(Delivery.endpoint_id).in_(stopped)
    )


async def _turned(db: AsyncSession, sending: Sending) -> LogEvent | None:
    """Find who turned the switch last; whoever set it otherwise is not known."""
    turns = select(LogEvent).where(col(LogEvent.event).in_(EVENTS.values()))
    last = (await db.exec(turns.order_by(col(LogEvent.id).desc()).limit(1))).first()
    return last if last is not None and last.event == EVENTS[sending] else None
