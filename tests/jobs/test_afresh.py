"""A mail sent once more by the rules as they are now, beside what was made of it when it came."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import col, select

from app.jobs.afresh import Plan, plan, send
from app.jobs.letter import stored_letter
from app.models import Delivery, DeliveryState, Endpoint, GroupMark, LogEvent, Message, Rule, RuleVersion
from app.models.invariants import broken_invariants
from app.rules.verdict import Verdict
from tests.jobs.conftest import World
from tests.jobs.replays import arrived, deliveries, lots
from tests.letters import newsletter

EVERYTHING = {
    "conditions": {"mode": "all", "items": [{"field": "subject", "operator": "present", "values": []}]}
}


async def planned(world: World, message_id: int = 1) -> Plan:
    letter = await stored_letter(world.context.database, message_id, world.context.parser)
    assert letter
    async with world.context.database.reading() as db:
        return await plan(db, letter, by="ada", now=world.clock())


async def send_afresh(world: World, message_id: int = 1) -> Sequence[Delivery]:
    letter = await stored_letter(world.context.database, message_id, world.context.parser)
    assert letter
    async with world.context.database.transaction() as db:
        sent = await plan(db, letter, by="ada", now=world.clock())
        await send(db, sent, by="ada", now=world.clock())
        return sent.made


async def amend(world: World, **changes: Any) -> None:  # noqa: ANN401 - a rule's definition
    """Save every rule anew, with this in its definition."""
    async with world.context.database.transaction() as db:
        for rule, version in await Rule.listed(db):
            endpoint_ids = changes.get("endpoint_ids", version.endpoint_ids)
            definition = {**version.definition, **{k: v for k, v in changes.items() if k != "endpoint_ids"}}
            rule.version += 1
            known = version.model_dump(exclude={"id"}) | {"number": rule.version, "definition": definition}
            db.add(RuleVersion(**known | {"endpoint_ids": endpoint_ids}))


async def test_what_the_rules_send_now_goes_beside_what_they_sent_then(world: World) -> None:
    await lots(world, 1)
    before = await world.one(Message)
    await amend(world, template='{"lot": "{{subject}}"}')
    (copy,) = await send_afresh(world)
    await world.deliver()
    first, again = world.sink.seen
    assert again.json == {"lot": first.json["subject"]}
    original, made = await deliveries(world)
    assert (made.occurrence, made.state, made.id) == (1, DeliveryState.SENT, copy.id)
    assert made.rule_version_id > original.rule_version_id
    assert made.webhook_id != original.webhook_id
    after = await world.one(Message)
    assert (after.verdict, after.steps, after.decided_at) == (
        before.verdict,
        before.steps,
        before.decided_at,
    )


async def test_it_goes_to_the_receivers_of_now_and_breaks_no_invariant(world: World) -> None:
    await lots(world, 1)
    async with world.context.database.transaction() as db:
        known = (await db.get_one(Endpoint, 1)).model_dump(exclude={"id"})
        db.add(Endpoint(**known | {"name": "a second one"}))
    await amend(world, endpoint_ids=[1, 2])
    made = await send_afresh(world)
    assert [(one.endpoint_id, one.occurrence) for one in made] == [(1, 1), (2, 1)]
    assert (await world.one(Message)).expected_deliveries == 1
    await world.deliver()
    async with world.context.database.reading() as db:
        assert set((await broken_invariants(db)).values()) == {0}


async def test_a_mail_that_no_rule_took_may_be_taken_now_and_its_verdict_stays_readable(
    world: World,
) -> None:
    world.arrives(newsletter())
    await world.poll()
    await world.decide()
    assert not (await planned(world)).going
    await amend(world, **EVERYTHING, links_required=False)
    made = await send_afresh(world)
    await world.deliver()
    message = await world.one(Message)
    assert (message.verdict, message.expected_deliveries) == (Verdict.IGNORE, 0)
    assert {one.occurrence for one in made} == {1}
    async with world.context.database.reading() as db:
        assert set((await broken_invariants(db)).values()) == {0}


async def test_the_mirror_gets_its_copy_each_time(world: World) -> None:
    async with world.context.database.transaction() as db:
        known = (await db.get_one(Endpoint, 1)).model_dump(exclude={"id"})
        db.add(Endpoint(**known | {"name": "mirror"}))
    await world.set(mirror_id=2)
    await lots(world, 1)
    for _ in range(2):
        await send_afresh(world)
        await world.deliver()
    places = [(one.endpoint_id, one.occurrence) for one in await deliveries(world)]
    assert sorted(places) == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)]


async def test_that_another_mail_speaks_for_its_group_does_not_hold_it_back(world: World) -> None:
    await lots(world, 7, 7)
    first, second = await world.rows(Message)
    assert (first.verdict, second.verdict) == (Verdict.DELIVER, Verdict.DUPLICATE)
    (made,) = await send_afresh(world, 2)
    await world.deliver()
    assert arrived(world) == [7, 7]
    assert made.message_id == second.id
    assert [one.message_id for one in await world.rows(GroupMark)] == [second.id]


async def test_the_time_does_not_hold_it_back_and_the_plan_says_what_would_have(world: World) -> None:
    await lots(world, 1)
    await world.set(absence_enabled=True, absence_days=["monday"])
    (outcome,) = (await planned(world)).going
    assert (outcome.verdict, outcome.reason.code) == (Verdict.HOLD, "absence_day")
    await send_afresh(world)
    await world.deliver()
    assert arrived(world) == [1, 1]


async def test_what_a_rule_wants_of_the_mail_itself_still_counts(world: World) -> None:
    world.arrives(newsletter())
    await world.poll()
    await world.decide()
    await amend(world, **EVERYTHING, links_required=True)
    found = await planned(world)
    assert not found.going
    assert {one.reason.code for one in found.staying} == {"no_links"}


async def test_a_sender_that_is_not_on_the_list_any_more_stays_out(world: World) -> None:
    await lots(world, 1)
    mailbox = await world.mailbox()
    await world.change(type(mailbox), senders=["somebody@example.org"])
    found = await planned(world)
    assert not found.going
    assert found.rehearsal.reason.code == "sender_not_listed"


async def test_a_later_send_anyway_meets_no_number_that_is_taken(world: World) -> None:
    await lots(world, 7, 7)
    await send_afresh(world, 2)
    async with world.context.database.transaction() as db:
        (await db.get_one(Message, 2)).try_again(world.clock())
    await world.decide()
    await world.deliver()
    rows = [one for one in await deliveries(world) if one.message_id == 2]
    assert sorted(one.occurrence for one in rows) == [0, 1]
    async with world.context.database.reading() as db:
        events = (await db.exec(select(LogEvent.event).order_by(col(LogEvent.id)))).all()
        assert "mail sent by today's rules" in events
        assert set((await broken_invariants(db)).values()) == {0}
