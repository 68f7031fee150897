"""Servers that break off, forget, renumber or say what cannot be: every mail still has its row."""

from datetime import timedelta

from app.models import (
    Folder,
    Mailbox,
    MailboxState,
    Message,
    MessageState,
    Raw,
    UidAlias,
)
from tests.jobs.conftest import World
from tests.letters import a_mail, matching, newsletter
from tests.servers import FakeImap


async def test_after_a_change_of_uidvalidity_known_mail_has_its_new_place_and_new_mail_a_row(
    world: World,
) -> None:
    world.arrives(matching(), newsletter(), seen=True)  # from before the start: only their headers are known
    world.arrives(matching(), matching())
    await world.poll()
    world.imap.renumber(world.user, uidvalidity=4242)
    world.arrives(matching(77))
    await world.poll()
    messages = await world.rows(Message)
    assert len(messages) == 5
    assert "Lot 77" in messages[-1].subject
    assert [message.uidvalidity == 4242 for message in messages] == [True, True, False, False, True]
    assert [alias.message_id for alias in await world.rows(UidAlias)] == [3, 4]
    await world.poll()
    assert len(await world.rows(Message)) == 5


SELECTED = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 4] next\r\n"
HEADERS = b"From: ann@example.com\r\nSubject: x\r\n\r\n"


def _without_body(arguments: bytes) -> bytes:
    if b"HEADER" in arguments:
        return b"* 1 FETCH (UID 3 BODY[HEADER] {%d}\r\n%s)\r\n" % (len(HEADERS), HEADERS)
    if b"BODY.PEEK[]" in arguments:
        return b"* 1 FETCH (UID 3 BODY[] NIL)\r\n"
    return b'* 1 FETCH (UID 3 RFC822.SIZE 100 FLAGS () INTERNALDATE "16-Nov-2026 10:00:00 +0100")\r\n'


async def test_a_body_that_the_server_does_not_give_has_a_row_and_is_asked_for_again(world: World) -> None:
    with FakeImap({b"UID FETCH": _without_body}) as server:
        await world.change(Mailbox, port=server.port)
        await world.poll()
        await world.poll()
        world.clock.pass_(minutes=1)
        await world.poll()
        asked = [command for command in server.commands if b"BODY.PEEK[]" in command]
    message = await world.one(Message)
    assert (message.state, message.reason) == (MessageState.QUARANTINED, {"code": "not_fetched", "facts": {}})
    assert len(asked) == message.fetch_tries == 2
    assert message.fetch_at == world.clock() + timedelta(minutes=2)


async def test_a_body_that_comes_after_a_change_of_uidvalidity_comes_to_the_row_that_lacks_it(
    world: World,
) -> None:
    await _poll_a_mail_without_body(world)
    renumbered = SELECTED.replace(b"UIDVALIDITY 7", b"UIDVALIDITY 8")
    with FakeImap({b"SELECT": renumbered, b"UID FETCH": _with_body}) as server:
        await world.change(Mailbox, port=server.port)
        await world.poll()
    message = await world.one(Message)
    assert (message.uidvalidity, message.uid, message.state) == (8, 3, MessageState.STORED)
    assert (await world.one(Raw)).body == HEADERS
    assert await world.rows(UidAlias) == []


async def test_a_mail_that_somebody_insists_on_is_fetched_from_its_new_place(world: World) -> None:
    await world.set(max_email_size_mb=1)
    world.arrives(a_mail("large", "x" * 1_100_000))
    await world.poll()
    async with world.context.database.transaction() as db:
        (await db.get_one(Message, 1)).try_again(world.clock())
    world.imap.renumber(world.user, uidvalidity=4242)
    await world.poll()
    await world.poll()
    message = await world.one(Message)
    assert (message.uidvalidity, message.state, message.insisted) == (4242, MessageState.STORED, True)


async def test_what_was_owed_and_is_not_met_again_after_a_change_of_uidvalidity_has_vanished(
    world: World,
) -> None:
    await _poll_a_mail_without_body(world)
    empty = {b"SELECT": SELECTED.replace(b"UIDVALIDITY 7", b"UIDVALIDITY 8")}
    with FakeImap(empty) as server:
        await world.change(Mailbox, port=server.port)
        await world.poll()
    message = await world.one(Message)
    assert (message.state, message.fetch_at) == (MessageState.VANISHED, None)


async def test_a_mail_that_has_a_row_is_not_missing_when_the_server_breaks_off(world: World) -> None:
    await _poll_a_mail_without_body(world)
    world.clock.pass_(minutes=1)
    selected = iter([SELECTED])

    def select(_arguments: bytes) -> bytes:
        for said in selected:
            return said
        raise ConnectionAbortedError

    def breaks_off(arguments: bytes) -> bytes:
        if b"HEADER" in arguments:
            raise ConnectionAbortedError
        return _without_body(arguments)

    with FakeImap({b"SELECT": select, b"UID FETCH": breaks_off}) as server:
        await world.change(Mailbox, port=server.port)
        await world.poll()
    assert (await world.mailbox()).state is MailboxState.FAILING
    assert (await world.one(Folder)).missing == 0


async def _poll_a_mail_without_body(world: World) -> None:
    with FakeImap({b"UID FETCH": _without_body}) as server:
        await world.change(Mailbox, port=server.port)
        await world.poll()


def _with_body(arguments: bytes) -> bytes:
    if b"BODY.PEEK[]" in arguments:
        return b"* 1 FETCH (UID 3 BODY[] {%d}\r\n%s)\r\n" % (len(HEADERS), HEADERS)
    return _without_body(arguments)


def _gone(arguments: bytes) -> bytes:
    if b"BODY.PEEK[]" in arguments or b"1:*" not in arguments:
        return b""
    return _without_body(b"")


async def test_a_mail_that_goes_while_we_read_is_noted_as_vanished(world: World) -> None:
    with FakeImap({b"UID FETCH": _gone}) as server:
        await world.change(Mailbox, port=server.port)
        await world.poll()
    assert (await world.one(Message)).state is MessageState.VANISHED


async def test_a_uid_that_stands_for_another_mail_now_is_a_new_mail(world: World) -> None:
    world.arrives(matching())
    await world.poll()
    await world.change(Message, size=1)
    await world.change(Message, digest="of another mail")
    await world.poll()
    first, second = await world.rows(Message)
    assert (first.uid, first.occurrence, second.uid, second.occurrence) == (second.uid, 0, first.uid, 1)
    assert second.state is MessageState.STORED


def _three(arguments: bytes) -> bytes:
    """Mails 1 and 3 in good order; of mail 2 the headers only."""
    uids = [uid for uid in (b"1", b"2", b"3") if uid in arguments.split(b" ")[0].split(b",")] or [
        b"1",
        b"2",
        b"3",
    ]
    answer = b""
    for uid in uids:
        body = b"From: ann@example.com\r\nMessage-ID: <%s@x>\r\nSubject: mail %s\r\n\r\n" % (uid, uid)
        if b"HEADER" in arguments:
            answer += b"* %s FETCH (UID %s BODY[HEADER] {%d}\r\n%s)\r\n" % (uid, uid, len(body), body)
        elif b"BODY.PEEK[]" in arguments:
            size = 10**9 if uid == b"2" else len(body)  # nobody reads so much
            answer += b"* %s FETCH (UID %s BODY[] {%d}\r\n%s)\r\n" % (uid, uid, size, body)
        else:
            date = b'INTERNALDATE "16-Nov-2026 10:00:00 +0100"'
            answer += b"* %s FETCH (UID %s RFC822.SIZE 100 FLAGS () %s)\r\n" % (uid, uid, date)
    return answer


async def test_one_mail_that_the_server_cannot_give_blocks_no_other(world: World) -> None:
    with FakeImap({b"UID FETCH": _three}) as server:
        await world.change(Mailbox, port=server.port)
        await world.poll()
        first, second, third = await world.rows(Message)
        assert first.state is third.state is MessageState.STORED
        assert (second.state, second.reason) == (
            MessageState.QUARANTINED,
            {"code": "not_fetched", "facts": {"detail": "too_large"}},
        )
        assert (await world.mailbox()).state is MailboxState.OK
        assert (await world.one(Folder)).missing == 0


async def test_a_server_that_is_away_is_blamed_itself_and_none_of_its_mails(world: World) -> None:
    with FakeImap({b"UID FETCH": _three}, hang_up_after=b"SELECT") as server:
        await world.change(Mailbox, port=server.port)
        await world.poll()
    assert await world.rows(Message) == []
    assert (await world.mailbox()).state is MailboxState.FAILING


async def test_a_size_that_is_not_the_same_twice_makes_no_second_row(world: World) -> None:
    await world.change(Mailbox, senders=["boss@example.com"])
    world.arrives(matching(), matching(sender="boss@example.com"))
    await world.poll()
    for size in (1, 2, 3):
        await world.change(Message, size=size)
        await world.poll()
    messages = await world.rows(Message)
    assert [message.occurrence for message in messages] == [0, 0]
    assert all(message.size > 3 for message in messages)
