"""A draft is tried over the mail that came, and nothing but its own rows shows that it was."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis
from sqlmodel import select

from app.events import Event
from app.integrations.parser import Parser
from app.jobs.compare import marks_of
from app.jobs.trial import KEPT, next_trial
from app.models import (
    Change,
    Delivery,
    DeliveryState,
    GroupMark,
    Message,
    Raw,
    Rule,
    RuleVersion,
    Run,
    RunState,
    TrialResult,
    metadata,
)
from app.models.setting import Sending
from app.rules.condition import Condition, Field, Group, Operator
from app.rules.group import GroupKey
from app.rules.rule import Action
from app.rules.rule import Rule as RuleValue
from tests.jobs.conftest import World
from tests.jobs.trials import a_day, about, ask, counts, found, many, tried
from tests.letters import a_mail, matching, newsletter, with_link
from tests.servers import Redis as Server

MAY_CHANGE = {"run", "trial_result", "log_event"}


async def test_a_new_rule_gains_what_no_rule_wanted(world: World) -> None:
    await a_day(world)
    run = await tried(world, about("facture"))
    assert (run.state, run.total, run.done) == (RunState.DONE, 4, 4)
    assert counts(run) == {"unchanged": 3, "gained": 1}
    assert await found(world, run) == {"Facture 12": Change.GAINED}
    result = await world.one(TrialResult)
    assert result.live["reason"]["code"] == "no_rule_matched"
    assert result.draft["receivers"] == [{"id": 1, "name": "127.0.0.1"}]
    assert (result.draft["verdict"], result.draft["rule"], result.draft["rule_id"]) == (
        "deliver",
        "About facture",
        0,
    )


async def test_a_draft_stands_where_its_rule_stands(world: World) -> None:
    await a_day(world)
    run = await tried(world, about("facture", id=1))
    assert await found(world, run) == {
        "Facture 12": Change.GAINED,
        # without the rule before it, the mission is any mail with a link
        "Média Solution - Missions Recadrage - Lot 42": Change.CHANGED,
    }


async def test_a_draft_that_takes_less_loses_mail(world: World) -> None:
    await a_day(world)
    run = await tried(world, about("nothing at all", id=3))
    assert await found(world, run) == {"Fichiers": Change.LOST}
    assert (await world.one(TrialResult)).draft["reason"]["code"] == "no_rule_matched"


async def test_another_body_is_a_change_and_the_same_rule_is_none(world: World) -> None:
    await a_day(world)
    async with world.context.database.reading() as db:
        *_, links = await Rule.in_force(db)
    definition = {**links.definition(), "template": '{"about": "{{subject}}"}'}
    other = RuleValue.from_definition(
        id=3, version_id=0, name=links.name, endpoint_ids=(1,), definition=definition
    )
    assert await found(world, await tried(world, other)) == {"Fichiers": Change.CHANGED}
    assert await found(world, await tried(world, links)) == {}


async def test_nothing_but_its_own_rows_shows_that_it_ran(world: World) -> None:
    world.arrives(matching(7), matching(7), with_link(), newsletter(), a_mail("Facture 12", "Ci-joint."))
    await world.settle()
    async with world.context.database.transaction() as db:
        (await db.get_one(Raw, 5)).headers = None  # of a time that did not keep them
    before, sent = await everything(world), len(world.sink.seen)
    run = await tried(world, about("", id=3, group="month", template='{"about": "{{subject}}"}'))
    assert run.state is RunState.DONE
    await world.settle()
    assert await everything(world) == before
    assert len(world.sink.seen) == sent


async def everything(world: World) -> dict[str, list[Any]]:
    """Every row of every table that a trial has no business with."""
    async with world.context.database.reading() as db:
        connection = await db.connection()
        return {
            name: sorted(map(repr, (await connection.execute(table.select())).all()))
            for name, table in metadata.tables.items()
            if name not in MAY_CHANGE | {"mailbox", "folder"}  # polled in between
        }


async def test_each_side_keeps_its_own_marks_of_groups(world: World) -> None:
    world.arrives(*(a_mail("Facture 12", f"Relance {number}") for number in range(3)))
    await world.poll()
    await world.decide()
    run = await tried(world, about("facture", group="days:2"))
    assert counts(run) == {"gained": 1, "changed": 2}
    twice = [one.draft for one in await world.rows(TrialResult)][1:]
    assert [one["reason"]["facts"]["message_id"] for one in twice] == [1, 1]
    assert [marks_of(one) for one in twice] == [{group_of_draft(twice[0]): 1}] * 2


def group_of_draft(side: dict[str, Any]) -> GroupKey:
    facts = side["reason"]["facts"]
    return GroupKey(rule_id=0, scope=facts["scope"], group=facts["group"])


async def test_a_mark_of_some_days_ends_in_a_trial_too(world: World) -> None:
    for _ in range(2):
        world.arrives(a_mail("Facture 12", "Relance"))
        await world.poll()
        await world.decide()
        world.clock.pass_(days=3)
    run = await tried(world, about("facture", group="days:2"))
    assert counts(run) == {"gained": 2}


async def test_a_mail_from_before_these_days_speaks_for_its_group_in_them(world: World) -> None:
    for _ in range(2):
        world.arrives(matching(42))
        await world.settle()
        world.clock.pass_(days=3)
    assert counts(await tried(world, await without_group(world), days=4)) == {"gained": 1}
    (result,) = await world.rows(TrialResult)
    assert (result.live["verdict"], result.draft["verdict"]) == ("duplicate", "deliver")
    assert list(marks_of(result.live).values()) == [1]


async def test_a_mark_of_before_counts_no_longer_than_its_days_and_its_delivery(world: World) -> None:
    await world.change(
        RuleVersion, definition=(await without_group(world)).definition() | {"group": "days:4"}
    )
    for _ in range(2):
        world.arrives(matching(42))
        await world.settle()
        world.clock.pass_(days=3)
    assert counts(await tried(world, await without_group(world), days=4)) == {"gained": 1}
    await world.change(GroupMark, expires_at=world.clock() - timedelta(days=3))
    assert counts(await tried(world, await without_group(world), days=4)) == {"unchanged": 1}
    await world.change(GroupMark, expires_at=world.clock())
    await world.change(Delivery, state=DeliveryState.FAILED)
    assert counts(await tried(world, await without_group(world), days=4)) == {"unchanged": 1}


async def test_who_insisted_on_a_mail_is_told_of_no_group(world: World) -> None:
    world.arrives(matching(42), matching(42))
    await world.settle()
    draft = await without_group(world)
    assert counts(await tried(world, draft)) == {"gained": 1, "unchanged": 1}
    await world.change(Message, insisted=True)
    assert counts(await tried(world, draft)) == {"unchanged": 2}


async def without_group(world: World) -> RuleValue:
    """A draft of the first rule that sends every mail of a group."""
    async with world.context.database.reading() as db:
        return replace((await Rule.in_force(db))[0], group="none")


async def test_a_pause_of_today_hides_no_window(world: World) -> None:
    await a_day(world)
    await world.set(window_start="1h00", window_end="2h00")
    async with world.context.database.reading() as db:
        links = (await Rule.in_force(db))[2]
    draft = replace(links, policy=replace(links.policy, before=Action.DROP, after=Action.DROP))
    assert counts(await tried(world, draft)) == {"lost": 1, "unchanged": 3}
    await world.set(sending=Sending.PAUSED)
    assert counts(await tried(world, draft)) == {"lost": 1, "unchanged": 3}


async def test_each_mail_is_judged_at_its_own_time(world: World) -> None:
    await world.set(window_start="9h00", window_end="18h00")
    await a_day(world)
    world.clock.pass_(hours=9)
    run = await tried(world, about("facture"))
    assert (await world.one(TrialResult)).draft["verdict"] == "deliver"
    assert run.details["counts"]["unchanged"] == 3


async def test_mail_from_before_these_days_is_left_alone(world: World) -> None:
    await a_day(world)
    world.clock.pass_(days=3)
    world.arrives(a_mail("Facture 13", "Ci-joint."))
    await world.poll()
    assert (await tried(world, about("facture"), days=2)).total == 1
    assert (await tried(world, about("facture"), days=4)).total == 5


async def test_mail_whose_texts_were_not_kept_is_read_again_and_not_kept(world: World) -> None:
    await a_day(world)
    async with world.context.database.transaction() as db:
        for raw in (await db.exec(select(Raw))).all():
            raw.text = raw.headers = None
    header = Condition(field=Field.HEADER, operator=Operator.EQUALS, values=("1.0",), header="mime-version")
    run = await tried(world, about("", conditions=Group(items=(header,))))
    assert counts(run) == {"gained": 2, "changed": 1, "unchanged": 1}
    assert [raw.text for raw in await world.rows(Raw)] == [None] * 4


async def test_a_mail_that_no_parser_can_read_is_counted_and_passed_over(world: World) -> None:
    await a_day(world)
    async with world.context.database.transaction() as db:
        (await db.get_one(Raw, 1)).text = None
    number = await ask(world, about("facture"))
    async with Parser(time_limit=0.0) as parser:
        await next_trial(replace(world.context, parser=parser))
    run = await world.one(Run)
    assert (run.id, run.state, run.done) == (number, RunState.DONE, 4)
    assert counts(run) == {"unread": 1, "gained": 1, "unchanged": 2}


async def test_a_duplicate_is_not_asked_about_twice(world: World) -> None:
    mail = a_mail("Facture 12", "Ci-joint.")
    world.arrives(mail, mail)
    await world.poll()
    await world.decide()
    assert (await tried(world, about("facture"))).total == 1


async def test_a_trial_tells_how_far_it_is(world: World, redis: Server) -> None:
    await many(world, 120)
    client = Redis.from_url(redis.url)
    heard = client.pubsub()
    await heard.subscribe("signal:events")
    run = await tried(world, about("facture"))
    told = []
    while (said := await heard.get_message(timeout=0.2)) is not None:
        told += [said["data"].decode()] if said["type"] == "message" else []
    await heard.aclose()
    await client.aclose()
    assert run.done == 124
    assert told.count(Event.RUN_CHANGED) >= 4
    assert set(told) == {Event.RUN_CHANGED}


async def test_the_last_twenty_trials_are_kept(world: World) -> None:
    await a_day(world)
    for _ in range(KEPT + 2):
        await tried(world, about("facture"))
    assert len(await world.rows(Run)) == KEPT
    assert len(await world.rows(TrialResult)) == KEPT


async def test_settings_of_today_hold_for_the_mail_of_yesterday(world: World) -> None:
    await a_day(world)
    await world.set(exclude_keywords=["ci-joint"])
    run = await tried(world, about("facture"))
    assert counts(run) == {"unchanged": 4}
