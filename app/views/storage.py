"""What the database takes, how long its parts are kept, and what removing them would mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.events import Event
from app.jobs.retention import CLEANED
from app.models import LogEvent, Setting
from app.models.retention import count_old
from app.models.storage import Measured, measure, sizes_until, usages
from app.rules.retention import Kind, effect, full_in, per_day, read
from app.rules.verdict import Problems
from app.views.fields import text
from app.views.frame import framed, path, signed_in_as
from app.views.setting_form import form_state
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import reader
from app.web.state import Request
from app.web.templates import LOCALES

PAGE, SAVED = "storage/index.html", "storage saved"
WIDTH, HEIGHT = 600, 60  # of the curve, in its own units


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The sizes of some days as a line, and its two ends in words."""

    points: str
    first: str
    first_size: int
    last_size: int


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        setting = await Setting.load(db)
        shown = await _shown(request, db, setting, _written(setting))
        return await framed(request, db, PAGE, fragment="storage", **shown)


async def create(request: Request) -> Response:
    """Save how long things are kept; what that removes at once, somebody says twice."""
    raw, confirmed = await _raw(request)
    values, problems = read(raw)
    async with request.state["database"].reading() as db:
        setting = await Setting.load(db)
        losses = [] if problems else await _losses(request, db, setting, values)
        if problems or (losses and confirmed != _token(values)):
            shown = await _shown(request, db, setting, raw, values=values, problems=problems, losses=losses)
            return await framed(request, db, PAGE, fragment="storage", status=422, **shown)
    now, by = request.state["now"](), signed_in_as(request)
    async with request.state["database"].transaction() as db:
        setting = await Setting.load(db, for_update=True)
        changed = setting.change(values, by=by, now=now)
        db.add(LogEvent(at=now, event=SAVED, subject=by, facts={"changed": changed}))

    await request.state["queue"].publish(Event.ALL_CHANGED)
    if not wants_fragment(request):
        return go(request, path(request, "storage"))
    async with request.state["database"].reading() as db:  # to count takes longer than writers should wait
        shown = await _shown(request, db, setting, _written(setting))
    return fragments(request, f"{PAGE}#storage", **shown)


async def show_effect(request: Request) -> Response:
    """Say what the form would do, as it stands; nothing is saved."""
    values, problems = read((await _raw(request))[0])
    async with request.state["database"].reading() as db:
        said = await _said(request, db, await Setting.load(db), values)
    left_out = [(place, reason.to_json()) for place, reason in problems.items()]
    return fragments(request, f"{PAGE}#effect", said=said, left_out=left_out)


async def _losses(
    request: Request, db: AsyncSession, setting: Setting, values: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Say what goes because something is to be kept for a shorter time than now."""
    shorter = {
        kind: values[kind.setting]
        for kind in Kind
        if 0 < values[kind.setting] < (getattr(setting, kind.setting) or values[kind.setting] + 1)
    }
    days = {kind.setting: shorter.get(kind, 0) for kind in Kind}
    counts = await count_old(db, setting, days, request.state["now"]())
    return [reason.to_json() for kind, reason in zip(Kind, effect(days, counts), strict=True) if counts[kind]]


async def _said(
    request: Request, db: AsyncSession, setting: Setting, values: Mapping[str, int]
) -> list[dict[str, Any]]:
    days = _days(setting) | dict(values)
    counts = await count_old(db, setting, days, request.state["now"]())
    return [reason.to_json() for reason in effect(days, counts)]


async def _shown(
    request: Request,
    db: AsyncSession,
    setting: Setting,
    raw: Mapping[str, str],
    *,
    values: Mapping[str, int] | None = None,
    problems: Problems | None = None,
    losses: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    today, now_size = request.state["now"]().astimezone(setting.tz).date(), await measure(db)
    sizes = [*await sizes_until(db, today), (today, now_size.size)]
    taken = await usages(db)
    return {
        **await form_state(db, raw, problems, event=SAVED),
        "said": await _said(request, db, setting, values or {}),
        "losses": losses,
        "token": _token(values) if losses and values else "",
        "measured": now_size,
        "growth": per_day(sizes),
        "full_in": _full_in(now_size, sizes),
        "curve": _curve(sizes),
        "taken": [(kind.value, taken[kind], getattr(setting, kind.setting)) for kind in Kind],
        "rest": max(0, now_size.size - now_size.unused - sum(one.size for one in taken.values())),
        "cleaned": await LogEvent.latest(db, CLEANED),
    }


def _full_in(measured: Measured, sizes: Sequence[tuple[date, int]]) -> int | None:
    return None if measured.room is None else full_in(measured.room, per_day(sizes))


def _curve(sizes: Sequence[tuple[date, int]]) -> Curve | None:
    """Draw the days at their distances, from nothing up to the largest size."""
    (first, first_size), (last, last_size) = sizes[0], sizes[-1]
    days, most = (last - first).days, max(size for _, size in sizes)
    if not days:
        return None
    points = [
        f"{round(WIDTH * (day - first).days / days, 1)},{round(HEIGHT - HEIGHT * size / most, 1)}"
        for day, size in sizes
    ]
    said = format_date(first, "d MMM", locale=LOCALES[reader().language])
    return Curve(points=" ".join(points), first=said, first_size=first_size, last_size=last_size)


async def _raw(request: Request) -> tuple[dict[str, str], str]:
    async with request.form(max_files=0, max_fields=20) as form:
        return {kind.setting: text(form, kind.setting) for kind in Kind}, text(form, "confirmed")


def _token(values: Mapping[str, int]) -> str:
    """Name what is confirmed: other numbers are asked for again."""
    return "-".join(str(values[kind.setting]) for kind in Kind)


def _days(setting: Setting) -> dict[str, int]:
    return {kind.setting: getattr(setting, kind.setting) for kind in Kind}


def _written(setting: Setting) -> dict[str, str]:
    """The settings as the form holds them."""
    return {name: str(days) for name, days in _days(setting).items()}
