"""What every page stands in: the status strip, and how its parts of the address are read."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.models import Run
from app.models.standing import Standing, standing
from app.rules.text import whole_number
from app.web.errors import NotFound
from app.web.htmx import page, wants_fragment
from app.web.i18n import reader
from app.web.state import Request

LONGEST = 200  # characters of a search


async def framed(
    request: Request,
    db: AsyncSession,
    name: str,
    *,
    fragment: str,
    strip: Standing | None = None,
    **context: Any,  # noqa: ANN401 - as Jinja takes it
) -> Response:
    """Answer with the page in its frame, whose `strip` may be known already; a fragment needs none."""
    if strip is None and not wants_fragment(request):
        strip = await standing(db, request.state["now"]())
    return page(request, name, fragment=fragment, strip=strip, **context)


async def find_run(db: AsyncSession, request: Request, kind: str) -> Run:
    """Find the run that the address names.

    Raises:
        NotFound: there is none of this kind.
    """
    run = await Run.find(db, kind, request.path_params["run_id"])
    if run is None:
        raise NotFound
    return run


def signed_in_as(request: Request) -> str:
    """Give the name of whoever asks, for what they save."""
    session = request.state["session"]
    return session.username if session else ""


def path(request: Request, name: str, **parameters: Any) -> str:  # noqa: ANN401 - as Starlette takes them
    """Give the address of a page of ours, without the host that the reader's browser named."""
    return str(request.app.url_path_for(name, **parameters))


def text_of(request: Request, name: str) -> str:
    return request.query_params.get(name, "").replace("\0", "").strip()[:LONGEST]


def number_of(request: Request, name: str) -> int | None:
    """Read a number of the address; what is none narrows nothing."""
    return whole_number(text_of(request, name))


def moment_of(request: Request, name: str, *, end: bool = False) -> datetime | None:
    """Read a day or a minute of the address, in the operator's zone: when it begins, or when it is over."""
    said = text_of(request, name)
    span = timedelta(minutes=1) if "T" in said else timedelta(days=1)
    try:
        at = datetime.fromisoformat(said).replace(tzinfo=None) + (span if end else timedelta(0))
        return at.replace(tzinfo=ZoneInfo(reader().zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def minute(at: datetime | None, *, end: bool = False) -> str:
    """Write such a moment as a field takes it."""
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(reader().zone)) - (timedelta(minutes=1) if end else timedelta(0))
    return local.replace(tzinfo=None).isoformat(timespec="minutes")


def here(request: Request, name: str, *without: str, **parameters: Any) -> str:  # noqa: ANN401 - as Starlette takes them
    """Give the address of this page with its filters, for a region that fetches itself anew."""
    query = query_without(request, "lang", *without)
    return f"{path(request, name, **parameters)}{'?' if query else ''}{query}"


def query_without(request: Request, *names: str) -> str:
    """Give the address's filters, for a link that keeps them."""
    kept = [(key, value) for key, value in request.query_params.multi_items() if value and key not in names]
    return urlencode(kept)
