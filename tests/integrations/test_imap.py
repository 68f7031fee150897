"""The mailbox against a real Dovecot."""

import ssl
from dataclasses import replace
from datetime import UTC

import pytest

from app.integrations.errors import Failure, IntegrationError
from app.integrations.imap import Account, Imap
from tests.servers import Dovecot, free_port

pytestmark = pytest.mark.dovecot

MAIL = b"From: Bob <bob@example.com>\r\nSubject: Lot %d\r\n\r\nBody %d\r\n"


def fill(dovecot: Dovecot, ada: Account, count: int) -> None:
    for number in range(1, count + 1):
        dovecot.deliver(ada.username, MAIL % (number, number))


async def test_a_folder_says_how_many_mails_it_has_and_how_it_counts_them(
    dovecot: Dovecot, ada: Account
) -> None:
    fill(dovecot, ada, 3)
    async with Imap(ada) as imap:
        status = await imap.select("INBOX")
    assert (status.exists, status.uidnext) == (3, 4)
    assert status.uidvalidity > 0


async def test_the_listing_begins_at_the_first_uid_asked_for(dovecot: Dovecot, ada: Account) -> None:
    fill(dovecot, ada, 3)
    async with Imap(ada) as imap:
        await imap.select("INBOX")
        listing = await imap.listing(2)
    assert [item.uid for item in listing] == [2, 3]
    assert {item.size for item in listing} == {len(MAIL % (1, 1))}
    assert all(item.internal_at.tzinfo is UTC for item in listing)


async def test_nothing_new_is_an_empty_listing_although_the_server_repeats_the_last_mail(
    dovecot: Dovecot, ada: Account
) -> None:
    fill(dovecot, ada, 3)
    async with Imap(ada) as imap:
        await imap.select("INBOX")
        assert await imap.listing(4) == []
        assert await imap.listing(1000) == []


async def test_an_empty_folder_has_an_empty_listing(ada: Account) -> None:
    async with Imap(ada) as imap:
        assert (await imap.select("INBOX")).exists == 0
        assert await imap.listing(1) == []


async def test_headers_and_bodies_come_by_uid_and_the_missing_are_left_out(
    dovecot: Dovecot, ada: Account
) -> None:
    fill(dovecot, ada, 3)
    async with Imap(ada) as imap:
        await imap.select("INBOX")
        assert await imap.headers([1, 99]) == {1: (MAIL % (1, 1)).partition(b"Body")[0]}
        assert await imap.bodies([3, 1, 99]) == {1: MAIL % (1, 1), 3: MAIL % (3, 3)}
        assert await imap.bodies([]) == {}


async def test_reading_marks_nothing_as_seen(dovecot: Dovecot, ada: Account) -> None:
    fill(dovecot, ada, 2)
    async with Imap(ada) as imap:
        await imap.select("INBOX")
        await imap.headers([1, 2])
        await imap.bodies([1, 2])
        assert [item.seen for item in await imap.listing(1)] == [False, False]


async def test_a_mail_is_marked_as_seen_when_asked(dovecot: Dovecot, ada: Account) -> None:
    fill(dovecot, ada, 2)
    async with Imap(ada) as imap:
        await imap.select("INBOX")
        await imap.mark_seen([2, 99])
        assert [item.seen for item in await imap.listing(1)] == [False, True]


async def test_marking_expunges_nothing_that_somebody_else_has_deleted(
    dovecot: Dovecot, ada: Account
) -> None:
    fill(dovecot, ada, 1)
    deleted = dovecot.deliver(ada.username, MAIL % (2, 2), seen=True)
    deleted.rename(deleted.with_name(deleted.name + "T"))
    async with Imap(ada) as imap:
        await imap.select("INBOX")
        uids = [item.uid for item in await imap.listing(1)]
        await imap.mark_seen(uids)
        assert [item.uid for item in await imap.listing(1)] == uids


async def test_a_mail_removed_after_the_listing_is_simply_not_there(dovecot: Dovecot, ada: Account) -> None:
    fill(dovecot, ada, 1)
    gone = dovecot.deliver(ada.username, MAIL % (2, 2), seen=True)
    async with Imap(ada) as imap:
        await imap.select("INBOX")
        assert len(await imap.listing(1)) == 2
        gone.unlink()
        assert len(await imap.bodies([1, 2])) == 1


async def test_more_mails_than_one_command_may_name_are_all_fetched(dovecot: Dovecot, ada: Account) -> None:
    fill(dovecot, ada, 520)
    async with Imap(ada) as imap:
        await imap.select("INBOX")
        assert len(await imap.headers(range(1, 521))) == 520


async def test_a_folder_with_an_accent_is_found(dovecot: Dovecot, ada: Account) -> None:
    dovecot.deliver(ada.username, MAIL % (1, 1), folder="R&AOk-ponses")
    async with Imap(ada) as imap:
        assert (await imap.select("Réponses")).exists == 1


async def test_a_recreated_folder_counts_anew(dovecot: Dovecot, ada: Account) -> None:
    fill(dovecot, ada, 1)
    async with Imap(ada) as imap:
        before = (await imap.select("INBOX")).uidvalidity
    # A second later: Dovecot derives the number from the clock.
    dovecot.renumber(ada.username, uidvalidity=before + 1)
    async with Imap(ada) as imap:
        assert (await imap.select("INBOX")).uidvalidity == before + 1


async def test_tls_is_verified_and_the_mailbox_read_through_it(
    dovecot: Dovecot, ada: Account, trusting: ssl.SSLContext
) -> None:
    fill(dovecot, ada, 1)
    secure = replace(ada, tls=True, port=dovecot.tls_port, host="localhost")
    async with Imap(secure, context=trusting) as imap:
        await imap.select("INBOX")
        assert len(await imap.bodies([1])) == 1


async def test_a_certificate_of_an_unknown_authority_is_refused(dovecot: Dovecot, ada: Account) -> None:
    assert await failure(replace(ada, tls=True, port=dovecot.tls_port)) is Failure.TLS_FAILED


async def test_a_server_without_tls_is_refused_when_tls_is_asked_for(dovecot: Dovecot, ada: Account) -> None:
    assert await failure(replace(ada, tls=True, port=dovecot.port)) is Failure.TLS_FAILED


async def test_a_wrong_password_has_its_own_word(ada: Account) -> None:
    assert await failure(replace(ada, password="wrong")) is Failure.AUTH_FAILED


async def test_a_wrong_password_with_an_accent_too(ada: Account) -> None:
    assert await failure(replace(ada, password="clé")) is Failure.AUTH_FAILED


async def test_a_name_with_an_accent_signs_in(ada: Account) -> None:
    async with Imap(replace(ada, username="zoé")) as imap:
        assert (await imap.select("INBOX")).exists == 0


@pytest.mark.parametrize("name", ["ada\r\nA1 LOGOUT", "ada\nx", "a\0da"])
async def test_a_line_break_in_a_name_never_reaches_the_server(ada: Account, name: str) -> None:
    assert await failure(replace(ada, username=name)) is Failure.AUTH_FAILED
    async with Imap(ada) as imap:
        with pytest.raises(IntegrationError) as refused:
            await imap.select(name)
    assert refused.value.reason is Failure.FOLDER_MISSING


async def test_a_missing_folder_has_its_own_word(ada: Account) -> None:
    async with Imap(ada) as imap:
        with pytest.raises(IntegrationError) as missing:
            await imap.select("Nowhere")
    assert missing.value.reason is Failure.FOLDER_MISSING


async def test_nobody_listening_is_refused(ada: Account) -> None:
    assert await failure(replace(ada, port=free_port())) is Failure.REFUSED


async def test_a_name_that_does_not_exist_is_not_found(ada: Account) -> None:
    assert await failure(replace(ada, host="mail.invalid")) is Failure.NAME_NOT_FOUND


async def test_a_mail_above_the_cap_is_not_read(dovecot: Dovecot, ada: Account) -> None:
    dovecot.deliver(ada.username, b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" * 2000)
    async with Imap(ada, literal_cap=1000) as imap:
        await imap.select("INBOX")
        with pytest.raises(IntegrationError) as refused:
            await imap.bodies([1])
    assert refused.value.reason is Failure.TOO_LARGE


async def failure(account: Account) -> Failure:
    with pytest.raises(IntegrationError) as failed:
        async with Imap(account):
            pass
    return failed.value.reason
