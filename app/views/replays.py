"""Many deliveries sent again: what it would come to, how far it is, and ending it."""

from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.datastructures import FormData
from starlette.responses import Response

from app.events import Event
from app.jobs.replay import FASTEST, MOST_WAITING, PER_MINUTE, request_replay
from app.models import Message, Run, Setting, history, replay
from app.models.history import DeliveryFilter
from app.models.replay import Left, Order, Survey
from app.rules.text import whole_number
from app.rules.turns import gap
from app.views.deliveries import RECENT, wanted
from app.views.fields import number_in, text
from app.views.frame import find_run, framed, number_of, path, query_without, signed_in_as
from app.web.errors import Refused
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_, gettext
from app.web.state import Request

LONGEST_ONCE = 32  # characters that tell two forms apart
MEANWHILE = "meanwhile"
WORDS = {
    Left.ON_ITS_WAY.value: N_("on their way already"),
    Left.HELD.value: N_("held: they go in their time, or are released under “Held”"),
    Left.RECEIVER_DELETED.value: N_("their receiver was deleted"),
    Left.NOT_KEPT.value: N_("neither their body nor their mail is kept any more"),
    MEANWHILE: N_("sent again otherwise since then, or their receiver was deleted"),
}
NO_PACE = N_("A number from 0 to 6000.")
UNCONFIRMED = N_("Say that they are to go to the new address.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The form as it was filled in, and what is wrong with it by field."""

    as_new: bool = False
    per_minute: str = str(PER_MINUTE)
    newest: int | None = None
    seen: str = ""  # the signature of the survey that was shown
    once: str = field(default_factory=lambda: token_hex(8))  # one form asks once, however often it is sent
    confirmed: bool = False


async def index(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        runs = await Run.recent(db, replay.KIND, limit=RECENT)
        return await framed(request, db, "replays/index.html", fragment="replays", replays=runs)


async def new(request: Request) -> Response:
    async with request.state["long_counts"], request.state["database"].reading() as db:
        return await _show_form(request, db, await replay.survey(db, _wanted(request)), Asked())


async def create(request: Request) -> Response:
    async with request.form(max_files=0) as form:
        asked = _read(form)
    chosen = _wanted(request)
    async with request.state["long_counts"], request.state["database"].reading() as db:  # and no write waits
        found = await replay.survey(db, chosen, newest=asked.newest)
        problems = _problems(asked, found.moved)
        if problems:
            return await _show_form(request, db, found, asked, problems=problems)
    async with request.state["database"].transaction() as db:
        if (before := await replay.asked_with(db, asked.once)) is not None:
            return go(request, path(request, "replay", run_id=before.id))
        await _check(db, found, asked)
        order = Order(
            wanted=chosen, newest=found.newest, as_new=asked.as_new, per_minute=int(asked.per_minute)
        )
        by, now = signed_in_as(request), request.state["now"]()
        run = request_replay(db, order, found, by=by, now=now, once=asked.once)
        await db.flush()

    await request.state["queue"].replay()
    await request.state["queue"].publish(Event.RUN_CHANGED)
    return go(request, path(request, "replay", run_id=run.id))


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        run = await find_run(db, request, replay.KIND)
        return await framed(request, db, "replays/show.html", fragment="replay", **_shown(request, run))


async def create_cancellation(request: Request) -> Response:
    async with request.state["database"].transaction() as db:
        run = await find_run(db, request, replay.KIND)
        if run.ended_at is not None:
            raise Refused(N_("This replay has ended already."))
        run.cancel(request.state["now"]())

    await request.state["queue"].replay()
    await request.state["queue"].publish(Event.RUN_CHANGED)
    if not wants_fragment(request):
        return go(request, path(request, "replay", run_id=run.id))
    return fragments(request, "replays/show.html#replay", **_shown(request, run))


def _wanted(request: Request) -> DeliveryFilter:
    """Read the list's filter; beside it, that of one mail."""
    return replace(wanted(request), message=number_of(request, "message"), before=None)


def _read(form: FormData) -> Asked:
    return Asked(
        as_new=text(form, "id") == "new",
        per_minute=text(form, "per_minute").strip(),
        newest=number_in(form, "newest"),
        seen=text(form, "seen"),
        once=text(form, "once")[:LONGEST_ONCE],
        confirmed=bool(text(form, "confirmed")),
    )


def _problems(asked: Asked, elsewhere: set[int]) -> dict[str, str]:
    pace = whole_number(asked.per_minute)
    problems = {"per_minute": gettext(NO_PACE)} if pace is None or pace > FASTEST else {}
    return problems if asked.confirmed or not elsewhere else problems | {"confirmed": gettext(UNCONFIRMED)}


async def _check(db: AsyncSession, found: Survey, asked: Asked) -> None:
    if not found.going:
        raise Refused(N_("Nothing of this can be sent again."))
    if asked.seen != found.signature:
        raise Refused(N_("They would go elsewhere than you saw: look again."))
    if await Run.waiting(db, replay.KIND) >= MOST_WAITING:
        raise Refused(N_("Several replays wait already: cancel one, or let them end."))


async def _show_form(
    request: Request, db: AsyncSession, found: Survey, asked: Asked, *, problems: dict[str, str] | None = None
) -> Response:
    chosen = _wanted(request)
    answer = await framed(
        request,
        db,
        "replays/new.html",
        fragment="form",
        found=found,
        wanted=chosen,
        asked=asked,
        problems=problems or {},
        left=[(WORDS[left.value], count) for left, count in found.left.items()],
        choices=await history.choices(db),
        mail=await db.get(Message, chosen.message) if chosen.message is not None else None,
        setting=await Setting.load(db),
        query=query_without(request, "before", "lang"),
    )
    answer.status_code = 422 if problems else 200
    return answer


def _shown(request: Request, run: Run) -> dict[str, Any]:
    left = dict(run.details["left"])
    if run.state == "done" and run.done < run.total:
        left[MEANWHILE] = run.total - run.done
    between = gap(run.details["per_minute"])
    return {
        "run": run,
        "left": [(WORDS[word], count) for word, count in left.items()],
        "ends_at": request.state["now"]() + between * (run.total - run.done) if between else None,
    }
