"""Everything that a folder lists gets a row; nothing is read twice, nothing is passed over."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.jobs.lease import leased
from app.jobs.owner import machine
from app.models import (
    Effect,
    FirstContact,
    Folder,
    Mailbox,
    MailboxState,
    Message,
    MessageState,
    Raw,
)
from app.rules.verdict import Verdict
from tests.jobs.conftest import World
from tests.letters import a_mail, matching, nested, newsletter
from tests.servers.waiting import eventually_async


async def test_every_mail_has_a_row_with_its_source_and_the_mark_moves_along(world: World) -> None:
    world.arrives(matching(), newsletter())
    await world.poll()
    messages = await world.rows(Message)
    assert [message.state for message in messages] == [MessageState.STORED, MessageState.STORED]
    assert [message.sender for message in messages] == ["ann@example.com"] * 2
    folder = await world.one(Folder)
    assert (folder.mark, folder.missing) == (messages[-1].uid, 0)
    assert len(await world.rows(Raw)) == 2


async def test_a_second_poll_finds_nothing_new(world: World) -> None:
    world.arrives(matching())
    await world.poll()
    await world.poll()
    assert len(await world.rows(Message)) == 1


async def test_seen_is_set_after_the_row_is_there(world: World) -> None:
    world.arrives(matching())
    await world.poll()
    assert world.imap.flags(world.user) == ["S"]
    assert (await world.one(Effect)).done_at is not None


async def test_a_mailbox_may_ask_not_to_be_marked(world: World) -> None:
    await world.change(Mailbox, mark_seen=False)
    world.arrives(matching())
    await world.poll()
    assert world.imap.flags(world.user) == [""]
    assert await world.rows(Effect) == []


async def test_at_first_contact_read_mail_is_before_the_start_and_unread_mail_counts(world: World) -> None:
    world.arrives(newsletter(), seen=True)
    world.arrives(matching())
    await world.poll()
    older, newer = await world.rows(Message)
    assert (older.verdict, older.reason, older.subject) == (
        Verdict.IGNORE,
        {"code": "read_before", "facts": {}},
        "Les nouvelles du mois",
    )
    assert newer.state is MessageState.STORED
    assert [raw.message_id for raw in await world.rows(Raw)] == [newer.id]


async def test_from_now_leaves_what_was_there_and_takes_what_comes_read_or_not(world: World) -> None:
    await world.change(Mailbox, first_contact=FirstContact.NOW)
    world.arrives(matching())
    await world.poll()
    world.arrives(matching(), seen=True)
    await world.poll()
    older, newer = await world.rows(Message)
    assert older.reason == {"code": "before_start", "facts": {}}
    assert newer.state is MessageState.STORED


@pytest.mark.parametrize(("day", "taken"), [(date(2020, 1, 1), True), (date(2100, 1, 1), False)])
async def test_since_a_date_goes_by_the_day_of_arrival(world: World, day: date, *, taken: bool) -> None:
    await world.change(Mailbox, first_contact=FirstContact.SINCE, since_on=day)
    world.arrives(matching(), seen=True)
    await world.poll()
    assert ((await world.one(Message)).state is MessageState.STORED) is taken


async def test_a_sender_that_is_not_listed_leaves_headers_and_a_verdict_only(world: World) -> None:
    await world.change(Mailbox, senders=["boss@example.com"])
    world.arrives(matching(), matching(sender="The Boss <BOSS@example.com>"))
    await world.poll()
    stranger, listed = await world.rows(Message)
    assert stranger.reason == {"code": "sender_not_listed", "facts": {"sender": "ann@example.com"}}
    assert stranger.verdict is Verdict.IGNORE
    assert [raw.message_id for raw in await world.rows(Raw)] == [listed.id]
    assert sorted(world.imap.flags(world.user)) == ["", "S"]


async def test_a_mail_that_is_too_large_is_not_fetched(world: World) -> None:
    await world.set(max_email_size_mb=1)
    world.arrives(a_mail("large", "x" * 1_100_000))
    await world.poll()
    message = await world.one(Message)
    assert message.state is MessageState.OVERSIZE
    assert message.reason
    assert message.reason["code"] == "too_large"
    assert await world.rows(Raw) == []


async def test_the_same_mail_twice_is_a_duplicate_of_the_first(world: World) -> None:
    mail = matching(message_id="<same@example.com>")
    world.arrives(mail, mail)
    await world.poll()
    first, second = await world.rows(Message)
    assert (second.verdict, second.duplicate_of) == (Verdict.DUPLICATE, first.id)
    world.arrives(mail)
    await world.poll()
    assert (await world.rows(Message))[2].duplicate_of == first.id


async def test_a_message_id_alone_does_not_make_a_duplicate(world: World) -> None:
    world.arrives(matching(1, message_id="<same@example.com>"), matching(2, message_id="<same@example.com>"))
    await world.poll()
    assert [message.state for message in await world.rows(Message)] == [MessageState.STORED] * 2


async def test_a_wrong_password_is_a_state_of_the_mailbox_and_ends_when_it_is_mended(world: World) -> None:
    right = (await world.mailbox()).password
    await world.change(Mailbox, password=world.context.vault.seal("wrong"))
    await world.poll()
    mailbox = await world.mailbox()
    assert (mailbox.state, mailbox.failures) == (MailboxState.REFUSED, 1)
    assert mailbox.reason
    assert mailbox.reason["code"] == "auth_failed"
    assert mailbox.poll_at > world.clock()
    await world.change(Mailbox, password=right)
    await world.poll()
    assert (await world.mailbox()).state is MailboxState.OK


async def test_a_host_that_does_not_answer_is_a_state_of_the_mailbox(world: World) -> None:
    await world.change(Mailbox, port=1)
    await world.poll()
    mailbox = await world.mailbox()
    assert mailbox.state is MailboxState.FAILING
    assert mailbox.reason
    assert mailbox.reason["code"] == "refused"


async def test_another_key_makes_the_password_unreadable_and_says_so(world: World) -> None:
    await world.change(Mailbox, password=b"sealed by another key")
    await world.poll()
    mailbox = await world.mailbox()
    assert mailbox.reason
    assert mailbox.reason["code"] == "secret_unreadable"


async def test_a_folder_that_somebody_else_reads_is_left_alone(world: World) -> None:
    world.arrives(matching())
    async with leased(world.context, 1) as folder_id:
        assert folder_id is not None
        await world.poll(owner="elsewhere/worker/2/2")
    assert await world.rows(Message) == []
    await world.poll(owner="elsewhere/worker/2/2")
    assert len(await world.rows(Message)) == 1


async def test_the_lease_of_a_dead_process_is_taken_over_at_once(world: World) -> None:
    await world.poll()
    await world.change(
        Folder,
        lease_owner=f"{machine()}/worker/999999999/1",
        lease_until=world.clock() + timedelta(seconds=30),
    )
    world.arrives(matching())
    await world.poll()
    assert len(await world.rows(Message)) == 1


async def test_a_lease_that_cannot_be_renewed_for_a_moment_breaks_no_poll(world: World) -> None:
    with capture_logs() as logs:
        async with leased(world.context, 1, renewal=0.01) as folder_id:
            assert folder_id is not None
            await _run(world, "ALTER TABLE folder RENAME TO away")
            await eventually_async(lambda: [line for line in logs if line["event"] == "lease not written"])
            await _run(world, "ALTER TABLE away RENAME TO folder")
            before = (await world.one(Folder)).lease_until
            world.clock.pass_(seconds=1)
            await eventually_async(lambda: _is_renewed(world, before))
    assert (await world.one(Folder)).lease_owner is None


async def _is_renewed(world: World, before: datetime | None) -> bool:
    return (await world.one(Folder)).lease_until != before


async def _run(world: World, statement: str) -> None:
    async with world.context.database.transaction() as db:
        await (await db.connection()).execute(text(statement))


async def test_headers_that_break_the_parser_cost_no_other_mail_its_place(world: World) -> None:
    world.arrives(matching(), nested(), matching())
    await world.poll()
    await world.decide()
    states = [message.state for message in await world.rows(Message)]
    assert states[0] is states[2] is MessageState.DECIDED
