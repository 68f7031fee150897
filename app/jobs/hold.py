"""Held deliveries: asked again when their time comes, or when a setting has changed since."""

from datetime import datetime

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.models import Delivery, DeliveryState, Message, RuleVersion, Setting
from app.rules import gates
from app.rules.rule import Action

AT_ONCE = 100


async def release_due(db: AsyncSession, now: datetime) -> int:
    """Ask the gates again for what is due; gives how many deliveries were looked at."""
    setting = await Setting.load(db)
    held = (await db.exec(due_holds(setting.revision, now).limit(AT_ONCE))).all()
    for delivery in held:
        await _ask_again(db, delivery, setting, now)
    return len(held)


def due_holds(revision: int, now: datetime) -> SelectOfScalar[Delivery]:
    """Ask for the held deliveries whose gates are to be asked again."""
    return (
        select(Delivery)
        .where(
            Delivery.is_now(DeliveryState.HELD),
            Delivery.attempts == 0,  # what was tried is held by its receiver, not by a gate
            or_(
                col(Delivery.release_at) <= now,
                col(Delivery.expires_at) <= now,
                col(Delivery.planned_for) != revision,
            ),
        )
        .order_by(col(Delivery.id))
    )


async def _ask_again(db: AsyncSession, delivery: Delivery, setting: Setting, now: datetime) -> None:
    message = await db.get_one(Message, delivery.message_id)
    version = await db.get_one(RuleVersion, delivery.rule_version_id)
    gate = gates.judge(
        rule=version.as_value(""),
        urgent=delivery.facts["urgent"],
        has_links=bool(delivery.facts["links"]),
        settings=setting.as_value(),
        now=now,
        arrived_at=message.internal_at,
    )
    delivery.planned_for, delivery.reason = setting.revision, gate.reason.to_json()
    delivery.release_at, delivery.expires_at = gate.release_at, gate.expires_at
    if gate.action is Action.SEND:
        delivery.state, delivery.due_at = DeliveryState.PENDING, now
        delivery.facts = {
            **delivery.facts,
            "window_start": gate.window_start_text,
            "window_end": gate.window_end_text,
        }
    elif gate.action is Action.DROP:
        delivery.state, delivery.finished_at = DeliveryState.DROPPED, now
