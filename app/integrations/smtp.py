"""Mail to operators through the owner's mail server: one letter, sent or refused within its limit."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime, make_msgid
from socket import gaierror
from typing import Literal

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from app.integrations.errors import Failure, IntegrationError, failure_of

LIMIT = 30.0  # seconds, over everything
GOODBYE_LIMIT = 2.0
NAME = "Signal Server"
WIRE = POLICY.clone(cte_type="7bit")  # every server takes that
_DETAIL = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The mail server, and as whom we write; without a password nobody signs in."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = ""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    limit: float = LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    to: Sequence[str]
    subject: str
    text: str
    at: datetime


async def send(account: Account, letter: Letter, *, context: ssl.SSLContext | None = None) -> list[str]:
    """Hand a letter over; gives the addresses that were refused while others were not.

    Raises:
        IntegrationError: nobody gets it, or nobody knows whether somebody does.
    """
    async with _connected(account, context) as client:
        refused, _ = await client.sendmail(account.sender, letter.to, _written(account, letter))
    return list(refused)


async def greet(account: Account, *, context: ssl.SSLContext | None = None) -> None:
    """Connect and sign in as `send` does, and send nothing.

    Raises:
        IntegrationError: a letter could not be sent either.
    """
    async with _connected(account, context):
        pass


@asynccontextmanager
async def _connected(account: Account, context: ssl.SSLContext | None) -> AsyncIterator[SMTP]:
    """Hold a conversation within the account's limit, in which we are signed in."""
    client = SMTP(
        hostname=account.host,
        port=account.port,
        username=account.username or None,
        password=account.password or None,
        local_hostname=_domain(account.sender),  # asking the system for one's own name may take long
        timeout=account.limit,
        use_tls=account.tls == "tls",
        start_tls=account.tls == "starttls",
        tls_context=context,
    )
    with _named_failures():
        try:
            async with asyncio.timeout(account.limit):
                await client.connect()
                yield client
            with suppress(SMTPException, OSError):  # it is over, whatever they say to a goodbye
                await client.quit(timeout=GOODBYE_LIMIT)
        finally:
            client.close()


def _written(account: Account, letter: Letter) -> bytes:
    mail = EmailMessage(policy=WIRE)
    mail["From"] = f"{NAME} <{account.sender}>"
    mail["To"] = ", ".join(letter.to)
    mail["Subject"] = " ".join(_kept(letter.subject).split())  # a header is one line
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = make_msgid(domain=_domain(account.sender))
    mail["Auto-Submitted"] = "auto-generated"  # no absence assistant answers
    mail.set_content(_kept(letter.text))
    return mail.as_bytes()


def _kept(text: str) -> str:
    """Half a surrogate pair becomes a question mark: no encoding has it."""
    return text.encode("utf-8", "replace").decode()


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


@contextmanager
def _named_failures() -> Iterator[None]:
    """Around the conversation: what server or network do wrong leaves as an IntegrationError."""
    try:
        yield
    except SMTPAuthenticationError as error:
        raise IntegrationError(Failure.AUTH_FAILED, _said(error)) from error
    except SMTPResponseException as error:
        raise IntegrationError(_refusal(error.code), _said(error)) from error
    except SMTPRecipientsRefused as error:
        first = error.recipients[0]
        raise IntegrationError(_refusal(first.code), _said(first)) from error
    except OSError as error:
        raise IntegrationError(_of_connection(error), _short(str(error))) from error
    except (SMTPException, ValueError) as error:
        said = _short(str(error))
        word = Failure.TLS_FAILED if "STARTTLS" in said else Failure.PROTOCOL_ERROR  # which it does not offer
        raise IntegrationError(word, said) from error


def _refusal(code: int) -> Failure:
    """400 to 499 is "not now", an answer that is no SMTP has a code below."""
    if code < 400:
        return Failure.PROTOCOL_ERROR
    return Failure.UNAVAILABLE if code < 500 else Failure.MAIL_REFUSED


def _of_connection(error: OSError) -> Failure:
    """The library's own errors are OSErrors without a number; what happened is their cause."""
    cause = error.__cause__ if isinstance(error, SMTPException) else error
    if isinstance(error, TimeoutError):
        return Failure.TIMED_OUT
    if isinstance(cause, gaierror):
        return Failure.NAME_NOT_FOUND
    return failure_of(cause) if isinstance(cause, OSError) else Failure.CONNECTION_LOST


def _said(error: SMTPResponseException) -> str:
    return _short(f"{error.code} {error.message}")


def _short(said: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in said)[:_DETAIL]
