"""The border at which every unexpected error of a request ends: logged once, told plainly."""

import secrets

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.errors import show_error
from app.web.state import Request

log = structlog.get_logger()


class Failures:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except Exception:  # the web's one border; BLE001 allows it where the traceback is logged
            reference = secrets.token_hex(4)
            log.exception("request failed", reference=reference, method=scope["method"], route=_route(scope))
            if not started:
                answer = show_error(Request(scope), 500, template="failure.html", reference=reference)
                await answer(scope, receive, send)


def _route(scope: Scope) -> str:
    """Give the route's pattern; the path itself may hold a token."""
    return getattr(scope.get("route"), "path", "")
