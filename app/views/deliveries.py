"""Every webhook that was made, what became of it, and sending it again."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.datastructures import FormData
from starlette.responses import Response

from app.events import Event
from app.jobs.copies import as_new, on_its_way
from app.models import Delivery, Endpoint, Message, Run, history, replay
from app.models.delivery import FINISHED
from app.models.history import DeliveryFilter
from app.models.replay import Left
from app.models.story import DeliveryStory, of_delivery
from app.rules.address import host_of
from app.views.attempts import readable, show_attempt
from app.views.fields import text
from app.views.frame import (
    framed,
    here,
    minute,
    moment_of,
    number_of,
    path,
    query_without,
    signed_in_as,
    text_of,
)
from app.web.errors import NotFound, Refused
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_
from app.web.state import Request

RECENT = 10  # replays
HINDRANCES = {
    Left.RECEIVER_DELETED: N_("Its receiver was deleted: nothing goes there any more."),
    Left.NOT_KEPT: N_("Neither its body nor its mail is kept any more."),
}
ASK_FIRST = N_(
    "The receiver's address was changed since: the delivery's own page asks whether it is to go there."
)


async def index(request: Request) -> Response:
    chosen = wanted(request)
    async with request.state["database"].reading() as db:
        return await framed(
            request,
            db,
            "deliveries/index.html",
            fragment="list",
            found=await history.deliveries(db, chosen, request.state["now"]()),
            choices=None if wants_fragment(request) else await history.choices(db),
            replays=[] if wants_fragment(request) else await Run.recent(db, replay.KIND, limit=RECENT),
            wanted=chosen,
            since=minute(chosen.since),
            until=minute(chosen.until, end=True),
            kept=query_without(request, "before", "lang"),
            here=here(request, "deliveries"),
        )


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        story = await of_delivery(db, request.path_params["delivery_id"], request.state["now"]())
        if story is None:
            raise NotFound
        return await framed(request, db, "deliveries/show.html", fragment="delivery", **_told(story))


async def create_retry(request: Request) -> Response:
    """Send it again, or now: with the same body and the same webhook-id."""
    delivery_id: int = request.path_params["delivery_id"]
    async with request.form(max_files=0) as form, request.state["database"].transaction() as db:
        delivery = await db.get(Delivery, delivery_id, with_for_update=True)
        if delivery is None:
            raise NotFound
        await _may_go(db, delivery, form)
        try:
            delivery.send_again(request.state["now"](), signed_in_as(request))
        except ValueError:
            raise Refused(N_("This delivery is on its way already.")) from None
        db.add(delivery)
        await db.flush()
        story = await of_delivery(db, delivery_id, request.state["now"]())

    await request.state["queue"].deliver()
    await request.state["queue"].publish(Event.DELIVERY_CHANGED)
    if story is None or not wants_fragment(request):
        return go(request, path(request, "delivery", delivery_id=delivery_id))
    return fragments(request, "deliveries/show.html#delivery", **_told(story))


async def create_copy(request: Request) -> Response:
    """Send the same once more under a webhook-id of its own."""
    delivery_id: int = request.path_params["delivery_id"]
    async with request.form(max_files=0) as form, request.state["database"].transaction() as db:
        delivery = await db.get(Delivery, delivery_id, with_for_update=True)
        if delivery is None:
            raise NotFound
        if delivery.state not in FINISHED:
            raise Refused(N_("This delivery has not ended yet."))
        await _may_go(db, delivery, form)
        if await on_its_way(db, delivery):
            raise Refused(N_("One like it is on its way already."))
        copy = await as_new(db, delivery, by=signed_in_as(request), now=request.state["now"]())
        await db.flush()

    await request.state["queue"].deliver()
    await request.state["queue"].publish(Event.DELIVERY_CHANGED)
    return go(request, path(request, "delivery", delivery_id=copy.id))


async def _may_go(db: AsyncSession, delivery: Delivery, form: FormData) -> None:
    endpoint = await db.get_one(Endpoint, delivery.endpoint_id)
    message = await db.get_one(Message, delivery.message_id)
    gone = delivery.body is None and message.source_removed_at is not None
    hindrance = replay.hindrance(endpoint, gone=gone)
    if hindrance is not None:
        raise Refused(HINDRANCES[hindrance])
    if replay.goes_elsewhere(delivery, endpoint) and not _agreed(form, endpoint):
        raise Refused(ASK_FIRST)


def _agreed(form: FormData, endpoint: Endpoint) -> bool:
    """Say whether the reader has agreed to the address of this moment, not to one before it."""
    return endpoint.url_since is not None and text(form, "confirmed") == endpoint.url_since.isoformat()


def wanted(request: Request) -> DeliveryFilter:
    return DeliveryFilter(
        state=text_of(request, "state"),
        endpoint=number_of(request, "endpoint"),
        rule=number_of(request, "rule"),
        since=moment_of(request, "from"),
        until=moment_of(request, "to", end=True),
        text=text_of(request, "q"),
        before=number_of(request, "before"),
    )


def _told(story: DeliveryStory) -> dict[str, Any]:
    delivery, endpoint = story.row.delivery, story.endpoint
    gone = delivery.body is None and story.row.message.source_removed_at is not None
    return {
        "story": story,
        "attempts": [show_attempt(one, url=endpoint.url, body=delivery.body) for one in story.attempts],
        "body": readable(delivery.body) if delivery.body is not None else "",
        "hindrance": replay.hindrance(endpoint, gone=gone) if delivery.finished_at else None,
        "elsewhere": replay.goes_elsewhere(delivery, endpoint),
        "host": endpoint.host,
        "host_then": _host_then(story),
    }


def _host_then(story: DeliveryStory) -> str:
    """Name the host it was last sent to before the receiver's address was changed, where that is known."""
    urls = [one.url for one in story.attempts if one.url and story.endpoint.moved_after(one.started_at)]
    return host_of(urls[0]) if urls else ""
