"""The big switch: on, draining, paused."""

from starlette.responses import Response

from app.events import Event
from app.jobs.hold import FASTEST
from app.jobs.pause import turn
from app.models import Sending
from app.models.standing import standing
from app.rules.text import whole_number
from app.views.fields import text
from app.views.frame import path, signed_in_as
from app.web.errors import Refused
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_
from app.web.state import Request


async def create(request: Request) -> Response:
    """Turn the switch; for `on`, `per_minute` says how fast what was kept back goes (0: at once)."""
    async with request.form(max_files=0) as form:
        to, per_minute = text(form, "to"), whole_number(text(form, "per_minute") or "0")
    if to not in set(Sending):
        raise Refused(N_("Sending is on, draining or paused."), status=422)
    if per_minute is None:
        raise Refused(N_("The pace is a number."), status=422)
    if per_minute > FASTEST:
        raise Refused(N_("At most 600 a minute, or 0 for all at once."), status=422)
    now = request.state["now"]()
    async with request.state["database"].transaction() as db:
        await turn(db, to=Sending(to), per_minute=per_minute, by=signed_in_as(request), now=now)
        strip = await standing(db, now)

    await request.state["queue"].deliver()
    await request.state["queue"].publish(Event.DELIVERY_CHANGED)
    if not wants_fragment(request):
        return go(request, path(request, "held"))
    return fragments(request, "strip.html#strip", "held/count.html#count", strip=strip)
