"""Finds out for whom the answer is made, before anything is put into words."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.i18n import LANGUAGES, READER, Reader, choose
from app.web.state import Request

COOKIE = "lang"
YEAR = 365 * 24 * 3600


class Language:
    """Reads the language from `?lang=`, which is kept in a cookie, from that cookie, or from the browser."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        asked = request.query_params.get("lang", "")
        language = choose(asked, request.cookies.get(COOKIE, ""), request.headers.get("Accept-Language", ""))

        async def keeping_send(message: Message) -> None:
            if message["type"] == "http.response.start" and asked in LANGUAGES:
                cookie = f"{COOKIE}={asked}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax"
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        token = READER.set(Reader(language=language, now=request.state["now"]()))
        try:
            await self.app(scope, receive, keeping_send)
        finally:
            READER.reset(token)
