"""The mailbox against a server that says what no honest one would."""

import asyncio
import itertools
from collections.abc import Iterable, Mapping

import pytest

from app.integrations.errors import Failure, IntegrationError
from app.integrations.imap import FolderStatus, Imap
from app.integrations.imap_answer import NO_DATE
from tests.integrations.conftest import at
from tests.servers import FakeImap
from tests.servers.fake_imap import Said

SELECTED = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n"
WHOLE = b'* %d FETCH (UID %d RFC822.SIZE 10 INTERNALDATE "01-Sep-2025 10:00:00 +0200" FLAGS (\\Seen))\r\n'


async def bodies(said: Said, uids: list[int]) -> dict[int, bytes]:
    with FakeImap({b"UID FETCH": said}) as server:
        async with Imap(at(server)) as imap:
            await imap.select("INBOX")
            return await imap.bodies(uids)


async def failure(server: FakeImap, limit: float = 10.0) -> Failure:
    """The word for what goes wrong on the way to a mail."""
    with pytest.raises(IntegrationError) as failed:
        await _fetch(server, limit)
    return failed.value.reason


async def _fetch(server: FakeImap, limit: float) -> None:
    async with Imap(at(server, limit)) as imap:
        await imap.select("INBOX")
        await imap.bodies([5])


async def listed(said: Said, first: int = 1) -> list[int]:
    with FakeImap({b"UID FETCH": said}) as server:
        async with Imap(at(server)) as imap:
            await imap.select("INBOX")
            return [item.uid for item in await imap.listing(first)]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b"* 1 FETCH (UID 5 BODY[] {2}\r\nhi)\r\n", {5: b"hi"}),
        (b"* 1 FETCH (BODY[] {2}\r\nhi UID 5)\r\n", {5: b"hi"}),
        (b'* 1 FETCH (FLAGS () BODY[] "h\\"i" UID 5)\r\n', {5: b'h"i'}),
        (b"* 1 FETCH (body[] {2}\r\nhi uid 5)\r\n", {5: b"hi"}),
        (b"* 1 FETCH (UID 6 BODY[] {2}\r\nhi)\r\n", {}),  # another mail
        (b"* 1 FETCH (BODY[] {2}\r\nhi)\r\n", {}),  # nobody knows whose
        (b"* 1 FETCH (UID 5 BODY[] NIL)\r\n", {}),
        (b'* 1 FETCH (UID 5 BODY[] "")\r\n', {}),
        (b"* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n", {}),  # unasked
        (b"* 1 FETCH (UID x BODY[] {2}\r\nhi)\r\n", {}),
        (b'* 1 FETCH (ENVELOPE ("UID 5" NIL (("a" "b"))) BODY[] {2}\r\nhi UID 7)\r\n', {}),
        (b"* 1 FETCH (UID 5 BODY[] {8}\r\n UID 6 ()\r\n", {5: b" UID 6 ("}),
        (b"* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 5 BODY[] {2}\r\nhi)\r\n* 4 EXISTS\r\n", {5: b"hi"}),
        (b"* 1 FETCH (UID 5 BODY[] {2}\r\nhi)\r\n* 1 FETCH (UID 5 BODY[] {2}\r\nho)\r\n", {5: b"hi"}),
        (b"* 1 FETCH (\r\n* 2 FETCH )(\r\n* 3 FETCH (UID (5 (6)))\r\n", {}),
        (b"", {}),
    ],
)
async def test_only_what_was_asked_for_and_is_there_counts(said: bytes, found: dict[int, bytes]) -> None:
    assert await bodies(said, [5]) == found


async def test_what_a_server_says_of_a_mail_before_it_is_asked_is_not_taken_for_the_answer() -> None:
    unasked = SELECTED + b"* 1 FETCH (UID 5 BODY[] {2}\r\nhi)\r\n"
    with FakeImap({b"SELECT": unasked}) as server:
        async with Imap(at(server)) as imap:
            await imap.select("INBOX")
            assert await imap.bodies([5]) == {}


async def test_a_listing_holds_each_mail_once_in_the_order_of_uids() -> None:
    assert await listed(WHOLE % (2, 9) + WHOLE % (1, 8) + WHOLE % (1, 8) + WHOLE % (3, 2), 8) == [8, 9]


async def test_a_mail_whose_size_is_not_told_is_listed_all_the_same() -> None:
    assert await listed(b"* 1 FETCH (UID 8 FLAGS ())\r\n* 1 FETCH (RFC822.SIZE 3)\r\n" + WHOLE % (2, 9)) == [
        8,
        9,
    ]


@pytest.mark.parametrize("number", [b"9223372036854775808", b"99999999999999999999999"])
async def test_a_number_that_no_database_can_hold_is_none(number: bytes) -> None:
    said = b"* 1 FETCH (UID %s RFC822.SIZE 3)\r\n" % number
    assert await listed(said + WHOLE % (2, 9)) == [9]


@pytest.mark.parametrize("date", [b"", b'INTERNALDATE "yesterday"', b"INTERNALDATE NIL", b"INTERNALDATE (1)"])
async def test_a_mail_without_a_date_is_listed_all_the_same(date: bytes) -> None:
    with FakeImap({b"UID FETCH": b"* 1 FETCH (UID 8 RFC822.SIZE 3 %s)\r\n" % date}) as server:
        async with Imap(at(server)) as imap:
            await imap.select("INBOX")
            (item,) = await imap.listing(1)
    assert item.internal_at == NO_DATE


async def test_a_folder_that_may_only_be_read_is_read() -> None:
    script = {b"SELECT": SELECTED + b"* OK [READ-ONLY] x\r\n", b"EXAMINE": SELECTED}
    with FakeImap(script) as server:
        async with Imap(at(server)) as imap:
            assert await imap.select("INBOX") == FolderStatus(7, 4, 3)


async def test_an_old_server_is_asked_for_the_next_uid() -> None:
    script = {
        b"SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n",
        b"STATUS": b'* STATUS "INBOX" (UIDNEXT 12)\r\n',
    }
    with FakeImap(script) as server:
        async with Imap(at(server)) as imap:
            assert (await imap.select("INBOX")).uidnext == 12


@pytest.mark.parametrize(
    ("script", "closing", "reason"),
    [
        ({}, {b"LOGIN": b"NO [AUTHENTICATIONFAILED] no"}, Failure.AUTH_FAILED),
        ({}, {b"LOGIN": b"NO no"}, Failure.AUTH_FAILED),
        ({}, {b"LOGIN": b"NO [UNAVAILABLE] later"}, Failure.UNAVAILABLE),
        ({}, {b"LOGIN": b"BAD what"}, Failure.PROTOCOL_ERROR),
        ({b"LOGIN": b"* BYE too many connections\r\n"}, {b"LOGIN": None}, Failure.CONNECTION_LOST),
        ({b"LOGIN": b"garbage\r\n"}, {}, Failure.PROTOCOL_ERROR),
        ({b"LOGIN": b"* 1 FETCH (X {99999999999}\r\n"}, {}, Failure.TOO_LARGE),
        ({b"CAPABILITY": b"* CAPABILITY \xff\xfe\r\n"}, {}, Failure.PROTOCOL_ERROR),
        ({b"CAPABILITY": b"* CAPABILITY NOTHING\r\n"}, {}, Failure.PROTOCOL_ERROR),
        ({}, {b"SELECT": b"NO [NONEXISTENT] no"}, Failure.FOLDER_MISSING),
        ({}, {b"SELECT": b"NO [SERVERBUG] oops"}, Failure.UNAVAILABLE),
        ({b"SELECT": b"* 3 EXISTS\r\n"}, {}, Failure.PROTOCOL_ERROR),
        ({}, {b"UID FETCH": b"NO [OVERQUOTA] full"}, Failure.UNAVAILABLE),
        ({}, {b"UID FETCH": b"NO no"}, Failure.PROTOCOL_ERROR),
        ({b"UID FETCH": b"* 1 FETCH (UID 5 BODY[] {%s}\r\n" % (b"9" * 5000)}, {}, Failure.PROTOCOL_ERROR),
        ({b"UID FETCH": b"* BYE shutting down\r\n"}, {b"UID FETCH": None}, Failure.CONNECTION_LOST),
    ],
)
async def test_each_refusal_has_its_word(
    script: Mapping[bytes, bytes], closing: Mapping[bytes, bytes | None], reason: Failure
) -> None:
    with FakeImap(script, closing=closing) as server:
        assert await failure(server) is reason


@pytest.mark.parametrize(
    "greeting", [b"* BYE go away\r\n", b"HTTP/1.1 400 no\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x16"]
)
async def test_something_that_is_no_mailbox_is_found_out(greeting: bytes) -> None:
    with FakeImap(greeting=greeting) as server:
        found = await failure(server, 0.5)
    assert found in {Failure.PROTOCOL_ERROR, Failure.CONNECTION_LOST, Failure.TIMED_OUT}


async def test_a_connection_that_ends_inside_a_mail_is_lost() -> None:
    script = {b"UID FETCH": b"* 1 FETCH (UID 5 BODY[] {100}\r\nonly this"}
    with FakeImap(script, hang_up_after=b"UID FETCH") as server:
        assert await failure(server) is Failure.CONNECTION_LOST


async def test_a_silent_server_is_given_up() -> None:
    with FakeImap(closing={b"SELECT": None}) as server:
        async with Imap(at(server, 0.3)) as imap:
            with pytest.raises(IntegrationError) as failed:
                await imap.select("INBOX")
            assert failed.value.reason is Failure.TIMED_OUT
            with pytest.raises(IntegrationError):  # the connection is over, and says so
                await imap.listing(1)


async def test_a_server_that_says_nothing_at_all_is_given_up() -> None:
    with FakeImap(greeting=b"") as server:
        assert await failure(server, 0.3) is Failure.TIMED_OUT


@pytest.mark.parametrize(
    ("command", "drip"),
    [
        (b"SELECT", itertools.repeat(b"* OK still here\r\n")),
        (b"UID FETCH", itertools.chain([b"* 1 FETCH (UID 5 BODY[] {900}\r\n"], itertools.repeat(b"x"))),
    ],
)
async def test_a_dripping_server_does_not_outlast_the_limit(command: bytes, drip: Iterable[bytes]) -> None:
    with FakeImap({command: drip}, every=0.02) as server:
        assert await failure(server, 0.2) is Failure.TIMED_OUT


async def test_a_huge_literal_is_refused_before_it_is_read() -> None:
    with FakeImap({b"UID FETCH": b"* 1 FETCH (UID 5 BODY[] {300000000}\r\n"}) as server:
        assert await failure(server) is Failure.TOO_LARGE


async def test_endless_lines_are_refused_before_they_fill_the_memory() -> None:
    flood = itertools.repeat(b"* 1 FETCH (FLAGS (" + b"x" * 1_000_000 + b"))\r\n")
    with FakeImap({b"UID FETCH": flood}) as server:
        assert await failure(server) is Failure.TOO_LARGE


async def test_a_caller_who_gives_up_leaves_no_thread_waiting() -> None:
    with FakeImap(closing={b"SELECT": None}) as server:
        imap = Imap(at(server))
        await imap.__aenter__()
        waiting = asyncio.create_task(imap.select("INBOX"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await imap.__aexit__(None, None, None)
