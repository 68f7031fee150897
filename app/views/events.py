"""The stream of event names that keeps a page live; a page that hears one fetches what it shows of it."""

import asyncio
from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.models import Session
from app.web.errors import show_error
from app.web.live import Listener, Live
from app.web.sessions import find_session
from app.web.state import Request

PING = 15  # seconds between two signs of life
RECHECK = 30.0  # seconds between two looks at the session
UNSENT = 10.0  # seconds after which a reader who takes nothing is given up


async def index(request: Request) -> Response:
    session, live = request.state["session"], request.state["live"]
    listener = live.join(session.token_hash) if session else None
    if session is None or listener is None:
        return show_error(request, 429)
    return Stream(live, listener, names(request, listener, session))


class Stream(EventSourceResponse):
    """Leaves the fan-out however it ends, even before its first line."""

    def __init__(self, live: Live, listener: Listener, content: AsyncIterator[ServerSentEvent]) -> None:
        super().__init__(content, ping=PING, send_timeout=UNSENT)
        self._live = live
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._live.leave(self._listener)


async def names(
    request: Request, listener: Listener, session: Session, *, recheck: float = RECHECK
) -> AsyncIterator[ServerSentEvent]:
    """Give the names as they come, while the session lasts."""
    clock = asyncio.get_running_loop().time
    yield ServerSentEvent(comment="open")
    look_at = clock() + recheck
    while not listener.closed:
        for event in await listener.hear(within=max(0.0, look_at - clock())):
            yield ServerSentEvent(event=event.value, data="")
        if clock() < look_at:
            continue
        async with request.state["database"].reading() as db:
            if await find_session(db, session.token_hash, request.state["now"]()) is None:
                return
        look_at = clock() + recheck
