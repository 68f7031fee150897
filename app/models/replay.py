"""Replays: which deliveries are meant and what sending them again would come to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, not_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.models.delivery import FINISHED, Delivery, DeliveryState
from app.models.endpoint import Endpoint, EndpointState
from app.models.history import DeliveryFilter, without
from app.models.message import Message
from app.models.run import Run

KIND = "replay"
MOMENTS = ("since", "until")
_ENDS = (func.max(Delivery.id), func.min(Delivery.created_at))


class Left(StrEnum):
    """Why a delivery that matches is not sent again."""

    ON_ITS_WAY = "on_its_way"
    HELD = "held"
    RECEIVER_DELETED = "receiver_deleted"
    NOT_KEPT = "not_kept"  # neither its body nor what it was made of


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody asks for; what came after `newest` is left out, for nobody has seen it."""

    wanted: DeliveryFilter
    newest: int
    as_new: bool
    per_minute: int  # 0: at once

    def to_json(self) -> dict[str, Any]:
        wanted = {name: value for name, value in asdict(self.wanted).items() if value not in {None, ""}}
        for name in MOMENTS:
            if name in wanted:
                wanted[name] = wanted[name].astimezone(UTC).isoformat()
        return {
            "wanted": wanted,
            "newest": self.newest,
            "as_new": self.as_new,
            "per_minute": self.per_minute,
        }

    @classmethod
    def of(cls, run: Run) -> "Order":
        kept = dict(run.details["wanted"])
        for name in MOMENTS:
            if name in kept:
                kept[name] = datetime.fromisoformat(kept[name])
        told = {name: run.details[name] for name in ("newest", "as_new", "per_minute")}
        return cls(wanted=DeliveryFilter(**kept), **told)


@dataclass(slots=True)
class Share:
    """What concerns one receiver: how many go to it, by the state they are in, and how many do not."""

    endpoint: Endpoint
    oldest: datetime | None = None  # when the first of those that go was made
    going: Counter[str] = field(default_factory=Counter)
    left: Counter[Left] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    shares: Sequence[Share]
    newest: int

    @property
    def going(self) -> int:
        return sum(share.going.total() for share in self.shares)

    @property
    def left(self) -> Counter[Left]:
        return sum((share.left for share in self.shares), Counter())

    @property
    def receivers(self) -> list[Endpoint]:
        """Name those to whom something goes."""
        return [share.endpoint for share in self.shares if share.going]

    @property
    def moved(self) -> set[int]:
        """Name the receivers whose address was changed after some of what goes to them was made."""
        return {
            share.endpoint.id or 0
            for share in self.shares
            if share.oldest is not None and share.endpoint.moved_after(share.oldest)
        }

    @property
    def signature(self) -> str:
        """Tell apart to whom and where it goes, so that nobody sends elsewhere than they saw."""
        places = "\n".join(f"{endpoint.id} {endpoint.url}" for endpoint in self.receivers)
        return sha256(places.encode()).hexdigest()[:16]


async def survey(db: AsyncSession, wanted: DeliveryFilter, *, newest: int | None = None) -> Survey:
    """Count what a replay would send again and what it would leave out, for each receiver."""
    bounds = [] if newest is None else [col(Delivery.id) <= newest]
    lost = case((_not_kept(), 1), else_=0)
    query = (
        select(Delivery.endpoint_id, Delivery.state, lost, func.count(), *_ENDS)  # type: ignore[call-overload]
        .join(Message, col(Message.id) == Delivery.message_id)
        .where(*_matching(wanted), *bounds)
        .group_by(col(Delivery.endpoint_id), col(Delivery.state), lost)
    )
    found = (await db.exec(query)).all()
    shares = {one.id: Share(one) for one in await _endpoints(db, {row[0] for row in found})}
    for endpoint_id, state, gone, count, _, oldest in found:
        share = shares[endpoint_id]
        left = _left(share.endpoint, state, gone=bool(gone))
        if left is None:
            share.going[state.value] += count
            share.oldest = min(share.oldest or oldest, oldest)
        else:
            share.left[left] += count
    return Survey(shares=list(shares.values()), newest=max((row[4] for row in found), default=0))


def remaining(order: Order, *, after: int, asked_at: datetime) -> SelectOfScalar[Delivery]:
    """Ask for what is still to be sent again, the oldest first.

    What has ended only since is another matter: so the set can but shrink after it was asked for.
    """
    ended = or_(col(Delivery.finished_at).is_(None), col(Delivery.finished_at) <= asked_at)
    light = [] if order.as_new else without(Delivery.body, Delivery.facts)
    return (
        select(Delivery)
        .join(Message, col(Message.id) == Delivery.message_id)
        .join(Endpoint, col(Endpoint.id) == Delivery.endpoint_id)
        .where(
            *_matching(order.wanted),
            col(Delivery.id) > after,
            col(Delivery.id) <= order.newest,
            col(Delivery.state).in_(FINISHED),
            ended,
            col(Endpoint.state) != EndpointState.DELETED,
            not_(_not_kept()),
        )
        .order_by(col(Delivery.id))
        .options(*light)
    )


async def asked_with(db: AsyncSession, once: str) -> Run | None:
    """Find what the same form has asked for already: a button may be pressed twice."""
    lately = await Run.recent(db, KIND, limit=20)
    return next((run for run in lately if once and run.details["once"] == once), None)


async def _endpoints(db: AsyncSession, ids: set[int]) -> Sequence[Endpoint]:
    named = select(Endpoint).where(col(Endpoint.id).in_(ids)).order_by(col(Endpoint.name), col(Endpoint.id))
    return (await db.exec(named)).all()


def _matching(wanted: DeliveryFilter) -> list[ColumnElement[bool]]:
    """Ask for what the list shows; of one mail only for what its own verdict made, not for later copies."""
    decided = [col(Delivery.occurrence) == 0] if wanted.message is not None else []
    return [*wanted.conditions(), *decided]


def _not_kept() -> ColumnElement[bool]:
    return and_(col(Delivery.body).is_(None), col(Message.source_removed_at).is_not(None))


def _left(endpoint: Endpoint, state: DeliveryState, *, gone: bool) -> Left | None:
    if state is DeliveryState.HELD:
        return Left.HELD
    if state not in FINISHED:
        return Left.ON_ITS_WAY
    return hindrance(endpoint, gone=gone)


def hindrance(endpoint: Endpoint, *, gone: bool) -> Left | None:
    """Say why a delivery cannot be sent again ever: nobody is there, or nothing of it is kept."""
    if endpoint.state is EndpointState.DELETED:
        return Left.RECEIVER_DELETED
    return Left.NOT_KEPT if gone else None


def goes_elsewhere(delivery: Delivery, endpoint: Endpoint) -> bool:
    """Say whether what has ended was made for another address than it would go to now.

    What has not ended yet goes to the new address by itself: to mend that is why people change it.
    """
    return delivery.state in FINISHED and endpoint.moved_after(delivery.created_at)
