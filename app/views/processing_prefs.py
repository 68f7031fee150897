"""The preferences for programs, in the predecessor's shape."""

from starlette.responses import JSONResponse, Response

from app.events import Event
from app.jobs.preferences import save, told
from app.rules.preferences import read
from app.rules.verdict import Reason
from app.rules.words import say
from app.views.frame import signed_in_as
from app.web.json_object import json_object
from app.web.state import Request


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        return JSONResponse({"success": True, "prefs": await told(db)})


async def create(request: Request) -> Response:
    """Save the preferences that the body names, or none of them."""
    values, problems = read(await json_object(request))
    for name, reason in problems.items():
        return _refusal(name, reason)
    async with request.state["database"].transaction() as db:
        obstacle = await save(db, values, by=signed_in_as(request), now=request.state["now"]())
        prefs = await told(db)
    if obstacle is not None:
        return _refusal(*obstacle)
    await request.state["queue"].publish(Event.ALL_CHANGED)
    return JSONResponse({"success": True, "message": "Preferences saved.", "prefs": prefs})


def _refusal(name: str, reason: Reason) -> Response:
    return JSONResponse({"success": False, "message": f"{name}: {say(reason)}"}, 400)
