"""A receiver's secret: a new one is shown once, and the old one ends in its time."""

import asyncio
import re
from datetime import datetime, timedelta

import httpx2
import pytest
from sqlmodel import select

from app.models import LogEvent
from tests.views.receiving import a_receiver, stored, vault
from tests.views.test_endpoint_form import secret_in
from tests.web.client import Site


@pytest.fixture
async def made(site: Site) -> int:
    return await a_receiver(site)


async def mark_in(browser: httpx2.AsyncClient, address: str) -> dict[str, str]:
    """Which secret the page was shown with, as its form sends it."""
    found = re.search(r'name="seen" value="([0-9a-f]+)"', (await browser.get(address)).text)
    assert found
    return {"seen": found[1]}


async def rotated(browser: httpx2.AsyncClient, made: int) -> httpx2.Response:
    address = f"/endpoints/{made}/secret"
    return await browser.post(address, data=await mark_in(browser, address))


async def test_a_new_secret_is_asked_for_twice_and_shown_once(
    ada: httpx2.AsyncClient, site: Site, made: int
) -> None:
    old = (await stored(site, made)).secret
    question = (await ada.get(f"/endpoints/{made}/secret")).text
    assert "The old one goes on signing for 24 hours" in question
    assert (await stored(site, made)).secret == old
    answer = await rotated(ada, made)
    now = await stored(site, made)
    assert secret_in(answer.text) == vault(site).open(now.secret)
    assert (answer.headers["cache-control"], now.previous_secret) == ("no-store", old)
    assert 'data-ago="due"' in answer.text.partition("the old one stops on")[2].partition("</p>")[0]
    for address in (f"/endpoints/{made}", f"/endpoints/{made}/secret", f"/endpoints/{made}/settings"):
        assert "whsec_" not in (await ada.get(address)).text
    async with site.database.reading() as db:
        found = (await db.exec(select(LogEvent).where(LogEvent.subject == "Studio Nord"))).all()
    assert [(one.event, one.facts["by"]) for one in found] == [
        ("receiver created", "grace"),
        ("receiver given a new secret", "ada"),
    ]


async def test_the_page_says_when_the_old_one_ends(ada: httpx2.AsyncClient, site: Site, made: int) -> None:
    await rotated(ada, made)
    page = (await ada.get(f"/endpoints/{made}")).text
    assert "Two secrets sign." in page
    assert 'data-ago="due"' in page.partition("The old one stops on")[2].partition("</p>")[0]
    (ends,) = re.findall(r'The old one stops on <time datetime="([^"]+)"', page)
    assert timedelta(hours=23) < datetime.fromisoformat(ends) - site.clock() <= timedelta(hours=24)
    assert "would stop at once" in (await ada.get(f"/endpoints/{made}/secret")).text
    site.clock.ahead = timedelta(hours=24)
    async with site.signed_in(**{"Accept-Language": "en"}) as later:
        assert "Two secrets sign." not in (await later.get(f"/endpoints/{made}")).text


async def test_the_old_one_can_be_ended_at_once(ada: httpx2.AsyncClient, site: Site, made: int) -> None:
    await rotated(ada, made)
    seen = await mark_in(ada, f"/endpoints/{made}")
    answer = await ada.post(f"/endpoints/{made}/secret/expiry", data=seen)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/endpoints/{made}")
    assert (await stored(site, made)).previous_secret is None
    assert "Two secrets sign." not in (await ada.get(f"/endpoints/{made}")).text


async def test_pressed_twice_one_secret_is_made_and_what_the_receiver_knows_signs_on(
    ada: httpx2.AsyncClient, site: Site, made: int
) -> None:
    known, address = (await stored(site, made)).secret, f"/endpoints/{made}/secret"
    seen = await mark_in(ada, address)
    answers = await asyncio.gather(ada.post(address, data=seen), ada.post(address, data=seen))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    after = await stored(site, made)
    assert after.previous_secret == known
    (shown,) = [secret_in(answer.text) for answer in answers if answer.status_code == 200]
    assert shown == vault(site).open(after.secret)
    for late in (seen, {}):
        answer = await ada.post(address, data=late)
        assert (answer.status_code, "changed meanwhile" in answer.text) == (409, True)
    assert (await stored(site, made)).model_dump() == after.model_dump()


async def test_a_page_that_shows_another_secret_ends_none(
    ada: httpx2.AsyncClient, site: Site, made: int
) -> None:
    await rotated(ada, made)
    seen = await mark_in(ada, f"/endpoints/{made}")
    await rotated(ada, made)
    assert (await ada.post(f"/endpoints/{made}/secret/expiry", data=seen)).status_code == 409
    assert (await stored(site, made)).previous_secret is not None
