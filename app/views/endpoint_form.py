"""The page on which a receiver is written: its form, what it would do, and saving it."""

from collections.abc import Mapping
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.events import Event
from app.integrations.network import Gate
from app.jobs import receivers as work
from app.models import Endpoint
from app.rules import endpoint_draft
from app.rules.outcome import SCHEDULE
from app.rules.template import CAPTURES, NAMES
from app.rules.verdict import Problems
from app.views.endpoint_secret import show_secret
from app.views.endpoints import find, told
from app.views.fields import number, text
from app.views.frame import framed, path, signed_in_as
from app.web.htmx import fragments, go
from app.web.state import Request

PAGE = "endpoints/form.html"
TEXTS = ("name", "url", "mode", "content", "template", "extra_headers", "authority", "schedule")
BOXES = (*endpoint_draft.FLAGS, "insecure")
MISSING = {"name_missing", "url_missing"}  # what everybody sees without being told


async def new(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        return await _show_form(request, db, raw=_blank())


async def create(request: Request) -> Response:
    """Make a receiver, and show its secret: this once, for nobody can read it afterwards."""
    raw = await _raw(request)
    vault, now = request.state["vault"], request.state["now"]()
    async with request.state["database"].transaction() as db:
        values, problems = _read(request, None, raw)
        if problems:
            return await _show_form(request, db, raw=raw, problems=problems, status=422)
        first = await work.is_first(db)
        endpoint = await work.create(db, values, vault=vault, by=signed_in_as(request), now=now)
        await db.flush()
        answer = await show_secret(request, db, endpoint, vault.open(endpoint.secret), first=first)

    await request.state["queue"].decide()
    await request.state["queue"].publish(Event.DELIVERY_CHANGED, Event.RULE_CHANGED)
    return answer


async def edit(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        endpoint = await find(db, request, locked=False)
        return await _show_form(request, db, endpoint=endpoint, raw=_written(endpoint, request))


async def update(request: Request) -> Response:
    raw = await _raw(request)
    vault, now = request.state["vault"], request.state["now"]()
    async with request.state["database"].transaction() as db:
        endpoint = await find(db, request)
        values, problems = _read(request, endpoint, raw)
        if problems:
            return await _show_form(request, db, endpoint=endpoint, raw=raw, problems=problems, status=422)
        work.save(db, endpoint, values, vault=vault, by=signed_in_as(request), now=now)

    await request.state["queue"].deliver()
    await request.state["queue"].publish(Event.DELIVERY_CHANGED, Event.RULE_CHANGED)
    return go(request, path(request, "endpoint", endpoint_id=endpoint.id))


async def show_effect(request: Request) -> Response:
    """Say what the form would do, as it stands; nothing is saved."""
    raw = await _raw(request)
    known = number(raw["endpoint_id"])
    async with request.state["database"].reading() as db:
        endpoint = await db.get(Endpoint, known) if known is not None else None
    return fragments(request, f"{PAGE}#effect", **_effect(request, *_read(request, endpoint, raw)))


def _read(
    request: Request, endpoint: Endpoint | None, raw: Mapping[str, Any]
) -> tuple[dict[str, Any], Problems]:
    config = request.state["config"]
    return work.read(
        raw,
        kept=work.kept_headers(endpoint, request.state["vault"]),
        gate=Gate(config.allow_private_targets),
        may_be_insecure=config.allow_insecure_tls or (endpoint is not None and not endpoint.verify_tls),
    )


async def _show_form(
    request: Request,
    db: AsyncSession,
    *,
    raw: Mapping[str, Any],
    endpoint: Endpoint | None = None,
    problems: Problems | None = None,
    status: int = 200,
) -> Response:
    return await framed(
        request,
        db,
        PAGE,
        fragment="form",
        status=status,
        endpoint=endpoint,
        raw=raw,
        first=endpoint is None and await work.is_first(db),
        problems={name: reason.to_json() for name, reason in (problems or {}).items()},
        focus=next(iter(problems or {}), ""),
        insecure_allowed=request.state["config"].allow_insecure_tls,
        names=[name for name in NAMES if name != CAPTURES],
        **_effect(request, *_read(request, endpoint, raw)),
    )


def _effect(request: Request, values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Say what it would do, and what of it makes no sense."""
    wrong = {reason.code: reason.to_json() for reason in problems.values() if reason.code not in MISSING}
    return {"said": told(request, values), "left_out": list(wrong.values())}


async def _raw(request: Request) -> dict[str, Any]:
    async with request.form(max_files=0, max_fields=40) as form:
        return {
            **{name: text(form, name) for name in ("endpoint_id", *TEXTS, *endpoint_draft.NUMBERS)},
            **{name: name in form for name in BOXES},
        }


def _blank() -> dict[str, Any]:
    """A form of which only the name and the address are to be given."""
    usual = {name: field.default for name, field in Endpoint.model_fields.items()}
    return {
        **dict.fromkeys(TEXTS, ""),
        "mode": usual["mode"].value,
        "content": usual["content"].value,
        "schedule": endpoint_draft.waits(list(SCHEDULE)),
        **{name: str(usual[name]) for name in endpoint_draft.NUMBERS},
        **{name: usual[name] for name in endpoint_draft.FLAGS},
        "insecure": False,
    }


def _written(endpoint: Endpoint, request: Request) -> dict[str, Any]:
    """The receiver as the form holds it; what its headers say stays here."""
    values = endpoint.model_dump()
    headers = work.kept_headers(endpoint, request.state["vault"])
    return {
        **{name: values[name] for name in (*TEXTS, *endpoint_draft.FLAGS) if name != "extra_headers"},
        **{name: str(values[name]) for name in endpoint_draft.NUMBERS},
        "mode": endpoint.mode.value,
        "content": endpoint.content.value,
        "schedule": endpoint_draft.waits(endpoint.schedule),
        "extra_headers": "\n".join(f"{name}: {endpoint_draft.HIDDEN}" for name in headers),
        "insecure": not endpoint.verify_tls,
    }
