"""An IMAP server that answers by a script: what no honest server would say."""

import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Self

from tests.servers.sink import send

Said = bytes | Iterable[bytes]
_GREETING = b"* OK [CAPABILITY IMAP4rev1] ready\r\n"
_SELECTED = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 4] next\r\n"
_COMMAND = re.compile(rb"(\S+) ((?:UID )?\S+) ?(.*?)\r?\n", re.IGNORECASE | re.DOTALL)


class FakeImap:
    """`FakeImap({b"UID FETCH": b"* 1 FETCH (…)\\r\\n"})`: untagged lines by command; a tagged OK follows.

    A value may be an iterable of pieces (sent `every` seconds), or a function of the command's arguments.
    An entry of `closing` gives the last line instead of the tagged OK: b"NO no", or None for none at all.
    """

    def __init__(
        self,
        script: Mapping[bytes, Said | Callable[[bytes], Said]] | None = None,
        *,
        greeting: Said = _GREETING,
        closing: Mapping[bytes, bytes | None] | None = None,
        hang_up_after: bytes = b"",
        every: float = 0.0,
    ) -> None:
        self._script = {
            b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n",
            b"LOGOUT": b"* BYE\r\n",
            b"SELECT": _SELECTED,
            **(script or {}),
        }
        self._greeting = greeting
        self._last = dict(closing or {})
        self._hang_up_after = hang_up_after
        self._every = every
        self._closing = threading.Event()
        self.commands: list[bytes] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, name="fake imap", daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(5)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            self._say(connection, self._greeting)
            while line := lines.readline():
                match = _COMMAND.fullmatch(line)
                if match is None:
                    return
                self._obey(connection, match[1], match[2].upper(), match[3])
                if match[2].upper() == self._hang_up_after:
                    return

    def _obey(self, connection: socket.socket, tag: bytes, command: bytes, arguments: bytes) -> None:
        self.commands.append(command + b" " + arguments)
        said = self._script.get(command, b"")
        self._say(connection, said(arguments) if callable(said) else said)
        last = self._last.get(command, b"OK done")
        if last is not None and command != self._hang_up_after:
            connection.sendall(tag + b" " + last + b"\r\n")

    def _say(self, connection: socket.socket, said: Said) -> None:
        send(connection, [said] if isinstance(said, bytes) else said, self._closing, self._every)
