"""The receivers: how each is doing, and what is done to one as a whole."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.events import Event
from app.jobs import receivers as work
from app.jobs.receiver_form import kept_headers
from app.models import Endpoint, EndpointState, receivers
from app.rules import endpoint_draft
from app.views.attempts import show_test
from app.views.fields import text
from app.views.frame import framed, path, signed_in_as
from app.web.errors import NotFound, Refused
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_
from app.web.state import Request

PAGE = "endpoints/show.html"
GONE = N_("This receiver was deleted: nothing can be changed about it.")
CHANGED = N_("Not done: this receiver was changed meanwhile. Look at it again.")
IN_USE = N_("Rules still send to this receiver, or it is the mirror: let them go elsewhere first.")


async def index(request: Request) -> Response:
    now = request.state["now"]()
    async with request.state["database"].reading() as db:
        return await framed(
            request,
            db,
            "endpoints/index.html",
            fragment="list",
            rows=await receivers.listed(db, now),
            deleted=await receivers.deleted(db),
        )


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        endpoint = await find(db, request, locked=False, gone=True)
        return await framed(request, db, PAGE, fragment="endpoint", **await _shown(request, db, endpoint))


async def create_activation(request: Request) -> Response:
    """Pause it, or let things go to it again; then what it holds may join the line at once."""
    async with request.form(max_files=0) as form:
        active, releases = {"true": True, "false": False}.get(text(form, "active")), "release" in form
    if active is None:
        raise HTTPException(400)
    by, now = signed_in_as(request), request.state["now"]()
    async with request.state["database"].transaction() as db:
        endpoint = await find(db, request)
        if not active:
            work.pause(db, endpoint, by=by, now=now)
        else:
            work.resume(db, endpoint, by=by, now=now)
        if active and releases:
            await work.release(db, endpoint, by=by, now=now)

    await request.state["queue"].deliver()
    return await changed(request, endpoint)


async def create_release(request: Request) -> Response:
    """Put what it holds back in the line, the oldest first."""
    async with request.state["database"].transaction() as db:
        endpoint = await find(db, request)
        event = await work.release(db, endpoint, by=signed_in_as(request), now=request.state["now"]())
    if event is None:
        raise Refused(N_("Nothing was changed: none of these deliveries is where it was."))

    await request.state["queue"].deliver()
    return await changed(request, endpoint)


async def new_deletion(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        endpoint = await find(db, request, locked=False)
        receiver = await receivers.described(db, endpoint, request.state["now"]())
        return await framed(request, db, "endpoints/deletion.html", fragment="deletion", receiver=receiver)


async def create_deletion(request: Request) -> Response:
    async with request.state["database"].transaction() as db:
        endpoint = await find(db, request)
        if await receivers.in_use(db, endpoint):
            raise Refused(IN_USE)
        await work.delete(db, endpoint, by=signed_in_as(request), now=request.state["now"]())

    await request.state["queue"].publish(Event.DELIVERY_CHANGED)
    return go(request, path(request, "endpoints"))


async def find(db: AsyncSession, request: Request, *, locked: bool = True, gone: bool = False) -> Endpoint:
    """Give the receiver of the address, locked against others unless it is only shown."""
    number = request.path_params["endpoint_id"]
    endpoint = await db.get(Endpoint, number, with_for_update=locked or None)
    if endpoint is None:
        raise NotFound
    if endpoint.state is EndpointState.DELETED and not gone:
        raise Refused(GONE)
    return endpoint


@contextmanager
def unchanged() -> Iterator[None]:
    """Refuse what was asked on a page that shows how the receiver was before."""
    try:
        yield
    except work.ChangedMeanwhile:
        raise Refused(CHANGED) from None


async def changed(request: Request, endpoint: Endpoint) -> Response:
    """Tell the pages, and show the receiver as it is now."""
    await request.state["queue"].publish(Event.DELIVERY_CHANGED)
    if not wants_fragment(request):
        return go(request, path(request, "endpoint", endpoint_id=endpoint.id))
    async with request.state["database"].reading() as db:
        shown = await _shown(request, db, await find(db, request, locked=False))
    return fragments(request, f"{PAGE}#endpoint", **shown)


async def _shown(request: Request, db: AsyncSession, endpoint: Endpoint) -> dict[str, Any]:
    headers = kept_headers(endpoint, request.state["vault"])
    now = request.state["now"]()
    return {
        "receiver": await receivers.described(db, endpoint, now),
        "does": told(request, {**endpoint.model_dump(), "extra_headers": headers}),
        "insecure_allowed": request.state["config"].allow_insecure_tls,
        "overlaps": len(endpoint.secrets_at(now)) > 1,
        "seen": work.mark_of_secret(endpoint),
        "attempts": await receivers.last_attempts(db, endpoint),
        "tests": [show_test(test, url=endpoint.url) for test in await receivers.last_tests(db, endpoint)],
    }


def told(request: Request, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Say what a receiver does here: what the environment does not allow has no effect."""
    unverified = request.state["config"].allow_insecure_tls and values.get("verify_tls") is False
    return [reason.to_json() for reason in endpoint_draft.effect({**values, "verify_tls": not unverified})]
