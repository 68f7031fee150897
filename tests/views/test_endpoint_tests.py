"""Asking for a test of a receiver, and reading what came of it."""

import httpx2
import pytest
from sqlmodel import select

from app.jobs.endpoint_test import MOST_WAITING
from app.models import EndpointTest
from tests.views.receiving import a_receiver
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
async def made(site: Site) -> int:
    return await a_receiver(site)


async def tests_of(site: Site) -> list[EndpointTest]:
    async with site.database.reading() as db:
        return list((await db.exec(select(EndpointTest))).all())


async def test_a_test_is_asked_for_and_stands_on_the_page(
    ada: httpx2.AsyncClient, site: Site, made: int
) -> None:
    answer = await ada.post(f"/endpoints/{made}/tests")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/endpoints/{made}")
    (test,) = await tests_of(site)
    assert (test.requested_by, test.owner, test.ended_at) == ("ada", None, None)
    page = (await ada.get(f"/endpoints/{made}")).text
    assert "Test by ada" in page
    assert "under way" in page


async def test_what_was_sent_and_answered_is_shown(ada: httpx2.AsyncClient, site: Site, made: int) -> None:
    await ada.post(f"/endpoints/{made}/tests")
    async with site.database.transaction() as db:
        (test,) = (await db.exec(select(EndpointTest))).all()
        test.started_at = test.ended_at = site.clock()
        test.reason = {"code": "receiver_refused", "facts": {"status": 422, "message": "<Lot> inconnu"}}
        test.body, test.status, test.answer = b'{"subject": "[TEST]"}', 422, b"no"
        test.request_headers = {"X-Api-Key": "•••"}
        test.timings = {"connect": 2.0, "wait": 8.0}
    page = (await ada.get(f"/endpoints/{made}")).text
    assert "The receiver refused it (status 422): &lt;Lot&gt; inconnu" in page
    assert "X-Api-Key: •••" in page
    assert "[TEST]" in page
    assert "10 ms" in page


async def test_one_that_was_over_the_limit_shows_no_request(
    ada: httpx2.AsyncClient, site: Site, made: int
) -> None:
    await ada.post(f"/endpoints/{made}/tests")
    async with site.database.transaction() as db:
        (test,) = (await db.exec(select(EndpointTest))).all()
        test.ended_at = site.clock()
        test.reason = {"code": "test_over_limit", "facts": {"used": 65, "limit": 3}}
    page = (await ada.get(f"/endpoints/{made}")).text
    assert "Not sent: the last hour had 65 tries, and 3 are allowed" in page
    assert "Request, as sent" not in page


async def test_not_too_many_wait_at_once(ada: httpx2.AsyncClient, site: Site, made: int) -> None:
    for _ in range(MOST_WAITING):
        answer = await ada.post(f"/endpoints/{made}/tests", headers=FRAGMENT)
        assert answer.text.lstrip().startswith('<div id="endpoint"')
    answer = await ada.post(f"/endpoints/{made}/tests")
    assert answer.status_code == 409
    assert "let them end" in answer.text
    assert len(await tests_of(site)) == MOST_WAITING
