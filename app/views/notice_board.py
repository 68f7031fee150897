"""Put away what was told on the overview: one notice, or all that stood there."""

from sqlalchemy import ColumnElement, update
from sqlmodel import col
from starlette.responses import Response

from app.events import Event
from app.models import Notice
from app.models.notice import Board
from app.views.fields import number_in
from app.views.frame import path
from app.web.errors import NotFound
from app.web.htmx import fragments, go, wants_fragment
from app.web.state import Request


async def create_dismissal(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        if await db.get(Notice, request.path_params["notice_id"]) is None:
            raise NotFound
    return await _put_away(request, col(Notice.id) == request.path_params["notice_id"])


async def create_dismissals(request: Request) -> Response:
    """Put away what there was up to the newest that stood on the page; what came since stays."""
    async with request.form(max_files=0, max_fields=5) as form:
        newest = number_in(form, "newest") or 0
    return await _put_away(request, col(Notice.id) <= newest)


async def _put_away(request: Request, which: ColumnElement[bool]) -> Response:
    async with request.state["database"].transaction() as db:
        unseen = update(Notice).where(which, col(Notice.seen_at).is_(None))
        await db.exec(unseen.values(seen_at=request.state["now"]()))
        board = await Board.load(db)

    await request.state["queue"].publish(Event.PROCESS_CHANGED)
    if not wants_fragment(request):
        return go(request, path(request, "overview"))
    return fragments(request, "overview/notices.html#notices", board=board)
