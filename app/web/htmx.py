"""Answers for browsers with and without htmx; nobody else reads its headers."""

from typing import Any

from jinja2_fragments import render_block
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.web.i18n import reader
from app.web.state import Request

VARY = {"Vary": "HX-Request"}


def page(request: Request, name: str, *, fragment: str = "", status: int = 200, **context: Any) -> Response:  # noqa: ANN401 - as Jinja takes it
    """Answer with the page, or with its block `fragment` when htmx asked for a part of it."""
    block = fragment if wants_fragment(request) else ""
    return HTMLResponse(_render(request, name, block, context), status, headers=VARY)


def fragments(request: Request, *names: str, status: int = 200, **context: Any) -> Response:  # noqa: ANN401
    """Answer with several blocks (`file.html#block`).

    The first lands in the target; the others are told `oob`, and say themselves where they go.
    """
    parts = []
    for number, name in enumerate(names):
        template, _, block = name.partition("#")
        parts.append(_render(request, template, block, {"oob": number > 0} | context))
    return HTMLResponse("\n".join(parts), status, headers=VARY)


def go(request: Request, url: str) -> Response:
    """Send the reader elsewhere after a change, with or without htmx."""
    if wants_fragment(request):
        return Response(status_code=204, headers={"HX-Redirect": url} | VARY)
    return RedirectResponse(url, status_code=303, headers=VARY)


def toast(request: Request, name: str, *, status: int, **context: Any) -> Response:  # noqa: ANN401
    """Answer with the page, or with its block `toast`, which joins the other toasts whoever asked."""
    answer = page(request, name, fragment="toast", status=status, **context)
    if wants_fragment(request):
        answer.headers.update({"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"})
    return answer


def wants_fragment(request: Request) -> bool:
    """Say whether htmx will swap the answer into a part of the page, not into the whole of it."""
    headers: Headers = request.headers
    whole = (
        headers.get("HX-Boosted") == "true"
        or headers.get("HX-History-Restore-Request") == "true"
        or headers.get("HX-Request-Type") == "full"
    )
    return headers.get("HX-Request") == "true" and not whole


def current_page(request: Request) -> str:
    """Give the address that the reader's browser shows, which is not the one htmx fetches a part from."""
    return request.headers.get("HX-Current-URL", "") if wants_fragment(request) else ""


def _render(request: Request, name: str, block: str, context: dict[str, Any]) -> str:
    given = {
        "request": request,
        "signed_in": request.state["session"] is not None,
        "language": reader().language,
        "oob": False,
    } | context
    templates = request.state["templates"]
    html: str = (
        render_block(templates, name, block, given) if block else templates.get_template(name).render(given)
    )
    # half a surrogate pair from outside must not cost the page
    return html.encode("utf-8", "replace").decode()
