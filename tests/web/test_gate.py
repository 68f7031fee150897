"""Closed by default: only the named routes answer without a session."""

from collections.abc import Iterator
from datetime import timedelta

from httpx2 import AsyncClient
from sqlalchemy import update
from sqlmodel import select
from starlette.routing import Mount, Route

from app.models import Session
from app.routes import PUBLIC, ROUTES
from tests.servers.waiting import eventually_async
from tests.web.client import Site

OPEN = {"/health", "/login", "/login/magic/1", "/api/ping", "/static/1"}


def places() -> Iterator[tuple[str, str]]:
    """Every method of every route, with 1 for each part of the path."""
    for route in ROUTES:
        if isinstance(route, Mount):
            yield "GET", f"{route.path}/1"
        if isinstance(route, Route):
            path = "/".join("1" if part.startswith("{") else part for part in route.path.split("/"))
            yield from ((method, path) for method in sorted(route.methods or ()))


def test_the_open_routes_are_these_and_no_others() -> None:
    assert {"health", "login", "login-link", "ping", "static"} == PUBLIC


def test_every_route_has_a_name() -> None:
    assert all(getattr(route, "name", "") for route in ROUTES)


async def test_nobody_gets_past_any_other_route_without_a_session(site: Site) -> None:
    async with site.browser() as browser:
        for method, path in places():
            answer = await browser.request(method, path)
            asks = answer.status_code == 401 or answer.headers.get("Location", "").startswith("/login")
            assert asks == (path not in OPEN), f"{method} {path} answers {answer.status_code}"


async def test_an_unknown_address_tells_a_stranger_nothing(site: Site) -> None:
    async with site.browser() as browser:
        for path in (
            "/nowhere",
            "/messages/",
            "//messages",
            "/login/../messages",
            "/%6c/messages",
            "/static",
        ):
            answer = await browser.get(path)
            assert (answer.status_code, answer.headers["Location"][:6]) == (303, "/login"), path


async def test_an_unknown_method_opens_nothing(site: Site) -> None:
    async with site.browser() as stranger, site.signed_in() as ada:
        for method in ("TRACE", "CONNECT", "PROPFIND", "DELETE"):
            assert (await stranger.request(method, "/events")).status_code == 303, method
            assert (await ada.request(method, "/events")).status_code == 405, method
            assert (await stranger.request(method, "/login")).status_code == 405, method


async def test_a_program_without_a_session_is_told_in_json(site: Site) -> None:
    async with site.browser() as browser:
        for path in ("/api/invariants", "/api/nothing"):
            answer = await browser.get(path)
            assert answer.status_code == 401
            assert answer.json() == {"success": False, "message": "Sign in first."}


async def test_a_page_sends_to_the_sign_in_and_remembers_what_was_wanted(site: Site) -> None:
    async with site.browser() as browser:
        answer = await browser.get("/deliveries?state=failed&page=2")
    assert answer.headers["Location"] == "/login?next=%2Fdeliveries%3Fstate%3Dfailed%26page%3D2"


async def test_a_write_without_a_session_is_not_remembered(site: Site) -> None:
    async with site.browser() as browser:
        assert (await browser.post("/polls")).headers["Location"] == "/login"


async def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(site: Site) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": f"{site.url}/deliveries?state=failed"}
    async with site.browser(**headers) as browser:
        answer = await browser.get("/deliveries")
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/login?next=%2Fdeliveries%3Fstate%3Dfailed"


async def test_a_strange_current_page_is_harmless(site: Site) -> None:
    async with site.browser() as browser:
        for address in ("", "http://[", "//", "javascript:alert(1)", "http://x", "é"):
            headers = {b"HX-Request": b"true", b"HX-Current-URL": address.encode()}
            answer = await browser.get("/deliveries", headers=headers)
            assert answer.headers["HX-Redirect"].startswith("/login"), address


async def test_a_stream_without_a_session_ends_for_good(site: Site) -> None:
    async with site.browser(Accept="text/event-stream") as browser:
        assert (await browser.get("/events")).status_code == 401


async def test_a_made_up_cookie_opens_nothing(site: Site) -> None:
    async with site.browser(Cookie="session=made-up") as browser:
        assert (await browser.get("/api/invariants")).status_code == 401


async def test_a_revoked_session_opens_nothing(site: Site) -> None:
    async with site.signed_in() as browser:
        assert await opens(browser)
        async with site.database.transaction() as db:
            await db.exec(update(Session).values(revoked_at=site.clock()))
        assert not await opens(browser)


async def test_a_session_ends_after_twelve_idle_hours(site: Site) -> None:
    async with site.signed_in() as browser:
        site.clock.ahead = timedelta(hours=11, minutes=59)
        assert await opens(browser)
        await noticed(site)
        site.clock.ahead += timedelta(hours=11, minutes=59)
        assert await opens(browser)
        await noticed(site)
        site.clock.ahead += timedelta(hours=12, minutes=1)
        assert not await opens(browser)


async def test_a_session_ends_after_seven_days_however_busy(site: Site) -> None:
    async with site.signed_in() as browser:
        for _ in range(16):
            site.clock.ahead += timedelta(hours=10)
            assert await opens(browser)
            await noticed(site)
        site.clock.ahead += timedelta(hours=10)
        assert not await opens(browser)


async def noticed(site: Site) -> None:
    """Wait until it is written that the session was seen, which happens after the answer."""

    async def recently() -> bool:
        async with site.database.reading() as db:
            return (await db.exec(select(Session.seen_at))).one() > site.clock() - timedelta(minutes=1)

    await eventually_async(recently)


async def opens(browser: AsyncClient) -> bool:
    return (await browser.get("/api/invariants")).status_code == 200
