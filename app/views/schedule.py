"""When sending is open and when mailboxes are looked at: said, drawn, and set."""

from collections.abc import Mapping
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.events import Event
from app.models import LogEvent, Sending, Setting
from app.rules import calendar, polling
from app.rules.schedule_draft import SHORTEST, read, zones
from app.rules.settings import DAYS
from app.rules.verdict import Problems
from app.rules.vocabulary import WORDS
from app.views.fields import text
from app.views.fortnight import fortnight
from app.views.frame import framed, path, signed_in_as
from app.views.setting_form import form_state
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import gettext, in_zone
from app.web.state import Request

PAGE, SAVED = "schedule/index.html", "schedule saved"
TEXTS = (
    "zone",
    "window_start",
    "window_end",
    "vacation_start",
    "vacation_end",
    "polling_interval",
    "polling_start_hour",
    "polling_end_hour",
)


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        setting = await Setting.load(db)
        shown = await _shown(request, db, setting, _written(setting))
        return await framed(request, db, PAGE, fragment="schedule", zones=zones(), **shown)


async def create(request: Request) -> Response:
    """Save the whole of it, or say what is wrong with it."""
    raw, by = await _raw(request), signed_in_as(request)
    async with request.state["database"].transaction() as db:
        setting = await Setting.load(db, for_update=True)
        values, problems = read(raw, shortest=_shortest(setting))
        if problems:
            shown = await _shown(request, db, setting, raw, values=values, problems=problems)
            return await framed(request, db, PAGE, fragment="schedule", status=422, zones=zones(), **shown)
        now = request.state["now"]()
        changed = setting.change(values, by=by, now=now)
        db.add(LogEvent(at=now, event=SAVED, subject=by, facts={"changed": changed}))
        in_zone(setting.zone)
        shown = await _shown(request, db, setting, _written(setting))

    await request.state["queue"].publish(Event.ALL_CHANGED)
    if not wants_fragment(request):
        return go(request, path(request, "schedule"))
    return fragments(request, f"{PAGE}#schedule", **shown)


async def show_effect(request: Request) -> Response:
    """Say what the form would do, as it stands; nothing is saved."""
    raw = await _raw(request)
    async with request.state["database"].reading() as db:
        setting = await Setting.load(db)
    values, problems = read(raw, shortest=_shortest(setting))
    left_out = [(place, reason.to_json()) for place, reason in problems.items()]
    return fragments(request, f"{PAGE}#effect", **_effect(request, setting, values), left_out=left_out)


async def _shown(
    request: Request,
    db: AsyncSession,
    setting: Setting,
    raw: Mapping[str, Any],
    *,
    values: Mapping[str, Any] | None = None,
    problems: Problems | None = None,
) -> dict[str, Any]:
    return {
        **await form_state(db, raw, problems, event=SAVED),
        "weekdays": [(day, gettext(WORDS[day])) for day in DAYS],
        **_effect(request, setting, values or {}),
    }


def _effect(request: Request, setting: Setting, values: Mapping[str, Any]) -> dict[str, Any]:
    would_be, now = setting.having(values), request.state["now"]()
    settings = would_be.as_value()
    looks = polling.effect(
        on=would_be.polling_active,
        days=would_be.polling_days,
        start_hour=would_be.polling_start_hour,
        end_hour=would_be.polling_end_hour,
        seconds=would_be.polling_interval,
    )
    return {
        "said": [reason.to_json() for reason in (*calendar.effect(settings, now), looks)],
        "idle_days": bool(would_be.absence_days) and not would_be.absence_enabled,
        "in_force": would_be.sending is Sending.ON,
        "zone": would_be.zone,
        "days": fortnight(settings, now),
    }


def _shortest(setting: Setting) -> int:
    """What stands may stay: a start by the environment, or the demo's, may look more often."""
    return min(SHORTEST, setting.polling_interval)


async def _raw(request: Request) -> dict[str, Any]:
    async with request.form(max_files=0, max_fields=40) as form:
        return {
            **{name: text(form, name) for name in TEXTS},
            "absence_enabled": "absence_enabled" in form,
            "absence_days": form.getlist("absence_days"),
            "polling_active": "polling_active" in form,
            "polling_days": form.getlist("polling_days"),
        }


def _written(setting: Setting) -> dict[str, Any]:
    """The settings as the form holds them."""
    values = setting.model_dump()
    return {
        **{name: "" if values[name] is None else str(values[name]) for name in TEXTS},
        "absence_enabled": setting.absence_enabled,
        "absence_days": setting.absence_days,
        "polling_active": setting.polling_active,
        "polling_days": [str(day) for day in setting.polling_days],
    }
