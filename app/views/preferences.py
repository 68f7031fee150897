"""What holds for all rules together: seen with what it does, and set."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.events import Event
from app.jobs.candidate import HARD_LIMIT
from app.jobs.preferences import SAVED, in_setting, largest, save
from app.models import Endpoint, EndpointState, Setting
from app.rules import preferences
from app.rules.preferences import priorities, read, unheard
from app.rules.text import whole_number
from app.rules.verdict import Problems, Reason
from app.views.fields import text
from app.views.frame import framed, path, signed_in_as
from app.views.mailing import mailing_of
from app.views.setting_form import form_state
from app.web.htmx import fragments, go, wants_fragment
from app.web.i18n import reader
from app.web.state import Request

PAGE = "preferences/index.html"
TEXTS = ("exclude_keywords", "max_email_size_mb", "sender_priority", "mirror_id", "notify_to")
SWITCHES = ("require_attachments", "group_dedup", "mirror_media_to_custom", "notify_on_failure")


async def show(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        setting = await Setting.load(db)
        shown = await _shown(request, db, setting, _written(setting))
        return await framed(request, db, PAGE, fragment="preferences", **shown)


async def create(request: Request) -> Response:
    """Save the whole of it, or say what is wrong with it."""
    raw = await _raw(request)
    values, problems = _read(raw)
    async with request.state["database"].transaction() as db:
        setting = await Setting.load(db, for_update=True)
        problems |= await _no_such_mirror(db, setting, values)
        if problems:
            shown = await _shown(request, db, setting, raw, values=values, problems=problems)
            return await framed(request, db, PAGE, fragment="preferences", status=422, **shown)
        language = {"notify_language": reader().language}
        await save(db, values | language, by=signed_in_as(request), now=request.state["now"]())
        shown = await _shown(request, db, setting, _written(setting))

    await request.state["queue"].publish(Event.ALL_CHANGED)
    if not wants_fragment(request):
        return go(request, path(request, "preferences"))
    return fragments(request, f"{PAGE}#preferences", **shown)


async def show_effect(request: Request) -> Response:
    """Say what the form would do, as it stands; nothing is saved."""
    values, problems = _read(await _raw(request))
    async with request.state["database"].reading() as db:
        setting = await Setting.load(db)
        said = _said(request, setting, values, await _mirrors(db, setting))
    left_out = [(place, reason.to_json()) for place, reason in problems.items()]
    return fragments(request, f"{PAGE}#effect", said=said, left_out=left_out)


async def _shown(
    request: Request,
    db: AsyncSession,
    setting: Setting,
    raw: Mapping[str, Any],
    *,
    values: Mapping[str, Any] | None = None,
    problems: Problems | None = None,
) -> dict[str, Any]:
    mirrors = await _mirrors(db, setting)
    return {
        **await form_state(db, raw, problems, event=SAVED),
        **await mailing_of(request, db, setting),
        "most": HARD_LIMIT,
        "mirrors": mirrors,
        "said": _said(request, setting, values or {}, mirrors),
    }


async def _mirrors(db: AsyncSession, setting: Setting) -> list[tuple[int, str, bool]]:
    """Give what may be the mirror, each with its name, and whether it is the one and deleted since."""
    gone = col(Endpoint.state) == EndpointState.DELETED
    query = select(Endpoint.id, Endpoint.name, gone).where(or_(~gone, col(Endpoint.id) == setting.mirror_id))
    return [(number or 0, name, bool(deleted)) for number, name, deleted in await db.exec(query)]


async def _no_such_mirror(db: AsyncSession, setting: Setting, values: Mapping[str, Any]) -> Problems:
    known = {None, *(number for number, _, _ in await _mirrors(db, setting))}
    return {} if values["mirror_id"] in known else {"mirror_id": Reason("unknown_endpoint")}


def _said(
    request: Request,
    setting: Setting,
    values: Mapping[str, Any],
    mirrors: Sequence[tuple[int, str, bool]],
) -> list[dict[str, Any]]:
    would_be = setting.having(in_setting(values))
    names = {number: name for number, name, _ in mirrors} if would_be.mirror_media else {}
    reasons = preferences.effect(
        keywords=would_be.exclude_keywords,
        attachments=would_be.require_attachments,
        megabytes=largest(would_be),
        senders=would_be.sender_priority,
        grouping=would_be.group_dedup,
    )
    further = preferences.further_effect(
        mirror=names.get(would_be.mirror_id or 0, ""),
        notify=would_be.notify_on_failure,
        to=would_be.notify_to,
        server=bool(request.state["config"].smtp_host),
    )
    return [reason.to_json() for reason in (*reasons, *further)]


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
            "notify_on_failure": raw["notify_on_failure"],
            "notify_to": raw["notify_to"].splitlines(),
            "mirror_media_to_custom": raw["mirror_media_to_custom"],
        }
    )
    problems |= unheard(values)
    mirror_id = whole_number(raw["mirror_id"]) if raw["mirror_id"] else None
    unreadable = raw["mirror_id"] and mirror_id is None
    return values | {"group_dedup": raw["group_dedup"], "mirror_id": 0 if unreadable else mirror_id}, problems


def _written(setting: Setting) -> dict[str, Any]:
    """The settings as the form holds them."""
    senders = [f"{address}: {word}" for address, word in setting.sender_priority.items()]
    return {
        "exclude_keywords": "\n".join(setting.exclude_keywords),
        "max_email_size_mb": "" if setting.max_email_size_mb is None else str(setting.max_email_size_mb),
        "sender_priority": "\n".join(senders),
        "require_attachments": setting.require_attachments,
        "group_dedup": setting.group_dedup,
        "mirror_id": "" if setting.mirror_id is None else str(setting.mirror_id),
        "mirror_media_to_custom": setting.mirror_media,
        "notify_on_failure": setting.notify_on_failure,
        "notify_to": "\n".join(setting.notify_to),
    }
