"""Held deliveries: asked again when their time comes, when a setting has changed since, or in their turn."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.models import Delivery, DeliveryState, RuleVersion, Sending, Setting
from app.rules import gates
from app.rules.rule import Action
from app.rules.turns import gap, next_turn

AT_ONCE = 100
FASTEST = 600  # a minute, after a pause
_FIRST = (col(Delivery.priority), col(Delivery.id))  # priority, then age


async def release_due(db: AsyncSession, now: datetime) -> int:
    """Ask the gates again for a batch of what is due; gives how many deliveries were looked at."""
    setting = await Setting.load(db)
    due = due_holds(setting.revision, now).limit(AT_ONCE).with_for_update(skip_locked=True)
    held = (await db.exec(due)).all()
    ask = await _gates(db, held, setting, now)
    for delivery in held:
        gate = ask(delivery)
        if not _drops_early(delivery, gate, now):
            _follow(delivery, gate, now)
        delivery.planned_for = setting.revision
    return len(held)


def due_holds(revision: int, now: datetime) -> SelectOfScalar[Delivery]:
    """Ask for the held deliveries whose gates are to be asked again, the most urgent first."""
    stale = or_(col(Delivery.release_at) <= now, col(Delivery.planned_for) != revision)
    return (
        select(Delivery)
        .where(
            Delivery.is_now(DeliveryState.HELD),
            Delivery.attempts == 0,  # what was tried is held by its receiver, not by a gate
            or_(col(Delivery.expires_at) <= now, and_(~Delivery.in_line(), stale)),
        )
        .order_by(*_FIRST)
    )


async def release_in_turn(db: AsyncSession, now: datetime) -> int:
    """Let go what a pause kept back and whose turn has come; gives how many deliveries were looked at.

    What is pending goes as it would have gone; of what is held, the gates are asked first, and only what
    they let through counts towards the pace.
    """
    setting = await Setting.load(db, for_update=True)
    at, between = _next_turn(setting, now), _gap(setting)
    first = col(Delivery.id).in_(_in_line(setting.sending).limit(AT_ONCE))
    waiting = (await db.exec(select(Delivery).where(first).order_by(*_FIRST).with_for_update())).all()
    ask = await _gates(db, waiting, setting, now)
    looked_at = 0
    for delivery in waiting:
        if at > now:
            break
        looked_at += 1
        if delivery.state is DeliveryState.HELD:
            _follow(delivery, ask(delivery), now)
            delivery.planned_for = setting.revision
        else:
            delivery.due_at, delivery.in_line_since = now, None
        if delivery.state is DeliveryState.PENDING:
            at += between
    setting.resume_from = at
    return looked_at


async def turn_has_come(db: AsyncSession, setting: Setting, now: datetime) -> bool:
    """Say whether `release_in_turn` would have something to do."""
    if _next_turn(setting, now) > now:
        return False
    return (await db.exec(_in_line(setting.sending).limit(1))).first() is not None


def _in_line(sending: Sending) -> SelectOfScalar[int | None]:
    """Name what stands in line and may go by the switch, the next one first; an index knows the answer."""
    going = {
        Sending.ON: [DeliveryState.PENDING, DeliveryState.HELD],
        Sending.DRAINING: [DeliveryState.PENDING],
        Sending.PAUSED: [],
    }
    waiting = select(col(Delivery.id)).where(Delivery.in_line(), col(Delivery.state).in_(going[sending]))
    return waiting.order_by(*_FIRST)


def _next_turn(setting: Setting, now: datetime) -> datetime:
    return next_turn(setting.resume_from, _gap(setting), now)


def _gap(setting: Setting) -> timedelta:
    return gap(setting.resume_per_minute or FASTEST)


async def _gates(
    db: AsyncSession, deliveries: Sequence[Delivery], setting: Setting, now: datetime
) -> Callable[[Delivery], gates.Gate]:
    """Give the question that is put for each of these deliveries."""
    settings = setting.as_value()
    ids = {delivery.rule_version_id for delivery in deliveries}
    versions = await db.exec(select(RuleVersion).where(col(RuleVersion.id).in_(ids)))
    rules = {version.id: version.as_value() for version in versions}

    def ask(delivery: Delivery) -> gates.Gate:
        return gates.judge(
            rule=rules[delivery.rule_version_id],
            detector=delivery.facts["detector"],
            urgent=delivery.facts["urgent"],
            has_links=bool(delivery.facts["links"]),
            settings=settings,
            now=now,
            expires_at=delivery.expires_at,
        )

    return ask


def _drops_early(delivery: Delivery, gate: gates.Gate, now: datetime) -> bool:
    """Whether it would be dropped only because somebody saved a setting: it keeps the time it was given.

    A pause in the night must not cost what is held until the morning.
    """
    ends = [at for at in (delivery.release_at, delivery.expires_at) if at is not None]
    return gate.action is Action.DROP and delivery.release_at is not None and min(ends) > now


def _follow(delivery: Delivery, gate: gates.Gate, now: datetime) -> None:
    delivery.reason = gate.reason.to_json()
    delivery.release_at, delivery.expires_at, delivery.in_line_since = gate.release_at, gate.expires_at, None
    if gate.action is Action.SEND:
        delivery.state, delivery.due_at = DeliveryState.PENDING, now
        delivery.facts = {
            **delivery.facts,
            "window_start": gate.window_start_text,
            "window_end": gate.window_end_text,
        }
    elif gate.action is Action.DROP:
        delivery.state, delivery.finished_at = DeliveryState.DROPPED, now
