"""Is all well, what just happened, what can be done."""

from starlette.responses import Response

from app.models.overview import overview
from app.models.standing import standing
from app.views.frame import framed, path
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import N_
from app.web.state import Request

# The phrases of log events, which are shown as they are stored, for the catalogue.
EVENTS = (
    N_("deliveries sent again"),
    N_("dropped mail taken back"),
    N_("endpoint parked"),
    N_("held mail dropped"),
    N_("held mail released"),
    N_("mail left as it is"),
    N_("mail sent by today's rules"),
    N_("mailbox answers again"),
    N_("mailbox fails"),
    N_("notices mailed"),
    N_("notices not mailed"),
    N_("process died"),
    N_("process restarted"),
    N_("preferences saved"),
    N_("routing rules saved"),
    N_("rule brought back"),
    N_("rule deleted"),
    N_("rule moved"),
    N_("rule rolled back"),
    N_("receiver created"),
    N_("receiver deleted"),
    N_("receiver given a new secret"),
    N_("receiver paused"),
    N_("receiver resumed"),
    N_("receiver saved"),
    N_("receiver taken up again"),
    N_("receiver's old secret expired"),
    N_("rule saved"),
    N_("rule switched off"),
    N_("rule switched on"),
    N_("schedule saved"),
    N_("sending drains"),
    N_("sending paused"),
    N_("sending resumed"),
    N_("sign-in tried"),
    N_("signed in"),
    N_("storage cleaned"),
    N_("storage saved"),
)


async def index(request: Request) -> Response:
    now = request.state["now"]()
    async with request.state["database"].reading() as db:
        shown, strip = await overview(db, now), await standing(db, now)
        return await framed(
            request,
            db,
            "overview/index.html",
            fragment="overview",
            strip=strip,
            shown=shown,
            today=strip.counts,
            insecure_tls_allowed=request.state["config"].allow_insecure_tls,
        )


async def status(request: Request) -> Response:
    """Answer with the strip that every page carries."""
    if not wants_fragment(request):
        return go(request, path(request, "overview"))
    async with request.state["database"].reading() as db:
        strip = await standing(db, request.state["now"]())
    return fragments(request, "strip.html#strip", "held/count.html#count", strip=strip)
