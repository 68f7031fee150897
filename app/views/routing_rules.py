"""The routing rules for programs, in the predecessor's shape."""

from starlette.responses import JSONResponse, Response

from app.events import Event
from app.integrations.network import Gate
from app.jobs.routing import Unfit, save, told
from app.rules.routing import Problem, read
from app.rules.words import say
from app.views.frame import signed_in_as
from app.web.json_object import json_object
from app.web.state import Request

ROOM = 512 * 1024  # bytes of a list of rules


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        return JSONResponse({"success": True} | await told(db))


async def create(request: Request) -> Response:
    """Save the whole list, or nothing of it."""
    state = request.state
    routes = read((await json_object(request)).get("rules"))
    if isinstance(routes, Problem):
        return _refused(routes)
    gate, by = Gate.of(state["config"]), signed_in_as(request)
    try:
        async with state["database"].transaction() as db:
            await save(db, routes, gate=gate, vault=state["vault"], by=by, now=state["now"]())
            config = (await told(db))["config"]
    except Unfit as unfit:
        return _refused(unfit.problem)
    await state["queue"].publish(Event.RULE_CHANGED)
    return JSONResponse({"success": True, "message": "Routing rules saved.", "config": config})


def _refused(problem: Problem) -> JSONResponse:
    which = f"Rule {problem.number}: " if problem.number else ""
    return JSONResponse({"success": False, "message": f"{which}{say(problem.reason)}"}, 400)
