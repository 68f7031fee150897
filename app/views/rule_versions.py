"""Writing a rule: every save is a version that stays, and that can be brought back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.events import Event
from app.jobs import amend
from app.jobs.draft import belongs_to
from app.models import Rule, RuleVersion, Run, rulebook, trial
from app.rules import draft
from app.rules.diff import Difference, Said, differences
from app.rules.rule import Rule as RuleValue
from app.rules.summary import summary
from app.rules.verdict import Problems, Reason
from app.views.fields import number_in, text
from app.views.frame import framed, number_of, path, signed_in_as
from app.views.rule_form import raw_from
from app.views.rule_page import BLANK, Writing, effect, raw_of_trial, show_form
from app.views.rule_rows import changed
from app.views.rules import find, told
from app.web.errors import NotFound, Refused
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_, gettext
from app.web.state import Request

COPY = N_("{name} (copy)")


async def new(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        raw = await raw_of_trial(db, number_of(request, "trial")) or await _beginning(db, request)
        return await show_form(request, db, Writing(raw=raw, focus="name"))


async def create(request: Request) -> Response:
    async with request.form(max_files=0) as form:
        raw, tried = raw_from(form), number_in(form, "trial")
    async with request.state["database"].transaction() as db:
        run = await Run.find(db, trial.KIND, tried)
        if run is not None and run.details["rule_id"]:
            raise Refused(N_("This draft was saved already: its trial says as which rule."))
        value, problems = await _read(db, raw)
        if value is None:
            return await show_form(request, db, Writing(raw=raw, problems=problems), status=422)
        rule = await amend.create(db, value, by=signed_in_as(request), now=request.state["now"]())
        if run is not None:
            belongs_to(run, rule)
    return await _saved(request, rule)


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        rule = await find(db, request, archived=True, locked=False)
        raw = await raw_of_trial(db, number_of(request, "trial")) or (await _in_force(db, rule)).as_draft()
        return await show_form(request, db, Writing(raw=raw, rule=rule, based_on=rule.version))


async def preview(request: Request) -> Response:
    """Show the form as a button changed it, or what the rule would do by now; nothing is kept."""
    async with request.form(max_files=0) as form:
        raw, wish = raw_from(form), text(form, "do")
        rule_id, based_on = number_in(form, "rule_id"), number_in(form, "version")
    async with request.state["database"].reading() as db:
        if not wish and wants_fragment(request):
            said = effect(raw, await rulebook.receiver_names(db))
            return fragments(request, "rules/show.html#effect", effect=said)
        rule = await db.get(Rule, rule_id) if rule_id else None
        raw["conditions"], focus = changed(raw["conditions"], wish)
        return await show_form(request, db, Writing(raw=raw, rule=rule, based_on=based_on or 0, focus=focus))


async def create_version(request: Request) -> Response:
    async with request.form(max_files=0) as form:
        raw, based_on = raw_from(form), number_in(form, "version")
    async with request.state["database"].transaction() as db:
        rule = await find(db, request)
        value, problems = await _read(db, raw, rule=rule)
        writing = Writing(raw=raw, rule=rule, based_on=rule.version, problems=problems)
        if based_on != rule.version:
            return await show_form(request, db, replace(writing, overtaken=True), status=409)
        if value is None:
            return await show_form(request, db, writing, status=422)
        if differences(await _in_force(db, rule), value, {}):
            await amend.save(db, rule, value, by=signed_in_as(request), now=request.state["now"]())
    return await _saved(request, rule)


async def show_version(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        rule = await find(db, request, archived=True, locked=False)
        version = await _version(db, rule, request.path_params["number"])
        names = await rulebook.receiver_names(db, deleted=True)
        value, current = version.as_value(), await _in_force(db, rule)
        before = await rule.in_version(db, version.number - 1)
        return await framed(
            request,
            db,
            "rules/version.html",
            fragment="version",
            rule=rule,
            version=version,
            said=told(summary(value, names)),
            changed=_shown(differences(before.as_value(), value, names)) if before else [],
            back=_shown(differences(current, value, names)),
        )


async def create_restoration(request: Request) -> Response:
    """Put an earlier version in force again, as a new one."""
    async with request.state["database"].transaction() as db:
        rule = await find(db, request)
        version = await _version(db, rule, request.path_params["number"])
        if version.number == rule.version:
            raise Refused(N_("This is the current version already."))
        by, now = signed_in_as(request), request.state["now"]()
        await amend.save(db, rule, version.as_value(), by=by, now=now, restored_from=version.number)
    return await _saved(request, rule)


async def _beginning(db: AsyncSession, request: Request) -> dict[str, Any]:
    """What a new rule says at first: nothing, or what the rule says that it is copied from."""
    copied = number_of(request, "copy")
    rule = await db.get(Rule, copied) if copied is not None else None
    if rule is not None:
        value = await _in_force(db, rule)
        return replace(value, name=gettext(COPY).format(name=value.name)).as_draft()
    only = await rulebook.receiver_names(db)
    return replace(BLANK, endpoint_ids=tuple(only) if len(only) == 1 else ()).as_draft()


async def _read(
    db: AsyncSession, raw: Mapping[str, Any], *, rule: Rule | None = None
) -> tuple[RuleValue | None, Problems]:
    endpoints = await rulebook.receiver_names(db)
    return draft.read(raw, endpoints=endpoints, rule_id=rule.id or 0 if rule else 0)


async def _in_force(db: AsyncSession, rule: Rule) -> RuleValue:
    return (await _version(db, rule, rule.version)).as_value()


async def _version(db: AsyncSession, rule: Rule, number: int) -> RuleVersion:
    version = await rule.in_version(db, number)
    if version is None:
        raise NotFound
    return version


async def _saved(request: Request, rule: Rule) -> Response:
    await request.state["queue"].decide()
    await request.state["queue"].publish(Event.RULE_CHANGED, Event.MESSAGE_CHANGED)
    return go(request, path(request, "rule", rule_id=rule.id))


def _shown(found: tuple[Difference, ...]) -> list[dict[str, Any]]:
    """Give differences as templates show them."""
    return [
        {"field": one.field, "removed": [*map(_said, one.removed)], "added": [*map(_said, one.added)]}
        for one in found
    ]


def _said(said: Said) -> str | dict[str, Any]:
    return said.to_json() if isinstance(said, Reason) else said
