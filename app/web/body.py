"""Lets go of requests whose body is too large or does not arrive in time.

Starlette's own limit answers past our headers and pages, and goes on listening to whoever goes on sending.
"""

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.errors import show_error
from app.web.state import Request

LARGEST = 64 * 1024  # bytes: our forms
PASSED_OVER = 1024 * 1024  # bytes that are thrown away so that the sender can read why it was refused
SILENCE = 10.0  # seconds between two pieces
WHOLE = 30.0  # seconds for all of them
WITHOUT = {"GET", "HEAD", "OPTIONS"}  # we read no body of these


class BodyLimits:
    def __init__(
        self, app: ASGIApp, *, largest: int = LARGEST, silence: float = SILENCE, whole: float = WHOLE
    ) -> None:
        self.app = app
        self.largest = largest
        self.silence = silence
        self.whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else {}
        if headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in headers:
            await self.app(scope, receive, send)
            return
        body = _Body(receive, self)
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
    def __init__(self, receive: Receive, limits: BodyLimits) -> None:
        self.complete = False
        self._receive = receive
        self._limits = limits
        self._clock = asyncio.get_running_loop().time
        self._deadline = self._clock() + limits.whole
        self._taken = 0

    async def receive(self) -> Message:
        if self.complete:  # what is awaited now is the reader's leaving
            return await self._receive()
        message = await self._next()
        if self._taken > self._limits.largest:
            while not self.complete and self._taken < PASSED_OVER:
                await self._next()
            raise HTTPException(413)
        return message

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout_at(min(self._deadline, self._clock() + self._limits.silence)):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408) from None
        self._taken += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        return message
