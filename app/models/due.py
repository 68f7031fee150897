"""What may go now, and the taking of it; statements built once: a busy worker asks them all the time."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, exists, func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.columns import Moment
from app.models.delivery import Delivery, DeliveryState
from app.models.endpoint import Endpoint
from app.models.setting import Sending, Setting

TURN = (col(Delivery.priority), col(Delivery.due_at), col(Delivery.id))


class Due(NamedTuple):
    """An endpoint that has something due, and what stands beside it."""

    endpoint: Endpoint
    sending: Sending  # the big switch
    under_way: int  # requests, of all workers
    elsewhere: int  # of other workers


async def endpoints(db: AsyncSession, *, owner: str, now: datetime, for_update: bool = False) -> list[Due]:
    """Find the endpoints that have something due.

    To change them they are locked first, in one order, so that no two workers block each other; only then
    is counted what is under way: another worker may have claimed while we waited for a lock.
    """
    ours = set((await db.exec(_LOCK, params={"now": now})).all()) if for_update else None
    found = [Due(*row) for row in (await db.exec(_DUE, params={"owner": owner, "now": now})).all()]
    return [one for one in found if ours is None or one.endpoint.id in ours]


async def take(
    db: AsyncSession, endpoint: Endpoint, *, most: int, owner: str, now: datetime, until: datetime
) -> list[Row[Any]]:
    """Give an endpoint's next deliveries to `owner` until then; they are rows of the columns in `TAKEN`."""
    taking = _TAKE_FIRST if endpoint.ordered else _TAKE
    given = {"endpoint": endpoint.id, "most": most, "owner": owner, "now": now, "until": until}
    rows = (await db.exec(taking, params=given)).all()
    return sorted(rows, key=lambda row: (row.priority, row.due_at, row.id))


_NOW: Any = bindparam("now", type_=Moment())
_OWNER: Any = bindparam("owner")
_SENDING = (Delivery.endpoint_id == Endpoint.id, Delivery.is_now(DeliveryState.SENDING))
_COUNT = select(func.count(col(Delivery.id))).where(*_SENDING).correlate(Endpoint)
_WITH_DUE = exists().where(col(Delivery.endpoint_id) == Endpoint.id, Delivery.is_due(_NOW))
_LOCK = select(Endpoint.id).where(_WITH_DUE).order_by(col(Endpoint.id)).with_for_update()
_DUE = (
    select(
        Endpoint,
        select(Setting.sending).where(Setting.id == 1).scalar_subquery(),
        _COUNT.scalar_subquery(),
        _COUNT.where(col(Delivery.lease_owner) != _OWNER).scalar_subquery(),
    )
    .where(_WITH_DUE)
    .order_by(col(Endpoint.id))
)

_OWN = (col(Delivery.endpoint_id) == bindparam("endpoint"), Delivery.is_now(DeliveryState.PENDING))
_NEXT = select(Delivery.id).where(*_OWN, Delivery.is_due(_NOW))
_IN_TURN = _NEXT.order_by(*TURN).limit(bindparam("most")).with_for_update(skip_locked=True)
# the first of all, or none while it waits for its next try or its turn after a pause
_FIRST = select(func.min(Delivery.id)).where(*_OWN).scalar_subquery()
TAKEN = (
    *TURN,
    *map(col, (Delivery.generation, Delivery.attempts, Delivery.webhook_id, Delivery.body)),
    *map(col, (Delivery.content_type, Delivery.facts, Delivery.message_id, Delivery.rule_version_id)),
)
_TAKING = (
    update(Delivery)
    .values(
        state=DeliveryState.SENDING,
        generation=Delivery.generation + 1,
        attempts=Delivery.attempts + 1,
        lease_owner=_OWNER,
        lease_until=bindparam("until", type_=Moment()),
    )
    .returning(*TAKEN)
    .execution_options(synchronize_session=False)
)
_TAKE = _TAKING.where(col(Delivery.id).in_(_IN_TURN))
_TAKE_FIRST = _TAKING.where(col(Delivery.id).in_(_NEXT.where(col(Delivery.id) == _FIRST).with_for_update()))
