"""What is held, when it goes, and letting it go or drop by hand, one or thousands at once."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.datastructures import FormData
from starlette.responses import Response

from app.events import Event
from app.jobs import intervene
from app.jobs.intervene import Chosen
from app.models import LogEvent, Sending, Setting, history
from app.models import held as queue
from app.models.held import HeldFilter, Place
from app.rules.text import whole_number
from app.views.fields import cleaned, number_in, text
from app.views.frame import framed, here, number_of, path, query_without, signed_in_as, text_of
from app.web.errors import Refused
from app.web.htmx import go, toast, wants_fragment
from app.web.i18n import N_
from app.web.state import Request

DONE = {intervene.RELEASED, intervene.DROPPED, intervene.TAKEN_BACK}
WORDS = {
    "paused": N_("sending is paused"),
    "waits_in_line": N_("waits for its turn"),
    "before_window": N_("before the opening"),
    "after_window": N_("after the closing"),
    "absence_day": N_("a day of absence"),
    "vacation": N_("vacation"),
    "receiver": N_("its receiver"),
}
FILTER = ("q", "why", "endpoint", "rule")

Act = Callable[..., Awaitable[LogEvent | None]]


async def index(request: Request) -> Response:
    wanted, after = _wanted(request), Place.read(text_of(request, "after"))
    async with request.state["database"].reading() as db:
        return await framed(
            request,
            db,
            "held/index.html",
            fragment="list",
            found=await queue.held(db, wanted, after),
            wanted=wanted,
            owed=await queue.without_receiver(db, number_of(request, "before")),
            setting=await Setting.load(db),
            first=after is None,
            kept=query_without(request, "after", "before", "lang", "told"),
            here=here(request, "held", "told"),
            **({} if wants_fragment(request) else await _above(request, db)),
        )


async def create_release(request: Request) -> Response:
    async with request.form(max_files=0) as form:
        chosen, origin = _chosen(form), _origin(form)
    return await _intervene(request, partial(intervene.release, chosen=chosen), origin)


async def create_drop(request: Request) -> Response:
    async with request.form(max_files=0) as form:
        chosen, origin = _chosen(form), _origin(form)
    return await _intervene(request, partial(intervene.drop, chosen=chosen), origin)


async def create_restoration(request: Request) -> Response:
    """Take back what was dropped at one go."""
    async with request.form(max_files=0) as form:
        batch, origin = text(form, "batch"), _origin(form)
    return await _intervene(request, partial(intervene.take_back, batch=batch), origin)


async def _intervene(request: Request, act: Act, origin: dict[str, str]) -> Response:
    async with request.state["database"].transaction() as db:
        event = await act(db, by=signed_in_as(request), now=request.state["now"]())
        sending = (await Setting.load(db)).sending
    if event is None:
        raise Refused(N_("Nothing was changed: none of these deliveries is where it was."))

    await request.state["queue"].deliver()
    await request.state["queue"].publish(Event.DELIVERY_CHANGED)
    if wants_fragment(request):
        return toast(request, "held/told.html", status=200, event=event, paused=sending is Sending.PAUSED)
    return go(request, _back(request, origin, event))


def _wanted(request: Request) -> HeldFilter:
    return HeldFilter(
        why=text_of(request, "why"),
        endpoint=number_of(request, "endpoint"),
        rule=number_of(request, "rule"),
        text=text_of(request, "q"),
    )


async def _above(request: Request, db: AsyncSession) -> dict[str, Any]:
    """Give what stands above the list: what it can be narrowed to, and what was just done."""
    return {
        "reasons": {why: WORDS[why] for why in await queue.reasons(db)},
        "choices": await history.choices(db),
        "told": await _told(db, number_of(request, "told")),
    }


async def _told(db: AsyncSession, event_id: int | None) -> LogEvent | None:
    """Find what was just done, for a browser that shows no toasts."""
    event = await db.get(LogEvent, event_id) if event_id is not None else None
    return event if event is not None and event.event in DONE else None


def _chosen(form: FormData) -> Chosen:
    """Read which deliveries are meant: one by its own button, all that match, or those that are ticked."""
    if text(form, "only"):
        return Chosen(ids=tuple(_numbers(form, "only")))
    if text(form, "all"):
        return Chosen(all_of=_all_of(form))
    if not (ids := tuple(_numbers(form, "id"))):
        raise Refused(N_("Choose at least one delivery first."), status=422)
    return Chosen(ids=ids)


def _all_of(form: FormData) -> HeldFilter:
    said = _filter(form)
    return HeldFilter(
        why=said["why"],
        endpoint=whole_number(said["endpoint"]),
        rule=whole_number(said["rule"]),
        text=said["q"],
        newest=number_in(form, "newest"),
    )


def _filter(form: FormData) -> dict[str, str]:
    return {name: text(form, name).strip() for name in FILTER}


def _origin(form: FormData) -> dict[str, str]:
    """Read on which page it was asked for: a mail's own, or the list with its filters."""
    return _filter(form) | {"mail": text(form, "mail")}


def _back(request: Request, origin: dict[str, str], done: LogEvent) -> str:
    mail = whole_number(origin["mail"])
    if mail is not None:
        return path(request, "message", message_id=mail)
    told = {name: origin[name] for name in FILTER if origin[name]} | {"told": str(done.id)}
    return f"{path(request, 'held')}?{urlencode(told)}"


def _numbers(form: FormData, name: str) -> list[int]:
    found = [whole_number(cleaned(value)) for value in form.getlist(name)]
    return [one for one in found if one is not None]
