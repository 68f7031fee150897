"""Why a delivery that is to go does not go now: something stops its receiver, or another goes before it."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.delivery import Delivery, DeliveryState
from app.models.endpoint import Endpoint
from app.models.refusal import stops_each
from app.models.setting import Setting
from app.rules.verdict import Reason

LASTING = {"endpoint_paused", "endpoint_parked", "endpoint_deleted"}  # until somebody ends it


async def waits(db: AsyncSession, deliveries: Iterable[Delivery], now: datetime) -> dict[int | None, Reason]:
    """Say it of those that wait, by their ids; however many there are, their receivers are asked for once."""
    pending = [one for one in deliveries if one.state is DeliveryState.PENDING]
    if not pending:
        return {}
    query = select(Endpoint).where(col(Endpoint.id).in_({one.endpoint_id for one in pending}))
    endpoints = (await db.exec(query)).all()
    reasons = await stops_each(db, endpoints, sending=(await Setting.load(db)).sending, now=now)
    first = await _first(db, [endpoint for endpoint in endpoints if endpoint.ordered])
    found: dict[int | None, Reason] = {}
    for one in pending:
        reason = reasons[one.endpoint_id]
        if reason is not None and _keeps(reason, one, now):
            found[one.id] = reason
        elif first.get(one.endpoint_id, one.id) != one.id:
            found[one.id] = Reason("in_order")
    return found


def _keeps(reason: Reason, delivery: Delivery, now: datetime) -> bool:
    """Say whether it is this that it waits for, and not its own turn or next try, which come later."""
    if reason.code in LASTING:
        return True
    if delivery.in_line_since is not None:
        return False
    until = reason.facts.get("until")
    ends = datetime.fromisoformat(until) if until else now
    return reason.code == "paused" or delivery.due_at <= ends


async def _first(db: AsyncSession, ordered: list[Endpoint]) -> dict[int | None, int | None]:
    """Name the delivery that goes first, of each receiver that takes one after the other."""
    if not ordered:
        return {}
    query = select(Delivery.endpoint_id, func.min(Delivery.id)).where(
        col(Delivery.endpoint_id).in_([endpoint.id for endpoint in ordered]),
        col(Delivery.state).in_([DeliveryState.PENDING, DeliveryState.SENDING]),
    )
    return dict((await db.exec(query.group_by(col(Delivery.endpoint_id)))).all())
