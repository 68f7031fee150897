"""Where the bench's mail waits: Dovecot, or the demo's server on machines that have none."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, Self

import pytest

from tests.bench.say import say
from tests.servers import Dovecot

USER = "bench"


@dataclass(frozen=True, slots=True)
class Described:
    """A mail server with what the table says of it; `most` mails can wait in one of its mailboxes."""

    name: str
    server: "MailServer"
    most: int


class MailServer(Protocol):
    host: str
    port: int
    password: str

    def deliver(self, user: str, raw: bytes) -> object: ...


@contextmanager
def mail_server() -> Iterator[Described]:
    try:
        dovecot = Dovecot()
    except pytest.skip.Exception as missing:
        say(f"{missing.msg} (skipped; the demo's own server takes its place)")
        with DemoServer() as server:
            yield Described("pymap", server, server.most)
    else:
        with dovecot:
            yield Described("Dovecot", dovecot, 100_000)


class DemoServer:
    """The demo's IMAP server, in a thread with a loop of its own."""

    host, password = "127.0.0.1", "secret"

    def __init__(self) -> None:
        from app.demo.imap_server import KEPT, ImapServer

        self.most = KEPT
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._imap = ImapServer(self._listener, USER, self.password)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._imap.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._imap.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def deliver(self, user: str, raw: bytes) -> object:
        assert user == USER
        return self._do(self._imap.deliver(raw, datetime.now(UTC)))

    def _do(self, work: Coroutine[Any, Any, object]) -> object:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
