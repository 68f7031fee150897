"""A real SMTP server: keeps what it is given, and refuses or hangs as it is told."""

import asyncio
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.port import free_port


@dataclass(frozen=True, slots=True)
class Got:
    """One mail as it arrived."""

    sender: str
    to: list[str]
    data: bytes
    ehlo: str
    username: str
    ciphered: bool

    @property
    def mail(self) -> EmailMessage:
        return message_from_bytes(self.data, policy=policy.default)

    @property
    def lines(self) -> list[str]:
        text: str = self.mail.get_content()
        return text.splitlines()


class _Listening(Controller):
    """Knows its conversations, so that it leaves none of them open."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(*given, **named)
        self._talks: list[SMTP] = []

    def factory(self) -> SMTP:
        self._talks.append(super().factory())  # type: ignore[no-untyped-call]
        return self._talks[-1]

    async def hang_up(self) -> None:
        for talk in self._talks:
            _abort(talk.transport)
            _abort(talk._original_transport)  # noqa: SLF001 - what lies below TLS
        for _ in range(3):  # what is closed is closed in the loop's next turns
            await asyncio.sleep(0)


def _abort(transport: object) -> None:
    if isinstance(transport, asyncio.WriteTransport):
        with suppress(AttributeError):  # early Pythons 3.11, where TLS has ended already
            transport.abort()


class MailHost:
    """`with MailHost() as host: host.port, host.got`. `host.answers` are used up first, then it takes mail.

    `password` wants a sign-in; `context` offers STARTTLS, with `tls` it speaks nothing else.
    """

    def __init__(
        self, *, password: str = "", context: ssl.SSLContext | None = None, tls: bool = False
    ) -> None:
        self._password = password
        self.port = free_port()
        self.got: list[Got] = []
        self.answers: deque[str] = deque()  # to what follows DATA
        self.strangers: set[str] = set()  # recipients that it does not know
        given: dict[str, Any] = {"ssl_context": context} if tls else {"tls_context": context}
        if password:
            given |= {"authenticator": self._sign_in, "auth_required": True, "auth_require_tls": not tls}
        self._controller = _Listening(self, hostname="127.0.0.1", port=self.port, **given)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        hanging_up = asyncio.run_coroutine_threadsafe(self._controller.hang_up(), self._controller.loop)
        hanging_up.result(5)
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802 - the library's protocol
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.strangers:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers:
            return self.answers.popleft()
        data = envelope.original_content or b""
        username = session.auth_data.login.decode() if session.auth_data else ""
        self.got.append(
            Got(
                sender=envelope.mail_from or "",
                to=list(envelope.rcpt_tos),
                data=data,
                ehlo=session.host_name or "",
                username=username,
                ciphered=session.ssl is not None,
            )
        )
        return "250 taken"

    def _sign_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=data.password == self._password.encode(), auth_data=data, handled=False)
