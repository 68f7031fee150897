"""What holds for all rules together: seen with what it does, and set."""

from collections.abc import Mapping
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.events import Event
from app.jobs.candidate import HARD_LIMIT
from app.jobs.preferences import SAVED, largest, save
from app.models import Setting
from app.rules import preferences
from app.rules.preferences import priorities, read
from app.rules.verdict import Problems
from app.views.fields import text
from app.views.frame import framed, path, signed_in_as
from app.views.setting_form import form_state
from app.web.htmx import fragments, go, wants_fragment
from app.web.state import Request

PAGE = "preferences/index.html"
TEXTS = ("exclude_keywords", "max_email_size_mb", "sender_priority")
SWITCHES = ("require_attachments", "group_dedup")


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        setting = await Setting.load(db)
        shown = await _shown(db, setting, _written(setting))
        return await framed(request, db, PAGE, fragment="preferences", **shown)


async def create(request: Request) -> Response:
    """Save the whole of it, or say what is wrong with it."""
    raw = await _raw(request)
    values, problems = _read(raw)
    async with request.state["database"].transaction() as db:
        setting = await Setting.load(db, for_update=True)
        if problems:
            shown = await _shown(db, setting, raw, values=values, problems=problems)
            return await framed(request, db, PAGE, fragment="preferences", status=422, **shown)
        await save(db, values, by=signed_in_as(request), now=request.state["now"]())
        shown = await _shown(db, setting, _written(setting))

    await request.state["queue"].publish(Event.ALL_CHANGED)
    if not wants_fragment(request):
        return go(request, path(request, "preferences"))
    return fragments(request, f"{PAGE}#preferences", **shown)


async def show_effect(request: Request) -> Response:
    """Say what the form would do, as it stands; nothing is saved."""
    values, problems = _read(await _raw(request))
    async with request.state["database"].reading() as db:
        setting = await Setting.load(db)
    left_out = [reason.to_json() for reason in problems.values()]
    return fragments(request, f"{PAGE}#effect", said=_said(setting, values), left_out=left_out)


async def _shown(
    db: AsyncSession,
    setting: Setting,
    raw: Mapping[str, Any],
    *,
    values: Mapping[str, Any] | None = None,
    problems: Problems | None = None,
) -> dict[str, Any]:
    said = _said(setting, values or {})
    return {**await form_state(db, raw, problems, event=SAVED), "most": HARD_LIMIT, "said": said}


def _said(setting: Setting, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    would_be = setting.having(values)
    reasons = preferences.effect(
        keywords=would_be.exclude_keywords,
        attachments=would_be.require_attachments,
        megabytes=largest(would_be),
        senders=would_be.sender_priority,
        grouping=would_be.group_dedup,
    )
    return [reason.to_json() for reason in reasons]


async def _raw(request: Request) -> dict[str, Any]:
    async with request.form(max_files=0, max_fields=20) as form:
        switches = {name: name in form for name in SWITCHES}
        return {name: text(form, name) for name in TEXTS} | switches


def _read(raw: Mapping[str, Any]) -> tuple[dict[str, Any], Problems]:
    values, problems = read(
        {
            "exclude_keywords": raw["exclude_keywords"].splitlines(),
            "require_attachments": raw["require_attachments"],
            "max_email_size_mb": raw["max_email_size_mb"].strip() or None,
            "sender_priority": priorities(raw["sender_priority"]),
        }
    )
    return values | {"group_dedup": raw["group_dedup"]}, problems


def _written(setting: Setting) -> dict[str, Any]:
    """The settings as the form holds them."""
    senders = [f"{address}: {word}" for address, word in setting.sender_priority.items()]
    return {
        "exclude_keywords": "\n".join(setting.exclude_keywords),
        "max_email_size_mb": "" if setting.max_email_size_mb is None else str(setting.max_email_size_mb),
        "sender_priority": "\n".join(senders),
        "require_attachments": setting.require_attachments,
        "group_dedup": setting.group_dedup,
    }
