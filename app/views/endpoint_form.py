"""The page on which a receiver is written: its form, what it would do, and saving it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.events import Event
from app.integrations.network import Gate
from app.jobs import receivers as work
from app.jobs.receiver_form import kept_by, kept_headers, read
from app.models import Endpoint, Setting
from app.rules import endpoint_draft
from app.rules.outcome import SCHEDULE
from app.rules.template import OWN_NAMES
from app.rules.text import whole_number
from app.rules.verdict import Problems
from app.views.endpoint_secret import show_secret
from app.views.endpoints import find, told, unchanged
from app.views.fields import text
from app.views.frame import framed, path, signed_in_as
from app.web.errors import Refused
from app.web.htmx import fragments, go
from app.web.i18n import N_
from app.web.state import Request

PAGE = "endpoints/form.html"
HIDDEN = ("endpoint_id", "newest")  # fields that nobody fills in
TEXTS = ("name", "url", "mode", "content", "template", "extra_headers", "authority", "schedule")
BOXES = (*endpoint_draft.FLAGS, "insecure")
MADE = N_("This receiver has been made already. If you have not seen its secret, make a new one on its page.")
MISSING = {"name_missing", "url_missing"}  # what everybody sees without being told


@dataclass(frozen=True, slots=True)
class _Form:
    """What somebody typed, what could be read of it, and what is wrong with the rest."""

    raw: Mapping[str, Any]
    values: dict[str, Any]
    problems: Problems


async def new(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        raw = _blank() | {"newest": str(await work.newest(db))}
        return await _show_form(request, db, _read(request, None, raw))


async def create(request: Request) -> Response:
    """Make a receiver, and show its secret: this once, for nobody can read it afterwards."""
    form = _read(request, None, await _raw(request))
    if form.problems:
        async with request.state["database"].reading() as db:
            return await _show_form(request, db, form, status=422)
    vault, now = request.state["vault"], request.state["now"]()
    async with request.state["database"].transaction() as db:
        if await work.made_since(db, form.values, whole_number(form.raw["newest"])):
            raise Refused(MADE)
        first = await work.is_first(db)
        endpoint = await work.create(db, form.values, vault=vault, by=signed_in_as(request), now=now)
        answer = await show_secret(request, db, endpoint, vault.open(endpoint.secret), first=first)

    await request.state["queue"].decide()
    await request.state["queue"].publish(Event.DELIVERY_CHANGED, Event.RULE_CHANGED)
    return answer


async def edit(request: Request) -> Response:
    async with request.state["database"].reading() as db:
        endpoint = await find(db, request, locked=False)
        form = _read(request, endpoint, _written(endpoint, request))
        return await _show_form(request, db, form, endpoint=endpoint)


async def update(request: Request) -> Response:
    raw = await _raw(request)
    async with request.state["database"].reading() as db:
        known = await find(db, request, locked=False)
        form = _read(request, known, raw)
        if form.problems:
            return await _show_form(request, db, form, endpoint=known, status=422)
    vault, by, now = request.state["vault"], signed_in_as(request), request.state["now"]()
    async with request.state["database"].transaction() as db:
        endpoint = await find(db, request)
        with unchanged():
            work.save(db, endpoint, form.values, read=known, vault=vault, by=by, now=now)

    await request.state["queue"].deliver()
    await request.state["queue"].publish(Event.DELIVERY_CHANGED, Event.RULE_CHANGED)
    return go(request, path(request, "endpoint", endpoint_id=endpoint.id))


async def show_effect(request: Request) -> Response:
    """Say what the form would do, as it stands; nothing is saved."""
    raw = await _raw(request)
    known = whole_number(raw["endpoint_id"])
    async with request.state["database"].reading() as db:
        endpoint = await db.get(Endpoint, known) if known is not None else None
    return fragments(request, f"{PAGE}#effect", **_effect(request, _read(request, endpoint, raw)))


def _read(request: Request, endpoint: Endpoint | None, raw: Mapping[str, Any]) -> _Form:
    config = request.state["config"]
    values, problems = read(
        raw,
        kept=kept_by(endpoint, request.state["vault"]),
        gate=Gate.of(config),
        may_be_insecure=config.allow_insecure_tls or (endpoint is not None and not endpoint.verify_tls),
    )
    return _Form(raw, values, problems)


async def _show_form(
    request: Request, db: AsyncSession, form: _Form, *, endpoint: Endpoint | None = None, status: int = 200
) -> Response:
    """Show it as it is; what is wrong is told at its fields once somebody has sent it."""
    problems = form.problems if status == 422 else {}
    return await framed(
        request,
        db,
        PAGE,
        fragment="form",
        status=status,
        endpoint=endpoint,
        raw=form.raw,
        first=endpoint is None and await work.is_first(db),
        demo=(await Setting.load(db)).demo,
        problems={name: reason.to_json() for name, reason in problems.items()},
        focus=next(iter(problems), ""),
        insecure_allowed=request.state["config"].allow_insecure_tls,
        names=OWN_NAMES,
        **_effect(request, form),
    )


def _effect(request: Request, form: _Form) -> dict[str, Any]:
    """Say what it would do, and what of it makes no sense."""
    wrong = [(place, one.to_json()) for place, one in form.problems.items() if one.code not in MISSING]
    return {"said": told(request, form.values), "left_out": wrong}


async def _raw(request: Request) -> dict[str, Any]:
    async with request.form(max_files=0, max_fields=40) as form:
        return {
            **{name: text(form, name) for name in (*HIDDEN, *TEXTS, *endpoint_draft.NUMBERS)},
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
    headers = kept_headers(endpoint, request.state["vault"])
    return {
        **{name: values[name] for name in (*TEXTS, *endpoint_draft.FLAGS) if name != "extra_headers"},
        **{name: str(values[name]) for name in endpoint_draft.NUMBERS},
        "mode": endpoint.mode.value,
        "content": endpoint.content.value,
        "schedule": endpoint_draft.waits(endpoint.schedule),
        "extra_headers": "\n".join(f"{name}: {endpoint_draft.HIDDEN}" for name in headers),
        "insecure": not endpoint.verify_tls,
    }
