"""Lets go of requests whose body is too large or does not arrive in time.

Starlette's own limit answers past our headers and pages, and goes on listening to whoever goes on sending.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.addresses import route_name
from app.web.errors import show_error
from app.web.state import Request

PASSED_OVER = 1024 * 1024  # bytes that are thrown away so that the sender can read why it was refused
SILENCE = 10.0  # seconds between two pieces
WITHOUT = {"GET", "HEAD", "OPTIONS"}  # we read no body of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much a request may bring, and for how long: by default what a form of ours needs."""

    largest: int = 64 * 1024  # bytes
    whole: float = 30.0  # seconds


class BodyLimits:
    """`rooms` are those of the routes, by name, that take more than a form."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        rooms: Mapping[str, Room] | None = None,
        room: Room = Room(),
        silence: float = SILENCE,
    ) -> None:
        self.app = app
        self.rooms = rooms or {}
        self.room = room
        self.silence = silence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        if headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in headers:
            await self.app(scope, receive, send)
            return
        name = route_name(scope["app"].routes, scope) if self.rooms else ""
        body = _Body(receive, self.rooms.get(name, self.room), self.silence)
        ambiguous = "Content-Length" in headers and "Transfer-Encoding" in headers  # where does it end?

        async def closing_send(message: Message) -> None:
            if message["type"] == "http.response.start" and not body.complete:
                MutableHeaders(scope=message)["Connection"] = "close"  # what is still to come is not read
            await send(message)

        if ambiguous:
            await show_error(Request(scope), 400)(scope, receive, closing_send)
        elif scope["method"] in WITHOUT:
            await self.app(scope, receive, closing_send)
        else:
            await self.app(scope, body.receive, closing_send)


class _Body:
    def __init__(self, receive: Receive, room: Room, silence: float) -> None:
        self.complete = False
        self._receive = receive
        self._largest = room.largest
        self._silence = silence
        self._clock = asyncio.get_running_loop().time
        self._deadline = self._clock() + room.whole
        self._taken = 0

    async def receive(self) -> Message:
        if self.complete:  # what is awaited now is the reader's leaving
            return await self._receive()
        message = await self._next()
        if self._taken > self._largest:
            while not self.complete and self._taken < self._largest + PASSED_OVER:
                await self._next()
            raise HTTPException(413)
        return message

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout_at(min(self._deadline, self._clock() + self._silence)):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408) from None
        self._taken += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        return message
