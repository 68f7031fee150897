"""A receiver's secret: a new one is shown once, and the old one ends in its time."""

from datetime import timedelta

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


async def test_a_new_secret_is_asked_for_twice_and_shown_once(
    ada: httpx2.AsyncClient, site: Site, made: int
) -> None:
    old = (await stored(site, made)).secret
    question = (await ada.get(f"/endpoints/{made}/secret")).text
    assert "The old one goes on signing for 24 hours" in question
    assert (await stored(site, made)).secret == old
    answer = await ada.post(f"/endpoints/{made}/secret")
    now = await stored(site, made)
    assert secret_in(answer.text) == vault(site).open(now.secret)
    assert (answer.headers["cache-control"], now.previous_secret) == ("no-store", old)
    for address in (f"/endpoints/{made}", f"/endpoints/{made}/secret", f"/endpoints/{made}/settings"):
        assert "whsec_" not in (await ada.get(address)).text
    async with site.database.reading() as db:
        found = (await db.exec(select(LogEvent).where(LogEvent.subject == "Studio Nord"))).all()
    assert [(one.event, one.facts["by"]) for one in found] == [
        ("receiver created", "grace"),
        ("receiver given a new secret", "ada"),
    ]


async def test_the_page_counts_down_to_the_end_of_the_old_one(
    ada: httpx2.AsyncClient, site: Site, made: int
) -> None:
    await ada.post(f"/endpoints/{made}/secret")
    page = (await ada.get(f"/endpoints/{made}")).text
    assert "Two secrets sign." in page
    assert 'data-ago="due">in 23 hr</time>' in page
    assert "would stop at once" in (await ada.get(f"/endpoints/{made}/secret")).text
    site.clock.ahead = timedelta(hours=24)
    async with site.signed_in(**{"Accept-Language": "en"}) as later:
        assert "Two secrets sign." not in (await later.get(f"/endpoints/{made}")).text


async def test_the_old_one_can_be_ended_at_once(ada: httpx2.AsyncClient, site: Site, made: int) -> None:
    await ada.post(f"/endpoints/{made}/secret")
    answer = await ada.post(f"/endpoints/{made}/secret/expiry")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/endpoints/{made}")
    assert (await stored(site, made)).previous_secret is None
    assert "Two secrets sign." not in (await ada.get(f"/endpoints/{made}")).text
