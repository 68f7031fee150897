"""A receiver's secret: shown once, when it is made, and never to be read again."""

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.jobs import receivers as work
from app.models import Endpoint
from app.views.endpoints import changed, find, unchanged
from app.views.fields import text
from app.views.frame import framed, path, signed_in_as
from app.web.state import Request


async def new(request: Request) -> Response:
    """Ask before a new secret takes the place of the old one."""
    async with request.state["database"].reading() as db:
        endpoint = await find(db, request, locked=False)
        return await framed(
            request,
            db,
            "endpoints/rotation.html",
            fragment="rotation",
            endpoint=endpoint,
            overlaps=len(endpoint.secrets_at(request.state["now"]())) > 1,
            seen=work.mark_of_secret(endpoint),
        )


async def create(request: Request) -> Response:
    seen, by = await _seen(request), signed_in_as(request)
    vault, now = request.state["vault"], request.state["now"]()
    async with request.state["database"].transaction() as db:
        endpoint = await find(db, request)
        with unchanged():  # of two who ask at once, the second would end the secret that the receiver knows
            secret = work.rotate(db, endpoint, seen=seen, vault=vault, by=by, now=now)
        return await show_secret(request, db, endpoint, secret)


async def create_expiry(request: Request) -> Response:
    """Let the old secret sign no more, before its time."""
    seen, by = await _seen(request), signed_in_as(request)
    async with request.state["database"].transaction() as db:
        endpoint = await find(db, request)
        with unchanged():
            work.end_overlap(db, endpoint, seen=seen, by=by, now=request.state["now"]())
    return await changed(request, endpoint)


async def show_secret(
    request: Request, db: AsyncSession, endpoint: Endpoint, secret: str, *, first: bool = False
) -> Response:
    """Answer with the secret; a page that is loaded again is the receiver's.

    Made before the commit: no secret is kept that could not be shown.
    """
    answer = await framed(
        request,
        db,
        "endpoints/secret.html",
        fragment="secret",
        endpoint=endpoint,
        secret=secret,
        first=first,
        overlaps=len(endpoint.secrets_at(request.state["now"]())) > 1,
    )
    answer.headers["HX-Push-Url"] = path(request, "endpoint", endpoint_id=endpoint.id)
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _seen(request: Request) -> str:
    """Read which secret the page was shown with."""
    async with request.form(max_files=0) as form:
        return text(form, "seen")
