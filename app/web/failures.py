"""The border at which every unexpected error of a request ends: logged once, told plainly."""

import secrets

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.models.trouble import Trouble, trouble_of
from app.web.errors import show_error
from app.web.i18n import N_
from app.web.state import Request

SOON, LATER = 5, 60  # seconds: what somebody holds comes free, a disk waits for a person
TROUBLES = {
    Trouble.BUSY: N_("The database is busy. Nothing was changed: try again in a moment."),
    Trouble.FULL: N_("The disk is full. Nothing was changed, and nothing can be until there is room."),
    Trouble.READ_ONLY: N_("The database cannot be written. Nothing was changed."),
    Trouble.DAMAGED: N_("The database is damaged: stop the server and restore a copy."),
    Trouble.AWAY: N_("The database does not answer. Nothing was changed: try again in a moment."),
}

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
        except Exception as error:  # the web's one border; BLE001 allows it where the traceback is logged
            trouble, reference = trouble_of(error), secrets.token_hex(4)
            facts = {"reference": reference, "method": scope["method"], "route": _route(scope)}
            if trouble is None:
                log.exception("request failed", **facts)
            else:
                log.warning("database in trouble", trouble=trouble, error=_words(error), **facts)
            if not started:
                await _answer(Request(scope), trouble, reference)(scope, receive, send)


def _answer(request: Request, trouble: Trouble | None, reference: str) -> Response:
    if trouble is None:
        return show_error(request, 500, template="failure.html", reference=reference)
    answer = show_error(request, 503, TROUBLES[trouble], template="failure.html", reference=reference)
    answer.headers["Retry-After"] = str(SOON if trouble is Trouble.BUSY else LATER)
    return answer


def _words(error: Exception) -> str:
    return str(getattr(error, "orig", error))


def _route(scope: Scope) -> str:
    """Give the route's pattern; the path itself may hold a token."""
    return getattr(scope.get("route"), "path", "")
