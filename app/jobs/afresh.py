"""A mail sent once more by the rules as they are now, beside what was made of it when it came."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.body import facts_of
from app.jobs.copies import next_occurrence
from app.jobs.letter import Letter
from app.jobs.marks import Marks
from app.jobs.mirror import copy_of
from app.jobs.rehearse import Rehearsal, rehearse, with_webhooks
from app.models import Delivery, DeliveryState, LogEvent, Message, Setting
from app.rules.decide import Judgement, Outcome
from app.rules.verdict import Reason, Verdict

ASKED = "mail sent by today's rules"
NO_LINKS = "no_links"  # what a rule asks of the mail itself; every other gate asks whether the time is right


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the rules of this moment would send, and what they would keep although they took the mail.

    `made` are rows of no table yet; the copy for the mirror is among them.
    """

    rehearsal: Rehearsal
    going: Sequence[Outcome]
    made: Sequence[Delivery]
    staying: Sequence[Outcome]
    earlier: int = 0  # deliveries that it has already

    @property
    def signature(self) -> str:
        """Tell two plans apart: which version of which rule sends it to whom, and after what."""
        return ".".join(
            [str(self.earlier), *(f"{one.rule_version_id}-{one.endpoint_id}" for one in self.made)]
        )


async def plan(db: AsyncSession, letter: Letter, *, by: str, now: datetime) -> Plan:
    """Judge it as production does; who insists is not told that another mail speaks for it (D10).

    The gates that ask for the time are passed, as they are when a delivery is sent again.
    """
    insisted = Message(**letter.message.model_dump() | {"insisted": True})  # a row of no table
    rehearsal = await rehearse(db, replace(letter, message=insisted), now=now)
    if rehearsal.refusal is not None:
        return Plan(rehearsal=rehearsal, going=(), made=(), staying=())
    judgement, receivers = rehearsal.judgement, {rule.id: rule.endpoint_ids for rule in rehearsal.rules}
    going = [one for one in with_webhooks(judgement, rehearsal.rules) if _goes(one)]
    made = [
        _delivery(letter.message, judgement, one, endpoint_id=endpoint_id, now=now)
        for one in going
        for endpoint_id in receivers[one.rule_id]
    ]
    setting = await Setting.load(db)
    mirrored = copy_of(made, setting)
    for delivery in (*made, *([mirrored] if mirrored else [])):
        delivery.planned_for, delivery.reason = setting.revision, Reason("judged_again", {"by": by}).to_json()
    return Plan(
        rehearsal=rehearsal,
        going=going,
        made=[*made, *([mirrored] if mirrored else [])],
        staying=[one for one in judgement.outcomes if one.matched and one not in going],
        earlier=(await db.exec(select(func.count()).where(Delivery.message_id == letter.message.id))).one(),
    )


async def send(db: AsyncSession, planned: Plan, *, by: str, now: datetime) -> None:
    """Make the deliveries of a plan; the mail's own verdict, and what it counts, stay as they were."""
    message_id = planned.rehearsal.letter.message.id or 0
    for delivery in planned.made:
        delivery.occurrence = await next_occurrence(
            db, message_id, rule_id=delivery.rule_id, endpoint_id=delivery.endpoint_id
        )
        db.add(delivery)
    groups = {one.group for one in planned.going if one.group is not None}
    marks = await Marks.load(db, groups, now)
    for group in groups:
        marks.set(db, group, message_id)
    db.add(LogEvent(at=now, event=ASKED, subject=by, facts={"count": len(planned.made)}))
    await db.flush()


def _goes(outcome: Outcome) -> bool:
    return outcome.verdict is Verdict.DELIVER or outcome.reason.code != NO_LINKS


def _delivery(
    message: Message, judgement: Judgement, outcome: Outcome, *, endpoint_id: int, now: datetime
) -> Delivery:
    return Delivery(
        webhook_id=f"msg_{secrets.token_hex(16)}",
        message_id=message.id or 0,
        rule_id=outcome.rule_id,
        rule_version_id=outcome.version_id,
        endpoint_id=endpoint_id,
        state=DeliveryState.PENDING,
        reason=outcome.reason.to_json(),
        facts=facts_of(judgement, outcome),
        priority=outcome.priority.rank,
        due_at=now,
        created_at=now,
    )
