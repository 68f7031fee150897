"""A mail sent once more by the rules as they are now, beside what was made of it when it came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.copies import add_further
from app.jobs.letter import Letter
from app.jobs.marks import Marks
from app.jobs.mirror import copy_of
from app.jobs.rehearse import Rehearsal, rehearse, with_webhooks
from app.jobs.verdict import delivery_of
from app.models import Delivery, Endpoint, LogEvent, Message, Setting
from app.rules.decide import Outcome
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
    receivers: Mapping[int, Endpoint] = field(default_factory=dict)  # of what is made, by their ids
    earlier: int = 0  # deliveries that it has already

    @property
    def signature(self) -> str:
        """Tell two plans apart: which version of which rule sends it to whom and where, and after what."""
        places = [
            f"{one.rule_version_id} {one.endpoint_id} {self.receivers[one.endpoint_id].url}"
            for one in self.made
        ]
        return sha256("\n".join([str(self.earlier), *places]).encode()).hexdigest()[:16]

    @property
    def moved(self) -> list[Endpoint]:
        """Name the receivers whose address was changed after the mail came."""
        came = self.rehearsal.letter.message.stored_at
        return [endpoint for endpoint in self.receivers.values() if endpoint.moved_after(came)]


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
        delivery_of(letter.message, judgement, _at_once(one), endpoint_id=endpoint_id, now=now)
        for one in going
        for endpoint_id in receivers[one.rule_id]
    ]
    setting = await Setting.load(db)
    mirrored = copy_of(made, setting)
    made += [mirrored] if mirrored else []
    for delivery in made:
        delivery.planned_for, delivery.reason = setting.revision, Reason("judged_again", {"by": by}).to_json()
    return Plan(
        rehearsal=rehearsal,
        going=going,
        made=made,
        staying=[one for one in judgement.outcomes if one.matched and one not in going],
        receivers=await _receivers(db, made),
        earlier=(await db.exec(select(func.count()).where(Delivery.message_id == letter.message.id))).one(),
    )


async def send(db: AsyncSession, planned: Plan, *, by: str, now: datetime) -> None:
    """Make the deliveries of a plan; the mail's own verdict, and what it counts, stay as they were."""
    message_id = planned.rehearsal.letter.message.id or 0
    await add_further(db, planned.made)
    groups = {one.group for one in planned.going if one.group is not None}
    marks = await Marks.load(db, groups, now)
    for group in groups:
        marks.set(db, group, message_id)
    db.add(LogEvent(at=now, event=ASKED, subject=by, facts={"count": len(planned.made)}))
    await db.flush()


def _goes(outcome: Outcome) -> bool:
    return outcome.verdict is Verdict.DELIVER or outcome.reason.code != NO_LINKS


def _at_once(outcome: Outcome) -> Outcome:
    """Let it go whatever it was to wait for."""
    return replace(outcome, verdict=Verdict.DELIVER, dropped=False, release_at=None, expires_at=None)


async def _receivers(db: AsyncSession, made: Sequence[Delivery]) -> dict[int, Endpoint]:
    ids = {delivery.endpoint_id for delivery in made}
    query = select(Endpoint).where(col(Endpoint.id).in_(ids)).order_by(col(Endpoint.id))
    return {endpoint.id or 0: endpoint for endpoint in (await db.exec(query)).all()}
