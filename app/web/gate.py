"""Closed by default: every route asks for a session, but for one visible list."""

from urllib.parse import urlencode, urlsplit

from sqlmodel import select
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.models import Session, Setting
from app.web.addresses import route_name
from app.web.errors import SENTENCES, is_api
from app.web.htmx import current_page, go, wants_fragment
from app.web.i18n import in_zone, reader
from app.web.sessions import cookie_name, find_session, hash_token, note_seen
from app.web.state import Request


class SessionGate:
    def __init__(self, app: ASGIApp, *, public: frozenset[str], https: bool) -> None:
        self.app = app
        self.public = public
        self.cookie = cookie_name(https=https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or route_name(scope["app"].routes, scope) in self.public:
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        session = await self._recognise(request)
        if session is None:
            await _send_to_sign_in(request)(scope, receive, send)
            return
        scope["state"]["session"] = session
        await self.app(scope, receive, send)
        # after the answer, so that nobody waits for a writer
        await note_seen(request.state["database"], session, reader().now)

    async def _recognise(self, request: Request) -> Session | None:
        token = request.cookies.get(self.cookie, "")
        if not token:
            return None
        async with request.state["database"].reading() as db:
            session = await find_session(db, hash_token(token), reader().now)
            zone = (await db.exec(select(Setting.zone))).first()
        in_zone(zone or reader().zone)
        return session


def _send_to_sign_in(request: Request) -> Response:
    if is_api(request):
        return JSONResponse({"success": False, "message": SENTENCES[401]}, 401)
    if "text/event-stream" in request.headers.get("Accept", ""):
        return Response(status_code=401)  # ends the stream for good; a page in its place would not
    wanted = _wanted(request)
    return go(request, f"/login?{urlencode({'next': wanted})}" if wanted not in {"", "/"} else "/login")


def _wanted(request: Request) -> str:
    """Give the page to come back to; `POST /login` looks at it before it sends anybody there."""
    if wants_fragment(request):
        return _without_host(current_page(request))
    if request.method not in {"GET", "HEAD"}:
        return ""
    query = request.scope["query_string"].decode("latin-1")
    return f"{request.scope['path']}?{query}" if query else request.scope["path"]


def _without_host(address: str) -> str:
    try:
        return urlsplit(address)._replace(scheme="", netloc="", fragment="").geturl()
    except ValueError:
        return ""
