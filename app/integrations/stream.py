"""A connection as httpcore wants it, straight on the event loop's transport."""

import asyncio
import select
import ssl
from typing import Any, Self

import httpcore2

from app.integrations.journey import current

MOST_UNREAD = 64 * 1024  # more stays with the system, which lets the receiver wait
_LOOPS_NAMES = {"client_addr": "sockname", "server_addr": "peername"}


async def connect(address: str, port: int) -> "Stream":
    """Raises OSError."""
    _, stream = await asyncio.get_running_loop().create_connection(Stream, address, port)
    return stream


class Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """Knows no limit of time: whoever asks has one over everything.

    A request's head waits for what follows it, so that both leave in one packet. One that finds the receiver
    gone since the last answer is sent over another connection: nothing of it has left.
    """

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._head: bytes | None = None  # None: an answer was read, so that a request begins
        self._answered = False
        self._unread = bytearray()
        self._over = False
        self._error: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._departure: asyncio.Future[None] | None = None

    async def start_tls(  # type: ignore[override]  # nor does httpcore pass one
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, **_: object
    ) -> Self:
        journey = current.get()
        journey.start("tls")
        try:
            self._refuse_what_came_in_plain()
            self._transport = await self._loop.start_tls(  # type: ignore[assignment]  # None on a closed one only
                self._transport, self, ssl_context, server_hostname=server_hostname
            )
        except BaseException as error:  # httpcore forgets a connection whose handshake is broken off
            self._transport.abort()
            if isinstance(error, OSError):
                raise httpcore2.ConnectError(str(error)) from error
            raise
        journey.stop()
        return self

    async def read(self, max_bytes: int, **_: object) -> bytes:  # type: ignore[override]
        if self._head:
            self._transport.write(self._head)
        self._head = None
        while not (self._unread or self._over):
            self._arrival = self._loop.create_future()
            await self._arrival
        if self._error is not None and not self._unread:
            raise httpcore2.ReadError(str(self._error)) from self._error
        self._answered = True
        return self._take(max_bytes)

    async def write(self, buffer: bytes, **_: object) -> None:  # type: ignore[override]
        if self._head is None:
            self._begin(buffer)
            return
        buffer, self._head = self._head + buffer, b""
        if not buffer:
            return
        if self._over:
            raise httpcore2.WriteError(str(self._error or "the receiver hung up"))
        journey = current.get()
        journey.start("send")
        journey.sent = True
        self._transport.write(buffer)
        if self._departure is not None:
            await self._departure
        journey.start("wait")

    async def aclose(self) -> None:
        self._transport.abort()  # a polite end would wait for a receiver that no longer reads

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own signature
        if info == "is_readable":
            return self._over or bool(self._unread)
        return self._transport.get_extra_info(_LOOPS_NAMES.get(info, info))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a protocol of streams gets no other

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if len(self._unread) > MOST_UNREAD:
            self._transport.pause_reading()
        _wake(self._arrival)

    def eof_received(self) -> None:
        self._over = True
        _wake(self._arrival)

    def connection_lost(self, exc: Exception | None) -> None:
        self._over, self._error = True, exc
        _wake(self._arrival)
        _wake(self._departure)

    def pause_writing(self) -> None:
        self._departure = self._loop.create_future()

    def resume_writing(self) -> None:
        _wake(self._departure)
        self._departure = None

    def _refuse_what_came_in_plain(self) -> None:
        """It would pass for the beginning of an answer."""
        if self._over or self._unread:
            message = "the receiver hung up, or spoke, before the handshake"
            raise ConnectionAbortedError(message)

    def _begin(self, head: bytes) -> None:
        if self._answered and (self._over or self._unread or _readable(self._transport)):
            raise httpcore2.ConnectionNotAvailable
        self._head = head

    def _take(self, most: int) -> bytes:
        taken = bytes(self._unread[:most])
        del self._unread[:most]
        if len(self._unread) <= MOST_UNREAD:
            self._transport.resume_reading()
        return taken


def _readable(transport: asyncio.Transport) -> bool:
    """Ask the system: the event loop may not have come to look yet."""
    poll = select.poll()
    poll.register(transport.get_extra_info("socket"), select.POLLIN)
    return bool(poll.poll(0))


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
