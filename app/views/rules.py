"""The rules in their order, and what can be done to each as a whole."""

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.events import Event
from app.jobs import amend
from app.models import Rule, rulebook
from app.rules.summary import summary
from app.rules.verdict import Reason
from app.views.frame import framed, path, signed_in_as
from app.web.errors import NotFound, Refused
from app.web.htmx import go, wants_fragment
from app.web.i18n import N_
from app.web.state import Request

RECENT = timedelta(days=7)
GONE = N_("This rule was deleted. Bring it back first.")


async def index(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        names = await rulebook.receiver_names(db)
        rows = await rulebook.rows(db, request.state["now"]() - RECENT)
        return await framed(
            request,
            db,
            "rules/index.html",
            fragment="list",
            rows=[(row, told(summary(row.version.as_value(), names))) for row in rows],
            archived=await rulebook.archived(db),
        )


async def create_position(request: Request) -> Response:
    async with request.form(max_files=0) as form:
        direction = form.get("direction")
    if direction not in {amend.UP, amend.DOWN}:
        raise Refused(N_("A rule moves up or down."), status=422)
    async with request.state["database"].transaction() as db:
        rule = await find(db, request)
        await amend.move(db, rule, str(direction), by=signed_in_as(request), now=request.state["now"]())
    return await _changed(request)


async def create_activation(request: Request) -> Response:
    async with request.form(max_files=0) as form:
        active, stays = form.get("active") == "true", form.get("from") == "rule"
    async with request.state["database"].transaction() as db:
        rule = await find(db, request)
        amend.switch(db, rule, active=active, by=signed_in_as(request), now=request.state["now"]())
    return await _changed(request, path(request, "rule", rule_id=rule.id) if stays else "")


async def new_deletion(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        rule = await find(db, request, locked=False)
        return await framed(request, db, "rules/deletion.html", fragment="deletion", rule=rule)


async def create_deletion(request: Request) -> Response:
    async with request.state["database"].transaction() as db:
        rule = await find(db, request)
        amend.archive(db, rule, by=signed_in_as(request), now=request.state["now"]())
    return await _changed(request, path(request, "rules"))


async def create_return(request: Request) -> Response:
    """Bring a deleted rule back, switched off and behind all others."""
    async with request.state["database"].transaction() as db:
        rule = await find(db, request, archived=True)
        await amend.bring_back(db, rule, by=signed_in_as(request), now=request.state["now"]())
    return await _changed(request, path(request, "rule", rule_id=rule.id))


async def find(db: AsyncSession, request: Request, *, archived: bool = False, locked: bool = True) -> Rule:
    """Give the rule of the address, locked against whoever else would change it, unless it is only shown."""
    rule = await db.get(Rule, request.path_params["rule_id"], with_for_update=locked or None)
    if rule is None:
        raise NotFound
    if rule.archived_at and not archived:
        raise Refused(GONE)
    return rule


def told(reasons: Sequence[Reason]) -> list[dict[str, object]]:
    """Give reasons as templates say them."""
    return [reason.to_json() for reason in reasons]


async def _changed(request: Request, url: str = "") -> Response:
    """Tell the pages, and show the list; or go to a page that is not it."""
    await request.state["queue"].publish(Event.RULE_CHANGED)
    if url or not wants_fragment(request):
        return go(request, url or path(request, "rules"))
    return await index(request)
