"""Mail that ends parsers and processes, and clocks that were wrong: the others go on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.demo.letters import Occasion, price_list
from app.integrations.errors import Failure, IntegrationError
from app.integrations.parsed import ParsedHeaders
from app.integrations.parser import Parser
from app.jobs.border import guarded
from app.jobs.decide import MOST_TRIES, decide_waiting, give_back_decisions, give_back_own
from app.jobs.owner import machine
from app.jobs.poll import due_polls
from app.jobs.sweep import sweep
from app.models import Decision, Delivery, Message, MessageState
from app.rules.verdict import Verdict
from tests.jobs.conftest import World
from tests.letters import a_mail, matching, newsletter, with_link


async def test_a_mail_that_breaks_the_parser_is_set_aside_and_the_next_one_goes_on(world: World) -> None:
    world.arrives(price_list(Occasion(at=world.clock(), lot=1, token="made-up")), matching())
    await world.poll()
    await world.decide()
    broken, sound = await world.rows(Message)
    assert (broken.state, broken.decide_tries) == (MessageState.QUARANTINED, MOST_TRIES)
    assert broken.reason == {"code": "unparsable", "facts": {"detail": "parser_failed", "tries": MOST_TRIES}}
    assert sound.state is MessageState.DECIDED


class Doomed(Parser):
    """A parser whose process is killed from outside so many times while it reads headers."""

    def __init__(self, deaths: int) -> None:
        super().__init__()
        self._deaths = deaths

    async def headers(self, blocks: Sequence[bytes]) -> list[ParsedHeaders]:
        if self._deaths:
            self._deaths -= 1
            raise IntegrationError(Failure.PARSER_FAILED, "ended with -9")
        return await super().headers(blocks)


@pytest.mark.parametrize("deaths", [1, 2])
async def test_a_parser_that_is_killed_while_it_reads_headers_costs_no_mail(
    world: World, deaths: int
) -> None:
    world.arrives(matching())
    async with Doomed(deaths) as parser:
        await world.poll(parser=parser)
    await world.decide()
    message = await world.one(Message)
    assert (message.state, message.subject != "") == (MessageState.DECIDED, True)


async def test_what_a_dead_process_was_deciding_is_decided_by_the_next(world: World) -> None:
    world.arrives(matching())
    await world.poll()
    await world.change(
        Message,
        decide_owner=f"{machine()}/worker/999999999/1",
        decide_at=world.clock() + timedelta(seconds=60),
    )
    await world.decide()
    assert (await world.one(Message)).state is MessageState.STORED
    await sweep(world.context)
    await world.decide()
    message = await world.one(Message)
    assert (message.state, message.decide_tries) == (MessageState.DECIDED, 1)


@pytest.mark.parametrize("deaths", [3])
async def test_a_mail_that_processes_die_of_is_quarantined(world: World, deaths: int) -> None:
    world.arrives(matching())
    await world.poll()
    for _ in range(deaths):
        await world.change(Message, decide_owner="a process that died")
        async with world.context.database.transaction() as db:
            await give_back_decisions(db, {"a process that died"}, world.clock())
    await sweep(world.context)
    message = await world.one(Message)
    assert message.state is MessageState.QUARANTINED
    assert message.reason
    assert message.reason["code"] == "parser_killed"


async def test_a_mail_that_breaks_the_deciding_takes_no_other_along(world: World) -> None:
    world.arrives(matching(1), matching(2), matching(3))
    await world.poll()
    async with world.context.database.transaction() as db:
        reason = {"code": "no_rule", "facts": {}}
        stray = Decision(  # what no code had thought of: the row that deciding is about to write
            message_id=2,
            rule_id=1,
            rule_version_id=1,
            position=0,
            matched=False,
            reason=reason,
            steps=[],
            created_at=world.clock(),
        )
        db.add(stray)
    for _ in range(6):
        await guarded("decide", world.decide, failed=partial(give_back_own, world.context))
        await sweep(world.context)
    assert [message.state for message in await world.rows(Message)] == [
        MessageState.DECIDED,
        MessageState.QUARANTINED,
        MessageState.DECIDED,
    ]


async def test_a_database_that_is_full_is_counted_against_no_mail(world: World) -> None:
    world.arrives(a_mail("long", "x" * 300_000), a_mail("as long", "y" * 300_000))
    await world.poll()
    await _run(world, "PRAGMA max_page_count = 1")  # it takes not one page more
    for _ in range(MOST_TRIES):
        await guarded("decide", world.decide, failed=partial(give_back_own, world.context))
        await sweep(world.context)
    assert {message.state for message in await world.rows(Message)} == {MessageState.STORED}
    await _run(world, "PRAGMA max_page_count = 1000000")
    assert [message.decide_tries for message in await world.rows(Message)] == [0, 0]
    await world.decide()
    assert {message.state for message in await world.rows(Message)} == {MessageState.DECIDED}


async def test_the_sources_of_mail_are_read_one_by_one_and_not_under_the_write_lock(world: World) -> None:
    world.arrives(matching(1), matching(2))
    await world.poll()
    written, read = _statements(world.context.database._writer), _statements(world.context.database._reader)  # noqa: SLF001
    await world.decide()
    assert [statement for statement in written if "raw.body" in statement] == []
    assert len([statement for statement in read if "raw.body" in statement]) == 2


def _statements(engine: AsyncEngine) -> list[str]:
    """What this engine executes from now on."""
    seen: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    return seen


async def _run(world: World, statement: str) -> None:
    async with world.context.database.transaction() as db:
        await (await db.connection()).execute(text(statement))


async def test_a_mail_stored_by_a_clock_that_ran_ahead_is_decided_all_the_same(world: World) -> None:
    world.clock.pass_(days=3650)
    world.arrives(matching())
    await world.poll()
    world.clock.pass_(days=-3650)
    await sweep(world.context)
    await world.decide()
    assert (await world.one(Message)).state is MessageState.DECIDED
    world.arrives(matching())
    assert await due_polls(world.context) == [(1, None)]
    await world.poll()
    assert len(await world.rows(Message)) == 2


async def test_what_follows_a_slow_mail_in_its_batch_is_given_back_uncounted(world: World) -> None:
    world.arrives(matching(1), slow(), matching(2), newsletter())
    await world.poll()
    assert await decide_waiting(world.context, parsing_time=0)
    messages = await world.rows(Message)
    assert [message.state for message in messages] == [MessageState.DECIDED, *[MessageState.STORED] * 3]
    assert [(message.decide_owner, message.decide_at, message.decide_tries) for message in messages[1:]] == [
        (None, world.clock(), 0)
    ] * 3
    assert await decide_waiting(world.context, parsing_time=60)
    assert {message.state for message in await world.rows(Message)} == {MessageState.DECIDED}


async def test_what_follows_slow_rules_in_its_batch_is_given_back_uncounted(world: World) -> None:
    world.arrives(matching(1), matching(1), newsletter(), with_link())
    await world.poll()
    assert await decide_waiting(world.context, judging_time=0)
    messages = await world.rows(Message)
    assert [message.state for message in messages] == [MessageState.DECIDED, *[MessageState.STORED] * 3]
    assert [(message.decide_owner, message.decide_at, message.decide_tries) for message in messages[1:]] == [
        (None, world.clock(), 0)
    ] * 3
    while await decide_waiting(world.context, judging_time=0):
        pass
    messages = await world.rows(Message)
    assert [message.verdict for message in messages] == [
        Verdict.DELIVER,
        Verdict.DUPLICATE,
        Verdict.IGNORE,
        Verdict.DELIVER,
    ]
    assert len(await world.rows(Delivery)) == 2


async def test_a_mail_that_is_too_slow_is_tried_again_after_those_that_followed_it(world: World) -> None:
    world.arrives(slow(), matching(1), matching(2))
    await world.poll()
    async with Parser(time_limit=0.0001) as hurried:
        await decide_waiting(replace(world.context, parser=hurried), parsing_time=0)
    assert [message.decide_tries for message in await world.rows(Message)] == [1, 0, 0]
    assert await decide_waiting(world.context)
    assert [message.state for message in await world.rows(Message)] == [
        MessageState.STORED,
        MessageState.DECIDED,
        MessageState.DECIDED,
    ]
    await world.decide()
    assert {message.state for message in await world.rows(Message)} == {MessageState.DECIDED}


def slow() -> bytes:
    """A mail whose HTML nests as deep as is read."""
    return matching().replace(b"text/plain", b"text/html") + b"<b><i><p>" * 120_000
