"""Write down what the rules said of a mail: verdict, decisions, links, deliveries and group marks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs.body import facts_of
from app.jobs.marks import LIVE, Marks
from app.jobs.mirror import copy_of, made_before
from app.models import Decision, Delivery, DeliveryState, Link, Message, MessageState, Setting
from app.models.delivery import new_webhook_id
from app.rules.decide import Judgement, Outcome, decide, groups_of
from app.rules.mail import Mail
from app.rules.rule import Rule
from app.rules.settings import Settings
from app.rules.verdict import Mark, Reason, Step, Verdict

FREE = "group_free"


async def record(
    db: AsyncSession,
    message: Message,
    mail: Mail,
    *,
    rules: Sequence[Rule],
    setting: Setting,
    marks: Marks,
    now: datetime,
) -> None:
    """Judge one mail and write all of it into the caller's transaction."""
    judgement = judge(message, mail, rules=rules, settings=setting.as_value(), marks=marks, now=now)
    if message.expected_deliveries:
        await _record_rest(db, message, judgement, rules=rules, setting=setting, marks=marks, now=now)
        return
    if message.steps:
        await _forget(db, message)
    message.settle(MessageState.DECIDED, judgement.verdict, judgement.reason.to_json(), now)
    insisted = [Step(Reason("insisted"), Mark.NOTED)] if message.insisted else []
    message.steps = [step.to_json() for step in (*insisted, *judgement.steps)]
    db.add_all(_links(message, judgement))
    for position, outcome in enumerate(judgement.outcomes):
        db.add(_decision(message, outcome, position, now))
    made = _deliver(db, message, judgement, rules=rules, setting=setting, marks=marks, now=now)
    _mirror(db, message, copy_of(made, setting))


async def _record_rest(
    db: AsyncSession,
    message: Message,
    judgement: Judgement,
    *,
    rules: Sequence[Rule],
    setting: Setting,
    marks: Marks,
    now: datetime,
) -> None:
    """Write only of the rules that had no receiver when the mail was decided; the others have sent theirs."""
    query = select(Decision).where(Decision.message_id == message.id, Decision.owed())
    owed = {decision.rule_id: decision for decision in (await db.exec(query)).all()}
    rest = replace(judgement, outcomes=tuple(one for one in judgement.outcomes if one.rule_id in owed))
    for outcome in rest.outcomes:
        fresh = _decision(message, outcome, owed[outcome.rule_id].position, now)
        owed[outcome.rule_id].sqlmodel_update(fresh.model_dump(exclude={"id"}))
    message.state, message.decided_at = MessageState.DECIDED, now
    message.decide_owner = message.decide_at = None
    earlier = await made_before(db, message.id)
    made = _deliver(db, message, rest, rules=rules, setting=setting, marks=marks, now=now)
    _mirror(db, message, copy_of(made, setting, earlier=earlier))


def _deliver(
    db: AsyncSession,
    message: Message,
    judgement: Judgement,
    *,
    rules: Sequence[Rule],
    setting: Setting,
    marks: Marks,
    now: datetime,
) -> list[Delivery]:
    """Make the deliveries that these outcomes ask for, and set the marks of their groups."""
    targets = {rule.id: rule.endpoint_ids for rule in rules}
    all_made: list[Delivery] = []
    for outcome in judgement.outcomes:
        wanted = targets[outcome.rule_id] if outcome.dropped or outcome.verdict in _STATES else ()
        made = [
            delivery_of(message, judgement, outcome, endpoint_id=endpoint_id, now=now)
            for endpoint_id in wanted
        ]
        for delivery in made:
            delivery.planned_for = setting.revision
        if outcome.group is not None and any(delivery.state in LIVE for delivery in made):
            marks.set(db, outcome.group, message.id or 0)
        db.add_all(made)
        message.expected_deliveries += len(made)
        all_made += made
    return all_made


def _mirror(db: AsyncSession, message: Message, copy: Delivery | None) -> None:
    """Make the mirror's copy after everything else: nothing else depends on it."""
    if copy is not None:
        db.add(copy)
        message.expected_deliveries += 1


def judge(
    message: Message,
    mail: Mail,
    *,
    rules: Sequence[Rule],
    settings: Settings,
    marks: Marks,
    now: datetime,
) -> Judgement:
    """Say what the rules make of it; who insists is not told that another mail speaks for its group."""
    keys = () if message.insisted else groups_of(mail, rules, settings, now)
    return decide(
        mail=mail, rules=rules, settings=settings, marks=marks.speaking(keys, message.id or 0), now=now
    )


async def _forget(db: AsyncSession, message: Message) -> None:
    """Clear what an earlier judgement of a mail without deliveries left behind."""
    for table in (Decision, Link):
        await db.exec(delete(table).where(col(table.message_id) == message.id))


def _links(message: Message, judgement: Judgement) -> list[Link]:
    links = [*judgement.links, *judgement.uploads]
    return [
        Link(
            message_id=message.id or 0,
            position=position,
            provider=link.provider,
            raw_url=link.raw_url,
            upload=link.upload,
        )
        for position, link in enumerate(links)
    ]


def _decision(message: Message, outcome: Outcome, position: int, now: datetime) -> Decision:
    return Decision(
        message_id=message.id or 0,
        rule_id=outcome.rule_id,
        rule_version_id=outcome.version_id,
        position=position,
        matched=outcome.matched,
        verdict=outcome.verdict,
        reason=outcome.reason.to_json(),
        # who insists has not looked at the group, so nothing is said of it
        steps=[
            step.to_json() for step in outcome.steps if not (message.insisted and step.reason.code == FREE)
        ],
        created_at=now,
    )


def delivery_of(
    message: Message, judgement: Judgement, outcome: Outcome, *, endpoint_id: int, now: datetime
) -> Delivery:
    """Make the delivery that an outcome asks for."""
    state = DeliveryState.DROPPED if outcome.dropped else _STATES[outcome.verdict]
    return Delivery(
        webhook_id=new_webhook_id(),
        message_id=message.id or 0,
        rule_id=outcome.rule_id,
        rule_version_id=outcome.version_id,
        endpoint_id=endpoint_id,
        state=state,
        reason=outcome.reason.to_json(),
        facts=facts_of(judgement, outcome),
        priority=outcome.priority.rank,
        due_at=now,
        release_at=outcome.release_at,
        expires_at=outcome.expires_at,
        created_at=now,
        finished_at=now if state is DeliveryState.DROPPED else None,
    )


_STATES: dict[Verdict | None, DeliveryState] = {
    Verdict.DELIVER: DeliveryState.PENDING,
    Verdict.HOLD: DeliveryState.HELD,
}
