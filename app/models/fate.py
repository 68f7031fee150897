"""What an attempt may change of a delivery, read and written without the rest: this is done most often."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.delivery import Attempt, Delivery, DeliveryState
from app.models.endpoint import Endpoint


@dataclass(slots=True)
class Fate:
    """A delivery's columns of these names."""

    id: int
    generation: int
    state: DeliveryState
    reason: dict[str, Any]
    content_type: str
    due_at: datetime
    tries: int
    refusals: int
    deaths: int
    needs_attention: bool
    may_have_arrived: bool
    finished_at: datetime | None
    lease_owner: str | None
    lease_until: datetime | None

    def wait(self, until: datetime, reason: dict[str, Any]) -> None:
        """Go back into the line."""
        self.state, self.due_at, self.reason = DeliveryState.PENDING, until, reason
        self.lease_owner = self.lease_until = None


async def receivers(db: AsyncSession, ids: set[int]) -> dict[int | None, Endpoint]:
    """Find endpoints, in the order in which claims lock them."""
    return {one.id: one for one in (await db.exec(_ENDPOINTS, params={"ids": list(ids)})).all()}


async def fates(db: AsyncSession, ids: set[int]) -> dict[int, Fate]:
    return {row.id: Fate(*row) for row in (await db.exec(_FATES, params={"ids": list(ids)})).all()}


async def save(db: AsyncSession, changed: Sequence[Fate], attempts: Sequence[dict[str, Any]]) -> None:
    """Write deliveries and their attempts; these say which they are by `of` and `in_generation`.

    Raises:
        LookupError: an attempt is not there.
    """
    connection = await db.connection()
    if (await connection.execute(_ATTEMPTS, attempts)).rowcount != len(attempts):
        message = "an attempt is not there"
        raise LookupError(message)
    if changed:
        rows = [{"of": fate.id, **{name: getattr(fate, name) for name in _NAMES}} for fate in changed]
        await connection.execute(_CHANGES, rows)


_IDS: Any = bindparam("ids", expanding=True)
_NAMES = tuple(field.name for field in fields(Fate))
_ENDPOINTS = select(Endpoint).where(col(Endpoint.id).in_(_IDS)).order_by(col(Endpoint.id)).with_for_update()
_FATES: Any = (
    select(*(getattr(Delivery, name) for name in _NAMES))
    .where(col(Delivery.id).in_(_IDS))
    .order_by(col(Delivery.id))
    .with_for_update()
)
_CHANGES = (
    update(Delivery)
    .where(col(Delivery.id) == bindparam("of"))
    .values({name: bindparam(name) for name in _NAMES[2:]})
)
_ENDING = (
    *("ended_at", "outcome", "detail", "status", "peer", "timings", "request_headers", "answer_headers"),
    *("answer", "truncated", "may_have_arrived"),
)
_ATTEMPTS = (
    update(Attempt)
    .where(col(Attempt.delivery_id) == bindparam("of"), col(Attempt.generation) == bindparam("in_generation"))
    .values({name: bindparam(name) for name in _ENDING})
)
