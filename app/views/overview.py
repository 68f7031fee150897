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
    N_("endpoint parked"),
    N_("mailbox answers again"),
    N_("mailbox fails"),
    N_("process died"),
    N_("process restarted"),
    N_("sign-in tried"),
    N_("signed in"),
)


async def index(request: Request) -> Response:
    now = request.state["now"]()
    async with request.state["database"].reading() as db:
        shown, today = await overview(db, now), (await standing(db, now)).counts
        return await framed(
            request,
            db,
            "overview/index.html",
            fragment="overview",
            shown=shown,
            today=today,
            insecure_tls_allowed=request.state["config"].allow_insecure_tls,
        )


async def status(request: Request) -> Response:
    """Answer with the strip that every page carries."""
    if not wants_fragment(request):
        return go(request, path(request, "overview"))
    async with request.state["database"].reading() as db:
        strip = await standing(db, request.state["now"]())
    return fragments(request, "strip.html#strip", strip=strip)
