"""The storage's page: what takes the room, how long it is kept, and that nothing goes unasked."""

from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from sqlalchemy import text
from sqlmodel import select

from app.jobs.retention import CLEANED
from app.models import Database, LogEvent, Message, Raw, Setting, Size
from app.models.database import LARGEST_LOG
from app.models.storage import measure, usages
from app.rules.retention import Kind
from tests.views.cast import Cast, a_delivery, a_message, an_attempt
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}
USUAL = {"keep_sources": "365", "keep_bodies": "365", "keep_attempts": "365", "keep_logs": "90"}
MEGABYTE = 2**20


@pytest.mark.usefixtures("cast")
async def test_the_page_says_what_takes_the_room_and_how_long_it_stays(ada: httpx2.AsyncClient) -> None:
    page = (await ada.get("/storage")).text
    assert "The database takes" in page
    assert "Free on its disk" in page
    assert "below 64.0 MB no mail is fetched" in page
    assert "Keeps the source of a mail for 365 days." in page
    assert "Keeps logs for 90 days." in page
    assert 'value="365"' in page
    assert "The clean-up has removed nothing yet." in page
    assert "From tomorrow on" in page


async def test_what_removes_nothing_is_saved_at_once(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/storage", data=USUAL | {"keep_sources": " 400 ", "keep_logs": "0"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/storage")
    setting = await site.setting()
    assert (setting.keep_sources, setting.keep_logs, setting.saved_by) == (400, 0, "ada")
    page = (await ada.get("/storage")).text
    assert "Keeps logs for ever." in page
    assert " by ada" in page


@pytest.mark.usefixtures("cast")
async def test_what_removes_something_is_asked_first_with_its_number(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    wanted = USUAL | {"keep_sources": "3", "keep_bodies": "3"}
    answer = await ada.post("/storage", data=wanted, headers=FRAGMENT)
    assert answer.status_code == 422
    assert "This cannot be undone." in answer.text
    lost = answer.text.partition("This cannot be undone.")[2].partition("</ul>")[0]
    assert "Removes the source of mails older than 3 days: there are 3." in lost
    assert "Removes the body of deliveries that ended more than 3 days ago: there are 3." in lost
    assert "log" not in lost
    assert (await site.setting()).keep_sources == 365
    assert (await ada.post("/storage", data=wanted | {"confirmed": "3-3-365-90"})).status_code == 303
    assert (await site.setting()).keep_sources == 3


@pytest.mark.usefixtures("cast")
async def test_what_was_confirmed_holds_for_these_numbers_only(ada: httpx2.AsyncClient, site: Site) -> None:
    wanted = USUAL | {"keep_sources": "2", "confirmed": "3-365-365-90"}
    assert (await ada.post("/storage", data=wanted)).status_code == 422
    assert (await site.setting()).keep_sources == 365


@pytest.mark.parametrize("typed", ["", "-1", "a year", "36501", "1.5", "٣"])
async def test_a_mistake_stands_at_its_field(ada: httpx2.AsyncClient, site: Site, typed: str) -> None:
    answer = await ada.post("/storage", data=USUAL | {"keep_bodies": typed}, headers=FRAGMENT)
    assert answer.status_code == 422
    problem = answer.text.partition('id="problem-keep_bodies"')[2].partition("</p>")[0]
    assert "A whole number from 0 to 36500" in problem
    assert answer.text.count('class="problem"') == 1
    assert (await site.setting()).revision == 1


@pytest.mark.usefixtures("cast")
async def test_the_effect_is_said_before_anything_is_saved(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/storage/effect", data=USUAL | {"keep_attempts": "3"}, headers=FRAGMENT)
    assert answer.text.lstrip().startswith('<div id="storage-effect"')
    assert "Removes the tries of deliveries that ended more than 3 days ago: there are 3." in answer.text
    assert "Keeps the source of a mail for 365 days." in answer.text
    assert (await site.setting()).revision == 1


async def test_growth_is_drawn_and_said(ada: httpx2.AsyncClient, site: Site) -> None:
    async with site.database.transaction() as db:
        for days in (10, 5):
            day = (site.clock() - timedelta(days=days)).date()
            db.add(Size(day=day, size=MEGABYTE // days))
        db.add(LogEvent(at=site.clock(), event=CLEANED, facts=dict.fromkeys(Kind, 7) | {"count": 28}))
    page = (await ada.get("/storage")).text
    assert 'aria-label="From 103 kB on ' in page
    assert page.partition('<polyline points="')[2].count(",") >= 2
    assert "over the last 30 days" in page
    assert "7 sources, 7 bodies, 7 tries and 7 log entries were removed." in page


async def test_a_log_that_a_reader_keeps_from_being_used_again_is_told(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    """F24: somebody holds an old state; what is written meanwhile stays in the log until they end."""
    async with site.database.reading() as old:
        await old.get(Setting, 1)
        for number in range(LARGEST_LOG // (8 * MEGABYTE) + 1):
            await _write(site.database, number, bytes(8 * MEGABYTE))
        assert "The write-ahead log has grown to" in (await ada.get("/storage")).text
    await _write(site.database, 0, b"")
    await _write(site.database, 1, b"")
    assert "The write-ahead log has grown to" not in (await ada.get("/storage")).text


async def _write(database: Database, number: int, content: bytes) -> None:
    async with database.transaction() as db:
        connection = await db.connection()
        await connection.execute(text("CREATE TABLE IF NOT EXISTS filling (number int, content blob)"))
        await connection.execute(text("DELETE FROM filling WHERE number = :n"), {"n": number})
        filling = text("INSERT INTO filling VALUES (:n, :content)")
        await connection.execute(filling, {"n": number, "content": content})


@pytest.mark.usefixtures("cast")
async def test_a_mail_whose_source_is_gone_says_so_everywhere(ada: httpx2.AsyncClient, site: Site) -> None:
    async with site.database.transaction() as db:
        mail = (await db.exec(select(Message).where(Message.subject.like("%Lot 27")))).one()  # type: ignore[attr-defined]
        await db.delete(await db.get_one(Raw, mail.id))
        mail.source_removed_at = site.clock()
    page = (await ada.get(f"/messages/{mail.id}")).text
    assert "The source was removed" in page
    assert "as Storage asks" in page
    rehearsal = await ada.get(f"/messages/{mail.id}/rehearsal")
    assert rehearsal.status_code == 200
    assert "its source was removed" in rehearsal.text


async def test_a_delivery_says_what_was_removed_and_is_not_sent_without_a_body(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        mail = await a_message(db, cast, "gone", text=None, source_removed_at=cast.now)
        delivery = await a_delivery(db, cast, mail, body=None, attempts=3)
        sourced = await a_delivery(db, cast, await a_message(db, cast, "there"), body=None)
        await an_attempt(db, sourced)
    page = (await ada.get(f"/deliveries/{delivery.id}")).text
    assert "3 earlier tries were removed, as Storage asks." in page
    assert "Its body was removed, as Storage asks" in page
    assert "Send again" not in page.partition("<dialog")[0]
    refused = await ada.post(f"/deliveries/{delivery.id}/retries")
    assert refused.status_code == 409
    assert "Neither its body nor its mail is kept any more." in refused.text
    page = (await ada.get(f"/deliveries/{sourced.id}")).text
    assert "Send again" in page.partition("<dialog")[0]
    assert "The body was removed, as Storage asks; sent again, it is made anew from the mail." in page
    assert (await ada.post(f"/deliveries/{sourced.id}/retries")).status_code == 303


async def test_nobody_sees_or_sets_it_without_a_session(site: Site) -> None:
    async with site.browser() as stranger:
        assert (await stranger.get("/storage")).headers["location"].startswith("/login")
        assert (await stranger.post("/storage", data=USUAL)).headers["location"] == "/login"
        assert (await stranger.post("/storage/effect", data=USUAL)).headers["location"] == "/login"
    assert (await site.setting()).revision == 1


async def test_both_databases_tell_their_size_and_what_takes_it(either_url: str) -> None:
    database = Database(either_url)
    async with database.transaction() as db:
        for number in range(1, 1001):
            db.add(LogEvent(at=datetime(2026, 11, 16, tzinfo=UTC), event="e", facts={"n": f"{number:04}"}))
    async with database.reading() as db:
        measured, taken = await measure(db), await usages(db)
    assert measured.size > 100_000
    assert (measured.free is None) is not database.sqlite
    assert taken[Kind.LOGS].rows == 1000
    assert taken[Kind.LOGS].size == 1000 * len('{"n": "0001"}')
    assert taken[Kind.SOURCES].size == 0
    await database.aclose()
