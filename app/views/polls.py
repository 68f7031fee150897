"""Check mails now, and see how far that is."""

from starlette.responses import JSONResponse, Response

from app.events import Event
from app.jobs.poll import request_polls
from app.models import Mailbox, Run
from app.models.run import POLL
from app.models.standing import standing
from app.views.frame import find_run, framed, path, signed_in_as
from app.web.errors import Refused
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_
from app.web.state import Request


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        run = await find_run(db, request, POLL)
        mailbox = await db.get(Mailbox, run.mailbox_id)
        return await framed(request, db, "polls/show.html", fragment="poll", run=run, mailbox=mailbox)


async def create(request: Request) -> Response:
    await _poll_all(request)
    if not wants_fragment(request):
        return go(request, path(request, "overview"))
    async with request.state["database"].reading() as db:
        strip = await standing(db, request.state["now"]())
    return fragments(request, "strip.html#strip", strip=strip)


async def create_from_program(request: Request) -> Response:
    runs = await _poll_all(request)
    ids = [run.id for run in runs]
    answer = {"status": "success", "message": "Poll started", "run_id": ids[0], "run_ids": ids}
    return JSONResponse({"success": True, **answer}, 202)


async def _poll_all(request: Request) -> list[Run]:
    queue = request.state["queue"]
    async with request.state["database"].transaction() as db:
        runs = await request_polls(db, by=signed_in_as(request), now=request.state["now"]())
    if not runs:
        raise Refused(N_("No mailbox is connected yet: there is nothing to check."))
    for run in runs:
        await queue.poll(run.mailbox_id or 0, run.id)
    await queue.publish(Event.RUN_CHANGED)
    return runs
