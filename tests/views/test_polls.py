"""Check mails now, by the button and by a program."""

import httpx2
import pytest
from sqlmodel import select

from app.models import Run, RunState
from tests.views.cast import Cast
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


async def test_the_button_asks_for_a_poll_of_every_mailbox(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    answer = await ada.post("/polls")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    async with site.database.reading() as db:
        runs = (await db.exec(select(Run))).all()
    assert [run.mailbox_id for run in runs] == [box.id for box in cast.mailboxes]
    assert {run.requested_by for run in runs} == {"ada"}


async def test_the_strip_shows_how_far_it_is(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    strip = (await ada.post("/polls", headers=FRAGMENT)).text
    assert strip.count("<progress") == 2
    assert "Check mails now" not in strip
    async with site.database.transaction() as db:
        for run in (await db.exec(select(Run))).all():
            run.state, run.total, run.done, run.ended_at = RunState.DONE, 3, 2, cast.now
    strip = (await ada.get("/status", headers=FRAGMENT)).text
    assert "2 new mails" in strip
    assert "Check mails now" in strip


@pytest.mark.usefixtures("cast")
async def test_one_poll_has_a_page_of_its_own(ada: httpx2.AsyncClient) -> None:
    await ada.post("/polls")
    page = (await ada.get("/polls/1")).text
    assert "Poll of missions" in page
    assert (await ada.get("/polls/999")).status_code == 404


@pytest.mark.usefixtures("cast")
async def test_a_program_is_answered_with_the_runs(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/api/check_emails_and_download")
    assert answer.status_code == 202
    assert answer.json()["status"] == "success"
    assert answer.json()["run_id"] == answer.json()["run_ids"][0]


async def test_without_a_mailbox_it_says_why_not(ada: httpx2.AsyncClient) -> None:
    assert (await ada.post("/polls", headers=FRAGMENT)).status_code == 409
    answer = await ada.post("/api/check_emails_and_download")
    assert (answer.status_code, answer.json()["success"]) == (409, False)
