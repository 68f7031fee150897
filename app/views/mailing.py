"""How mails to operators fare, and one to see whether they arrive."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.jobs import notices
from app.jobs.notify import wanted
from app.models import Mailing, Setting
from app.views.frame import path, signed_in_as
from app.web.errors import Refused
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_
from app.web.state import Request

REGION = "preferences/mailing.html#mailing"


async def show(request: Request) -> Response:
    if not wants_fragment(request):
        return go(request, path(request, "preferences"))
    async with request.state["database"].reading() as db:
        return fragments(request, REGION, **await mailing_of(request, db, await Setting.load(db)))


async def create_test(request: Request) -> Response:
    """Ask for a mail to everybody who is told, at once; a worker sends it."""
    async with request.state["database"].transaction() as db:
        setting = await Setting.load(db)
        if not wanted(setting, request.state["config"]):
            raise Refused(N_("Save the switch and an address first: nobody would be told now."))
        if await notices.mail_waits(db):
            raise Refused(N_("A test mail is on its way already."))
        notices.mail_wanted(db, signed_in_as(request), request.state["now"]())
        await db.flush()
        shown = await mailing_of(request, db, setting)
    if not wants_fragment(request):
        return go(request, path(request, "preferences"))
    return fragments(request, REGION, **shown)


async def mailing_of(request: Request, db: AsyncSession, setting: Setting) -> dict[str, Any]:
    """Give what the region shows: is there a server, who would be told, how did it go."""
    return {
        "mail_server": request.state["config"].smtp_host,
        "mails_go": wanted(setting, request.state["config"]),
        "mailing": await db.get_one(Mailing, 1),
        "test_waits": await notices.mail_waits(db),
    }
