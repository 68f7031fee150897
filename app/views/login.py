"""Signing in, by a link or a password, and out."""

from starlette.datastructures import UploadFile
from starlette.responses import Response

from app.models import Session, Setting
from app.web.addresses import safe_next
from app.web.htmx import go, page
from app.web.sessions import clear_cookie, cookie_name, find_session, hash_token, revoke_session, set_cookie
from app.web.sign_in import NOT_SET_UP, Refusal, link_works, use_link, use_password
from app.web.state import Request


async def new(request: Request) -> Response:
    wanted = request.query_params.get("next", "")
    if await _signed_in(request):
        return go(request, _ours(request, wanted))
    async with request.state["database"].reading() as db:
        setting = await Setting.load(db)
    refusal = None if setting.password_hash else NOT_SET_UP
    return _form(request, refusal, next=wanted)


async def create(request: Request) -> Response:
    async with request.form(max_files=0, max_fields=10) as form:
        username, password, wanted = (_text(form.get(name)) for name in ("username", "password", "next"))
    answer = await use_password(
        request.state["database"],
        username=username,
        password=password,
        address=_address(request),
        user_agent=request.headers.get("User-Agent", ""),
        now=request.state["now"](),
    )
    if isinstance(answer, Refusal):
        return _form(request, answer, username=username, next=wanted)
    return await _enter(request, answer, _ours(request, wanted))


async def show_link(request: Request) -> Response:
    """Show the page with the button. Looking never uses a link up: mail scanners look too."""
    token: str = request.path_params["token"]
    works = await link_works(request.state["database"], token, request.state["now"]())
    return page(request, "login_link.html", status=200 if works else 410, works=works)


async def create_from_link(request: Request) -> Response:
    session = await use_link(
        request.state["database"],
        request.path_params["token"],
        user_agent=request.headers.get("User-Agent", ""),
        now=request.state["now"](),
    )
    if session is None:
        return page(request, "login_link.html", status=410, works=False)
    return await _enter(request, session, "/")


async def delete(request: Request) -> Response:
    mine, now = hash_token(_token(request)), request.state["now"]()
    async with request.state["database"].transaction() as db:
        await revoke_session(db, mine, now)
    request.state["live"].end(mine)
    answer = go(request, request.app.url_path_for("login"))
    clear_cookie(answer, https=request.state["config"].production)
    return answer


def _form(request: Request, refusal: Refusal | None, *, username: str = "", next: str = "") -> Response:  # noqa: A002
    """Show the form, with what is wrong above it."""
    status = refusal.status if refusal and request.method == "POST" else 200
    answer = page(
        request,
        "login.html",
        status=status,
        refusal=refusal,
        set_up=refusal is not NOT_SET_UP,
        username=username,
        next=next,
    )
    if refusal and refusal.until:
        wait = (refusal.until - request.state["now"]()).total_seconds()
        answer.headers["Retry-After"] = str(max(1, int(wait) + 1))
    return answer


async def _enter(request: Request, token: str, url: str) -> Response:
    """Give the reader the new session, and take leave of the one it replaces."""
    https = request.state["config"].production
    if _token(request):
        async with request.state["database"].transaction() as db:
            await revoke_session(db, hash_token(_token(request)), request.state["now"]())
    answer = go(request, url)
    set_cookie(answer, token, https=https)
    return answer


async def _signed_in(request: Request) -> Session | None:
    async with request.state["database"].reading() as db:
        return await find_session(db, hash_token(_token(request)), request.state["now"]())


def _token(request: Request) -> str:
    https = request.state["config"].production
    return request.cookies.get(cookie_name(https=https), "")


def _ours(request: Request, wanted: str) -> str:
    return safe_next(request.app.routes, wanted)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _text(value: str | UploadFile | None) -> str:
    return value if isinstance(value, str) else ""
