"""The cookie, what is kept of it, and its end."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import select
from structlog.testing import capture_logs

from app.models import Session
from app.web.sessions import note_seen
from tests.web.client import Site, running


async def test_the_cookie_is_for_this_site_and_no_script(site: Site) -> None:
    async with site.browser() as browser:
        cookie = (await browser.post(await site.link())).headers["Set-Cookie"]
    assert cookie.startswith("session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "Secure" not in cookie


async def test_under_https_the_cookie_is_bound_to_the_host(database_url: str, tmp_path: Path) -> None:
    https = {"base_url": "https://signal.example.org", "app_secret_key": "k" * 32}
    async with running(database_url, tmp_path, **https) as site, site.browser() as browser:
        answer = await browser.post(await site.link())
    assert answer.headers["Set-Cookie"].startswith("__Host-session=")
    assert "; Secure" in answer.headers["Set-Cookie"]
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


async def test_only_hashes_are_kept(site: Site) -> None:
    link = await site.link()
    async with site.browser() as browser:
        await browser.post(link)
        token = browser.cookies["session"]
    async with site.database.reading() as db:
        rows = (await db.exec(select(Session))).all()
    assert token not in str(rows)
    assert len(token) >= 43  # 256 bits
    files = site.config.data_dir.glob("signal.db*")
    everything = b"".join(file.read_bytes() for file in files)
    assert token.encode() not in everything
    assert link.rpartition("/")[2].encode() not in everything


async def test_signing_out_ends_the_session_and_its_cookie(site: Site) -> None:
    async with site.signed_in() as browser:
        stolen = browser.cookies["session"]
        answer = await browser.post("/logout")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
        assert "session" not in browser.cookies
    async with site.browser(Cookie=f"session={stolen}") as thief:
        assert (await thief.get("/api/invariants")).status_code == 401


async def test_signing_out_by_a_link_is_refused(site: Site) -> None:
    async with site.signed_in() as browser:
        assert (await browser.get("/logout")).status_code == 405
        assert (await browser.get("/api/invariants")).status_code == 200


async def test_a_session_that_was_presented_is_replaced_never_adopted(site: Site) -> None:
    async with site.browser(Cookie="session=planted") as victim:
        answer = await victim.post(await site.link())
    assert "planted" not in answer.headers["Set-Cookie"]
    async with site.browser(Cookie="session=planted") as attacker:
        assert (await attacker.get("/api/invariants")).status_code == 401


async def test_signing_in_again_ends_the_session_before(site: Site) -> None:
    async with site.signed_in() as browser:
        before = browser.cookies["session"]
        await browser.post(await site.link())
    async with site.browser(Cookie=f"session={before}") as old:
        assert (await old.get("/api/invariants")).status_code == 401


async def test_being_seen_is_written_once_a_minute(site: Site) -> None:
    async with site.signed_in() as browser:
        before = await seen_at(site)
        site.clock.ahead += timedelta(seconds=50)
        await browser.get("/api/invariants")
        site.clock.ahead += timedelta(seconds=20)
        await browser.get("/api/invariants")
        seen = before
        while seen == before:  # it is written after the answer
            seen = await seen_at(site)
    assert seen - before > timedelta(seconds=60)


async def test_a_stream_that_ends_does_not_set_back_when_its_reader_was_seen(site: Site) -> None:
    async with site.signed_in():
        session = await the_session(site)
        later, hours = session.seen_at + timedelta(hours=2), timedelta(hours=1)
        await note_seen(site.database, session, later)
        await note_seen(site.database, session, later - hours)
        assert await seen_at(site) == later


async def test_a_page_is_answered_although_nobody_can_note_who_saw_it(site: Site) -> None:
    async with site.signed_in():
        session = await the_session(site)
        await site.break_table("session")
        with capture_logs() as logs:
            await note_seen(site.database, session, session.seen_at + timedelta(hours=1))
    assert [(line["event"], line["log_level"]) for line in logs] == [("session not noted", "warning")]


async def the_session(site: Site) -> Session:
    async with site.database.reading() as db:
        return (await db.exec(select(Session))).one()


async def seen_at(site: Site) -> datetime:
    async with site.database.reading() as db:
        return (await db.exec(select(Session.seen_at))).one()
