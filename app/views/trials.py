"""Drafts tried over the mail that came: asking for it, how far it is, and what it found."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.events import Event
from app.jobs.draft import MOST_WAITING, judge_again, moment_of, request_trial, saved_as
from app.jobs.rehearse import Rehearsal
from app.models import Change, Rule, Run, Setting, rulebook, trial
from app.models.setting import Sending
from app.rules import draft
from app.views.fields import number_in
from app.views.frame import find_run, framed, here, number_of, path, query_without, signed_in_as, text_of
from app.views.rehearsals import outlook, read_letter
from app.views.rule_fields import fields_of
from app.views.rule_form import raw_from
from app.views.rule_page import Writing, show_form
from app.web.errors import NotFound, Refused
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_
from app.web.state import Request

DAYS = 7  # unless somebody says otherwise
LISTS = (Change.GAINED, Change.LOST, Change.CHANGED)


async def create(request: Request) -> Response:
    async with request.form(max_files=0) as form:
        raw, days = raw_from(form), number_in(form, "days")
        rule_id, based_on = number_in(form, "rule_id"), number_in(form, "version")
    async with request.state["database"].transaction() as db:
        rule = await db.get(Rule, rule_id) if rule_id else None
        if rule_id and rule is None:
            raise NotFound
        endpoints = await rulebook.receiver_names(db)
        value, problems = draft.read(raw, endpoints=endpoints, rule_id=rule_id or 0)
        if value is None:
            writing = Writing(raw=raw, rule=rule, based_on=based_on or 0, problems=problems)
            return await show_form(request, db, writing, status=422)
        if await Run.waiting(db, trial.KIND) >= MOST_WAITING:
            raise Refused(N_("Several trials wait already: cancel one, or let them end."))
        by, now = signed_in_as(request), request.state["now"]()
        run = request_trial(db, value, days=days or DAYS, by=by, now=now, based_on=based_on or 0)
        await db.flush()

    await request.state["queue"].trial()
    await request.state["queue"].publish(Event.RUN_CHANGED)
    return go(request, path(request, "trial", run_id=run.id))


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        run = await find_run(db, request, trial.KIND)
        return await framed(
            request, db, "trials/show.html", fragment="trial", **await _shown(request, db, run)
        )


async def create_cancellation(request: Request) -> Response:
    async with request.state["database"].transaction() as db:
        run = await find_run(db, request, trial.KIND)
        if run.ended_at is not None:
            raise Refused(N_("This trial has ended already."))
        run.cancel(request.state["now"]())
        await db.flush()
        shown = await _shown(request, db, run)

    await request.state["queue"].publish(Event.RUN_CHANGED)
    if not wants_fragment(request):
        return go(request, path(request, "trial", run_id=run.id))
    return fragments(request, "trials/show.html#trial", **shown)


async def show_message(request: Request) -> Response:
    """Explain both sides for one mail of a trial, judged again on the spot."""
    message_id: int = request.path_params["message_id"]
    async with request.state["database"].reading() as db:
        run = await find_run(db, request, trial.KIND)
        result = await trial.result(db, run.id or 0, message_id)
    letter, _ = await read_letter(request, message_id)
    if result is None or letter is None:
        raise NotFound
    async with request.state["database"].reading() as db:
        live, tried = await judge_again(db, run, result, letter)
        return await framed(
            request,
            db,
            "trials/message.html",
            fragment="comparison",
            run=run,
            message=letter.message,
            result=result,
            at=moment_of(letter.message),
            paused=await _paused(db),
            sides=[("live", await outlook(db, live)), ("draft", await outlook(db, tried))],
            outdated=_differs(live, result.live) or _differs(tried, result.draft),
        )


async def _shown(request: Request, db: AsyncSession, run: Run) -> dict[str, Any]:
    """Give what the page of a trial says: the list that is asked for, else the first that holds something."""
    counts = run.details["counts"]
    first = next((change for change in LISTS if counts.get(change)), Change.GAINED)
    wanted = text_of(request, "show")
    show, before = Change(wanted) if wanted in LISTS else first, number_of(request, "before")
    return {
        "run": run,
        "rule": run.details["draft"]["name"],
        "fields": fields_of(run.details["draft"]),
        "saved": await saved_as(db, run),
        "lists": LISTS,
        "show": show,
        "found": await trial.results(db, run.id or 0, show, before=before),
        "pace": trial.pace(run, request.state["now"]()),
        "before": before,
        "paused": await _paused(db),
        "kept": query_without(request, "before", "lang"),
        "here": here(request, "trial", run_id=run.id),
    }


async def _paused(db: AsyncSession) -> bool:
    """Whether sending is off at this moment, which no trial counts."""
    return (await Setting.load(db)).sending is not Sending.ON


def _differs(rehearsal: Rehearsal, kept: dict[str, Any]) -> bool:
    """Whether the rules or settings have changed so that the mail's fate is another one by now."""
    judgement = rehearsal.judgement
    return (kept["verdict"], kept["reason"]) != (judgement.verdict.value, judgement.reason.to_json())
