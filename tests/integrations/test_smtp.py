"""Letters through a real mail server, and every way in which it may not take one."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme

from app.integrations.errors import Failure, IntegrationError
from app.integrations.smtp import Account, Letter, greet, send
from tests.servers import MailHost, free_port

NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
LETTER = Letter(
    to=["ada@example.org", "bob@example.org"], subject="Récepteur “studio”", text="Ça va.\n", at=NOON
)


@pytest.fixture
def host() -> Iterator[MailHost]:
    with MailHost() as host:
        yield host


@pytest.fixture
def secured(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def account(at: MailHost, **given: Any) -> Account:  # noqa: ANN401 - its fields
    usual = Account(host="127.0.0.1", port=at.port, sender="signal@example.org", tls="none")
    return replace(usual, **given)


async def failure(account: Account, letter: Letter = LETTER, **given: Any) -> IntegrationError:  # noqa: ANN401
    with pytest.raises(IntegrationError) as caught:
        await send(account, letter, **given)
    return caught.value


async def test_a_letter_arrives_as_it_was_written(host: MailHost) -> None:
    assert await send(account(host), LETTER) == []
    (got,) = host.got
    assert (got.sender, got.to) == ("signal@example.org", ["ada@example.org", "bob@example.org"])
    assert got.mail["From"] == "Signal Server <signal@example.org>"
    assert got.mail["Subject"] == "Récepteur “studio”"
    assert got.mail["Date"] == "Mon, 16 Nov 2026 12:00:00 +0000"
    assert got.mail["Message-ID"].endswith("@example.org>")
    assert got.mail["Auto-Submitted"] == "auto-generated"
    assert got.lines == ["Ça va."]
    assert got.data.isascii()
    assert got.ehlo == "example.org"  # not this machine's name


async def test_a_subject_makes_no_header_of_its_own(host: MailHost) -> None:
    await send(account(host), replace(LETTER, subject="a\r\nBcc: eve@example.org\r\n\r\nb\ud800"))
    (got,) = host.got
    assert got.mail["Subject"] == "a Bcc: eve@example.org b?"
    assert got.mail["Bcc"] is None
    assert got.to == list(LETTER.to)


async def test_a_recipient_can_end_no_command(host: MailHost) -> None:
    error = await failure(account(host), replace(LETTER, to=["ada@example.org>\r\nRCPT TO:<eve@example.org"]))
    assert error.reason is Failure.PROTOCOL_ERROR
    assert host.got == []


async def test_a_line_with_a_dot_ends_no_letter(host: MailHost) -> None:
    await send(account(host), replace(LETTER, text="a\n.\nb\n"))
    assert host.got[0].lines == ["a", ".", "b"]


async def test_by_starttls_the_password_goes_over_tls(
    secured: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with MailHost(password="right", context=secured) as host:
        ours = account(host, tls="starttls", username="signal", password="right")
        await send(ours, LETTER, context=trusting)
    assert [(got.username, got.ciphered) for got in host.got] == [("signal", True)]


async def test_from_the_first_byte_on_it_may_be_tls(
    secured: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with MailHost(context=secured, tls=True) as host:
        await send(account(host, tls="tls", host="localhost"), LETTER, context=trusting)
    assert len(host.got) == 1


async def test_without_starttls_nothing_is_said_in_the_clear(host: MailHost) -> None:
    error = await failure(account(host, tls="starttls", username="signal", password="right"))
    assert error.reason is Failure.TLS_FAILED
    assert "right" not in str(error)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_of_nobody_we_know_is_refused(secured: ssl.SSLContext, tls: str) -> None:
    with MailHost(context=secured, tls=tls == "tls") as host:
        error = await failure(account(host, tls=tls, username="signal", password="right"))
    assert error.reason is Failure.TLS_FAILED
    assert host.got == []


async def test_a_wrong_password_is_named(secured: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    with MailHost(password="right", context=secured) as host:
        ours = account(host, tls="starttls", username="signal", password="wrong")
        error = await failure(ours, context=trusting)
    assert (error.reason, error.detail[:3]) == (Failure.AUTH_FAILED, "535")


async def test_a_greeting_signs_in_and_sends_nothing(
    secured: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    with MailHost(password="right", context=secured) as host:
        ours = account(host, tls="starttls", username="signal", password="right")
        await greet(ours, context=trusting)
        with pytest.raises(IntegrationError):
            await greet(replace(ours, password="wrong"), context=trusting)
    assert host.got == []


async def test_an_unknown_recipient_is_told_when_others_are_reached(host: MailHost) -> None:
    host.strangers = {"bob@example.org"}
    assert await send(account(host), LETTER) == ["bob@example.org"]
    assert [got.to for got in host.got] == [["ada@example.org"]]


async def test_when_nobody_is_known_it_was_not_taken(host: MailHost) -> None:
    host.strangers = set(LETTER.to)
    error = await failure(account(host))
    assert (error.reason, error.detail) == (Failure.MAIL_REFUSED, "550 5.1.1 no such user")


@pytest.mark.parametrize(
    ("answer", "word"),
    [("451 try later", Failure.UNAVAILABLE), ("554 no spam here", Failure.MAIL_REFUSED)],
)
async def test_a_refusal_of_the_letter_is_named(host: MailHost, answer: str, word: Failure) -> None:
    host.answers.append(answer)
    error = await failure(account(host))
    assert (error.reason, error.detail) == (word, answer)


async def test_a_host_that_is_not_there_is_named(host: MailHost) -> None:
    gone = await failure(account(host, port=free_port()))
    unknown = await failure(account(host, host="mail.invalid"))
    assert (gone.reason, unknown.reason) == (Failure.REFUSED, Failure.NAME_NOT_FOUND)


async def test_a_host_that_says_nothing_is_left_in_time(host: MailHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = await failure(account(host, port=silent.getsockname()[1], limit=0.3))
    assert error.reason is Failure.TIMED_OUT


async def test_a_host_that_speaks_no_smtp_is_named(host: MailHost) -> None:
    over = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"<html>hello</html>\r\n" * 3)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as odd:
        error = await failure(account(host, port=odd.sockets[0].getsockname()[1]))
        await over.wait()
    assert error.reason is Failure.PROTOCOL_ERROR
