"""Every webhook that was made, what became of it, and sending it again."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.events import Event
from app.jobs.copies import as_new, on_its_way
from app.models import Delivery, Endpoint, EndpointState, Message, history, replay
from app.models.history import DeliveryFilter
from app.models.replay import FINISHED
from app.models.story import DeliveryStory, of_delivery
from app.views.attempts import readable, show_attempt
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


async def index(request: Request) -> Response:
    chosen = wanted(request)
    async with request.state["database"].reading() as db:
        return await framed(
            request,
            db,
            "deliveries/index.html",
            fragment="list",
            found=await history.deliveries(db, chosen),
            choices=None if wants_fragment(request) else await history.choices(db),
            replays=[] if wants_fragment(request) else await replay.recent(db, limit=RECENT),
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
    async with request.state["database"].transaction() as db:
        delivery = await db.get(Delivery, delivery_id)
        if delivery is None:
            raise NotFound
        await _needs_content(db, delivery)
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
    async with request.state["database"].transaction() as db:
        delivery = await db.get(Delivery, delivery_id)
        if delivery is None:
            raise NotFound
        await _may_be_copied(db, delivery)
        copy = await as_new(db, delivery, by=signed_in_as(request), now=request.state["now"]())
        await db.flush()

    await request.state["queue"].deliver()
    await request.state["queue"].publish(Event.DELIVERY_CHANGED)
    return go(request, path(request, "delivery", delivery_id=copy.id))


async def _may_be_copied(db: AsyncSession, delivery: Delivery) -> None:
    if delivery.state not in FINISHED:
        raise Refused(N_("This delivery has not ended yet."))
    if (await db.get_one(Endpoint, delivery.endpoint_id)).state is EndpointState.DELETED:
        raise Refused(N_("Its receiver was deleted: nothing goes there any more."))
    await _needs_content(db, delivery)
    if await on_its_way(db, delivery):
        raise Refused(N_("One like it is on its way already."))


async def _needs_content(db: AsyncSession, delivery: Delivery) -> None:
    if delivery.body is None and (await db.get_one(Message, delivery.message_id)).source_removed_at:
        raise Refused(N_("Neither its body nor its mail is kept any more."))


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
    body, url = story.row.delivery.body, story.endpoint.url
    attempts = [show_attempt(attempt, url=url, body=body) for attempt in story.attempts]
    return {"story": story, "attempts": attempts, "body": readable(body) if body is not None else ""}
