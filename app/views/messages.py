"""Every mail that was ever seen, and why it went where it went."""

from starlette.responses import Response

from app.events import Event
from app.jobs.leave import leave
from app.models import Mailbox, Message, history
from app.models.history import MessageFilter
from app.models.story import of_message
from app.views.frame import framed, here, number_of, path, query_without, signed_in_as, text_of
from app.web.errors import NotFound, Refused
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_
from app.web.state import Request


async def index(request: Request) -> Response:
    wanted = MessageFilter(
        show=text_of(request, "show"),
        text=text_of(request, "q"),
        mailbox=number_of(request, "mailbox"),
        before=number_of(request, "before"),
    )
    async with request.state["database"].reading() as db:
        return await framed(
            request,
            db,
            "messages/index.html",
            fragment="list",
            found=await history.messages(db, wanted),
            mailboxes=list((await Mailbox.names(db)).items()),
            wanted=wanted,
            kept=query_without(request, "before", "lang"),
            here=here(request, "messages"),
        )


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        story = await of_message(db, request.path_params["message_id"], request.state["now"]())
        if story is None:
            raise NotFound
        return await framed(request, db, "messages/show.html", fragment="message", story=story)


async def create_decision(request: Request) -> Response:
    """Let a mail that was set aside be decided afresh."""
    message_id: int = request.path_params["message_id"]
    async with request.state["database"].transaction() as db:
        message = await db.get(Message, message_id, with_for_update=True)  # the clean-up leaves it alone
        if message is None:
            raise NotFound
        if message.source_removed_at is not None:
            raise Refused(N_("The source of this mail is not kept any more."))
        if not message.can_be_tried_again:
            raise Refused(N_("This mail has a verdict that stands."))
        message.try_again(request.state["now"]())
        db.add(message)
        await db.flush()
        story = await of_message(db, message_id, request.state["now"]())

    await request.state["queue"].decide()
    await request.state["queue"].publish(Event.MESSAGE_CHANGED)
    if story is None or not wants_fragment(request):
        return go(request, path(request, "message", message_id=message_id))
    return fragments(request, "messages/show.html#message", story=story)


async def create_leaving(request: Request) -> Response:
    """Leave a mail as it is that nothing would come of without somebody."""
    message_id: int = request.path_params["message_id"]
    async with request.state["database"].transaction() as db:
        message = await db.get(Message, message_id, with_for_update=True)
        if message is None:
            raise NotFound
        if await leave(db, message, by=signed_in_as(request), now=request.state["now"]()) is None:
            raise Refused(N_("Nothing of this mail waits for you."))
        await db.flush()
        story = await of_message(db, message_id, request.state["now"]())

    await request.state["queue"].publish(Event.MESSAGE_CHANGED)
    if story is None or not wants_fragment(request):
        return go(request, path(request, "message", message_id=message_id))
    return fragments(request, "messages/show.html#message", story=story)
