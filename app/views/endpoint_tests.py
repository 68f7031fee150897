"""Asking for a test of a receiver; what came of it stands on its page."""

from starlette.responses import Response

from app.jobs.endpoint_test import MOST_WAITING, request_test, waiting
from app.views.endpoints import changed, find
from app.views.frame import signed_in_as
from app.web.errors import Refused
from app.web.i18n import N_
from app.web.state import Request


async def create(request: Request) -> Response:
    async with request.state["database"].transaction() as db:
        endpoint = await find(db, request)
        if await waiting(db, endpoint.id or 0) >= MOST_WAITING:
            raise Refused(N_("Several tests of this receiver wait already: let them end."))
        await request_test(db, endpoint, by=signed_in_as(request), now=request.state["now"]())

    await request.state["queue"].test()
    return await changed(request, endpoint)
