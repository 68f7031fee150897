"""One mail sent once more by the rules as they are now: what goes where, and doing it."""

from dataclasses import replace

from starlette.responses import Response

from app.events import Event
from app.jobs.afresh import plan, send
from app.jobs.letter import Letter
from app.models import MessageState
from app.views.fields import text
from app.views.frame import framed, path, signed_in_as
from app.views.rehearsals import outlook, read_letter
from app.views.replays import UNCONFIRMED
from app.web.errors import NotFound, Refused
from app.web.htmx import go
from app.web.i18n import N_
from app.web.state import Request


async def new(request: Request) -> Response:
    letter, now = await _letter(request), request.state["now"]()
    async with request.state["database"].reading() as db:
        planned = await plan(db, letter, by=signed_in_as(request), now=now)
        seen = await outlook(db, planned.rehearsal)
        bodies = [one for one in seen.sendables if one.webhook.outcome in planned.going]
        return await framed(
            request,
            db,
            "replays/mail.html",
            fragment="plan",
            message=letter.message,
            planned=planned,
            rules={rule.id: rule.name for rule in planned.rehearsal.rules},
            why={one.rule_id: one for one in planned.going},
            outlook=replace(seen, sendables=bodies),
            now=now,
        )


async def create(request: Request) -> Response:
    async with request.form(max_files=0) as form:
        seen, confirmed = text(form, "seen"), bool(text(form, "confirmed"))
    letter, now = await _letter(request), request.state["now"]()
    async with request.state["database"].transaction() as db:
        planned = await plan(db, letter, by=signed_in_as(request), now=now)
        if not planned.made:
            raise Refused(N_("The rules as they are now send this mail nowhere."))
        if planned.signature != seen:
            raise Refused(N_("What it would come to has changed since you looked: look again."))
        if planned.moved and not confirmed:
            raise Refused(UNCONFIRMED)
        await send(db, planned, by=signed_in_as(request), now=now)

    await request.state["queue"].deliver()
    await request.state["queue"].publish(Event.MESSAGE_CHANGED, Event.DELIVERY_CHANGED)
    return go(request, path(request, "message", message_id=letter.message.id))


async def _letter(request: Request) -> Letter:
    """Read the mail, whose own verdict must stand before it can have another one beside it."""
    message_id: int = request.path_params["message_id"]
    letter, failure = await read_letter(request, message_id)
    if letter is None and failure is None:
        raise NotFound
    if letter is None or letter.message.state is not MessageState.DECIDED:
        raise Refused(N_("The rules cannot be asked: this mail has no verdict, or cannot be read."))
    return letter
