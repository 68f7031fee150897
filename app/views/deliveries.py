"""Every webhook that was made, what became of it, and sending it again."""

from typing import Any

from starlette.responses import Response

from app.events import Event
from app.models import Delivery, history
from app.models.history import DeliveryFilter
from app.models.story import DeliveryStory, of_delivery
from app.views.attempts import readable, show_attempt
from app.views.frame import framed, here, midnight, number_of, path, query_without, signed_in_as, text_of
from app.web.errors import NotFound, Refused
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_
from app.web.state import Request


async def index(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        return await framed(
            request,
            db,
            "deliveries/index.html",
            fragment="list",
            found=await history.deliveries(db, _wanted(request)),
            choices=None if wants_fragment(request) else await history.choices(db),
            wanted=_wanted(request),
            since=text_of(request, "from"),
            until=text_of(request, "to"),
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


def _wanted(request: Request) -> DeliveryFilter:
    return DeliveryFilter(
        state=text_of(request, "state"),
        endpoint=number_of(request, "endpoint"),
        rule=number_of(request, "rule"),
        since=midnight(request, "from"),
        until=midnight(request, "to", after=1),
        text=text_of(request, "q"),
        before=number_of(request, "before"),
    )


def _told(story: DeliveryStory) -> dict[str, Any]:
    body, url = story.row.delivery.body, story.endpoint.url
    attempts = [show_attempt(attempt, url=url, body=body) for attempt in story.attempts]
    return {"story": story, "attempts": attempts, "body": readable(body) if body is not None else ""}
