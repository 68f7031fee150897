"""What may go wrong for a reader, and how it is told: as a page, as a toast, or as JSON to a program."""

from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from app.web.htmx import toast, wants_fragment
from app.web.i18n import N_, gettext
from app.web.state import Request

SENTENCES = {
    400: N_("The request could not be read."),
    401: N_("Sign in first."),
    403: N_("The request came from another site and was refused."),
    404: N_("There is nothing here. It may have been removed."),
    405: N_("That cannot be done here."),
    408: N_("The request arrived too slowly."),
    413: N_("The request is too large."),
    429: N_("Too many at once. Wait a little and try again."),
    500: N_("Something went wrong on our side. It has been logged; nothing that was received is lost."),
}

MISSING, REFUSED = N_("Not found"), N_("Not done")


class NotFound(Exception):
    """There is no such thing, or no longer."""


class Refused(Exception):
    """What was asked cannot be done now; the text says why, in a sentence marked for translation."""

    def __init__(self, reason: str, *, status: int = 409) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def show_missing(request: Request, _error: NotFound) -> Response:
    return show_error(request, 404)


def show_refusal(request: Request, error: Refused) -> Response:
    return show_error(request, error.status, error.reason)


def show_status(request: Request, error: HTTPException) -> Response:
    answer = show_error(request, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def show_nobody(_request: Request, _error: ClientDisconnect) -> Response:
    """Answer a reader who left in the middle of the request, and whom nothing reaches."""
    return Response(status_code=400)


HANDLERS: dict[Any, Any] = {
    NotFound: show_missing,
    Refused: show_refusal,
    HTTPException: show_status,
    ClientDisconnect: show_nobody,
}


def show_error(
    request: Request, status: int, message: str = "", *, template: str = "error.html", reference: str = ""
) -> Response:
    """Tell the reader, in the form that the request asked for."""
    message = message or SENTENCES.get(status) or HTTPStatus(status).phrase
    if is_api(request):
        return JSONResponse({"success": False, "message": message}, status)
    return toast(
        request,
        "error.html" if wants_fragment(request) else template,
        status=status,
        title=gettext(MISSING if status == 404 else REFUSED),
        signed_in=False,  # so that the page needs nothing that might be what is broken
        message=gettext(message),
        reference=reference,
    )


def is_api(request: Request) -> bool:
    path: str = request.scope["path"]
    return path.startswith("/api/")
