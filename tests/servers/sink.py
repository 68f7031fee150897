"""A real HTTP receiver over a plain socket: records what arrives, answers or misbehaves as it is told."""

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedReader
from typing import Any, Self

_HANDSHAKE = b"\x16"  # somebody speaks TLS to a receiver that has none
Wire = Callable[[socket.socket, threading.Event], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: datetime

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How to answer one request. `wire` takes over the connection instead: a hostile receiver."""

    status: int = 200
    body: bytes = b'{"success": true}'
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    wire: Wire | None = None

    @classmethod
    def hang(cls) -> Self:
        """Take the request, say nothing until the sink closes."""
        return cls(wire=lambda _, closing: _wait(closing))

    @classmethod
    def reset(cls) -> Self:
        """Take the request, then tear the connection."""
        return cls(wire=_tear)

    @classmethod
    def raw(cls, *pieces: bytes, every: float = 0.0, hold: bool = False, tear: bool = False) -> Self:
        """Send these bytes with pauses, then close, hold the connection open, or tear it."""

        def wire(connection: socket.socket, closing: threading.Event) -> None:
            send(connection, pieces, closing, every)
            if hold:
                _wait(closing)
            if tear:
                _tear(connection, closing)

        return cls(wire=wire)

    @classmethod
    def endless(cls, head: bytes, piece: bytes, *, every: float = 0.0) -> Self:
        """Send the head, then the piece until nobody listens."""

        def wire(connection: socket.socket, closing: threading.Event) -> None:
            connection.sendall(head)
            send(connection, iter(lambda: piece, None), closing, every)

        return cls(wire=wire)


class Sink:
    """`with Sink() as sink: sink.url, sink.seen`. `sink.answers` are used up first, then `sink.default`."""

    def __init__(self, *, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._context = context
        self._host = host
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.answers: deque[Answer] = deque()
        self.default = Answer()
        self.seen: list[Seen] = []
        self.connections = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server((self._host, 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.address = f"{self._host}/32:{self.port}"  # for ALLOW_PRIVATE_TARGETS
        scheme = "https" if self._context else "http"
        self.url = f"{scheme}://{self._host}:{self.port}/hook"
        self._thread = threading.Thread(target=self._accept, name="sink", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def answer(self, *statuses: int, body: bytes = b'{"success": true}') -> None:
        """The next answers, by their status."""
        self.answers.extend(Answer(status=status, body=body) for status in statuses)

    @property
    def talking(self) -> int:
        """How many connections are open."""
        with self._lock:
            return len(self._open)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._converse, args=(connection,), name="sink talk", daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(connection)
        with suppress(OSError), connection:
            talking = self._context.wrap_socket(connection, server_side=True) if self._context else connection
            with talking, talking.makefile("rb") as lines:
                while not self._closing.is_set() and (seen := _request(lines)):
                    self._answer(talking, seen)
        with self._lock:
            self._open.discard(connection)

    def _answer(self, connection: socket.socket, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)
            answer = self.answers.popleft() if self.answers else self.default
        if answer.delay and self._closing.wait(answer.delay):
            return
        if answer.wire:
            answer.wire(connection, self._closing)
            raise ConnectionAbortedError  # whatever it did, this connection is over
        connection.sendall(_bytes(answer))


def send(connection: socket.socket, pieces: Iterable[bytes], closing: threading.Event, every: float) -> None:
    """One piece at a time, with a pause before each but the first."""
    for number, piece in enumerate(pieces):
        if closing.is_set() or (number and every and closing.wait(every)):
            return
        connection.sendall(piece)


def _request(lines: BufferedReader) -> Seen | None:
    if lines.peek(1)[:1] == _HANDSHAKE:
        return None
    first = lines.readline().decode("latin-1").split()
    if len(first) < 3:  # method, path, version
        return None
    headers = {}
    while line := lines.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = lines.read(int(headers.get("content-length", "0")))
    return Seen(first[0], first[1], headers, body, datetime.now(UTC))


def _bytes(answer: Answer) -> bytes:
    headers = {"content-type": "application/json", "content-length": str(len(answer.body)), **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} said", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + answer.body


def _wait(closing: threading.Event) -> None:
    closing.wait(60)


def _tear(connection: socket.socket, _: threading.Event) -> None:
    """Close with a reset instead of a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
