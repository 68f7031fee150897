"""A receiver whose address was changed, or who is gone: nothing made for it goes elsewhere unseen."""

import asyncio
import re
from collections import Counter
from datetime import timedelta
from html import unescape
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, delete, event
from sqlmodel import select

from app.models import Attempt, Delivery, DeliveryState, Endpoint, EndpointState, EndpointTest, LogEvent
from app.models import RuleVersion as Version
from tests.views.cast import Cast, a_delivery, a_message, an_attempt
from tests.views.receiving import STUDIO, change
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}
NEW = "https://elsewhere.example.net/in?token=t0ken"
ENDED = ("sent", "failed", "dropped")


@pytest.fixture
async def moved(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> int:
    """The studio, to which the operator has given another address; what it was sent before knows where to."""
    number = cast.endpoints[0].id or 0
    async with site.database.transaction() as db:
        for attempt in (await db.exec(select(Attempt).where(Attempt.endpoint_id == number))).all():
            attempt.url = "https://hooks.example.com/signal"
    answer = await ada.post(f"/endpoints/{number}/settings", data=STUDIO | {"name": "studio", "url": NEW})
    assert answer.status_code == 303
    return number


def agreement(page: str) -> dict[str, str]:
    found = re.search(r'name="confirmed" value="([^"]+)" required', page)
    return {"confirmed": unescape(found[1])} if found else {}


async def state_of(site: Site, number: int | None) -> DeliveryState:
    async with site.database.reading() as db:
        return (await db.get_one(Delivery, number)).state


async def test_that_an_address_was_changed_is_known_when_the_logs_are_gone(
    ada: httpx2.AsyncClient, site: Site, moved: int
) -> None:
    async with site.database.transaction() as db:
        await db.exec(delete(LogEvent))
    assert 'name="confirmed"' in (await ada.get(f"/replays/new?endpoint={moved}")).text


async def test_a_change_of_something_else_asks_nothing(ada: httpx2.AsyncClient, cast: Cast) -> None:
    number = cast.endpoints[0].id
    same = STUDIO | {"name": "atelier", "url": cast.endpoints[0].url}
    assert (await ada.post(f"/endpoints/{number}/settings", data=same)).status_code == 303
    assert 'name="confirmed"' not in (await ada.get(f"/replays/new?endpoint={number}")).text


@pytest.mark.usefixtures("moved")
@pytest.mark.parametrize("how", ["retries", "copies"])
@pytest.mark.parametrize("name", ENDED)
async def test_one_that_has_ended_goes_to_the_new_address_only_when_somebody_says_so(
    ada: httpx2.AsyncClient, site: Site, cast: Cast, *, name: str, how: str
) -> None:
    delivery = cast.deliveries[name]
    url = f"/deliveries/{delivery.id}"
    for headers in ({}, FRAGMENT):
        answer = await ada.post(f"{url}/{how}", headers=headers)
        assert answer.status_code == 409
        assert "address was changed since" in answer.text
    assert await state_of(site, delivery.id) is delivery.state
    page = unescape((await ada.get(url)).text)
    told = "address was changed after this was made" if name == "dropped" else "was sent to hooks.example.com"
    assert told in page
    assert page.count("Yes, to the new address: elsewhere.example.net<") == 2
    assert (await ada.post(f"{url}/{how}", data=agreement(page))).status_code == 303


async def test_who_agreed_to_one_address_has_not_agreed_to_the_next(
    ada: httpx2.AsyncClient, site: Site, cast: Cast, moved: int
) -> None:
    url = f"/deliveries/{cast.deliveries['sent'].id}"
    seen = agreement((await ada.get(url)).text)
    await change(site, moved, url_since=site.clock() + timedelta(seconds=1))
    for data in (seen, {"confirmed": "1"}):
        assert (await ada.post(f"{url}/retries", data=data)).status_code == 409


@pytest.mark.usefixtures("moved")
async def test_what_has_not_ended_goes_to_the_new_address_and_nobody_is_asked(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        (await db.get_one(Delivery, cast.deliveries["pending"].id)).endpoint_id = cast.endpoints[0].id or 0
    for name in ("pending", "held"):
        assert agreement((await ada.get(f"/deliveries/{cast.deliveries[name].id}")).text) == {}
        assert (await ada.post(f"/deliveries/{cast.deliveries[name].id}/retries")).status_code == 303


@pytest.mark.usefixtures("moved")
async def test_what_was_made_for_the_new_address_is_sent_again_without_a_question(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        message = await a_message(db, cast, "Film", at=site.clock() + timedelta(seconds=5))
        fresh = await a_delivery(db, cast, message)
    assert agreement((await ada.get(f"/deliveries/{fresh.id}")).text) == {}
    assert (await ada.post(f"/deliveries/{fresh.id}/copies")).status_code == 303


async def test_a_mail_that_came_before_goes_to_the_new_address_only_when_somebody_says_so(
    ada: httpx2.AsyncClient, site: Site, cast: Cast, moved: int
) -> None:
    async with site.database.transaction() as db:
        for version in (await db.exec(select(Version))).all():
            version.endpoint_ids = [moved]
        at = cast.ago(minutes=5)
        mail = (await a_message(db, cast, "Média Solution – Missions Recadrage – Lot 77", at=at)).id
    page = (await ada.get(f"/messages/{mail}/replays/new")).text
    assert "An address was changed after this mail came" in page
    assert "elsewhere.example.net" in page.partition('name="confirmed"')[2]
    seen = {"seen": re.findall(r'name="seen" value="([^"]*)"', page)[0]}
    answer = await ada.post(f"/messages/{mail}/replays", data=seen)
    assert (answer.status_code, "are to go to the new address" in answer.text) == (409, True)
    await change(site, moved, url="https://third.example.net/in")
    answer = await ada.post(f"/messages/{mail}/replays", data=seen | {"confirmed": "1"})
    assert (answer.status_code, "look again" in answer.text) == (409, True)
    await change(site, moved, url=NEW)
    answer = await ada.post(f"/messages/{mail}/replays", data=seen | {"confirmed": "1"})
    assert answer.status_code == 303


async def test_nothing_is_sent_again_to_a_receiver_that_was_deleted(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        (await db.get_one(Endpoint, cast.endpoints[0].id)).state = EndpointState.DELETED
    for name in ENDED:
        delivery = cast.deliveries[name]
        answer = await ada.post(f"/deliveries/{delivery.id}/retries")
        assert (answer.status_code, "Its receiver was deleted" in answer.text) == (409, True)
        assert await state_of(site, delivery.id) is delivery.state
        page = (await ada.get(f"/deliveries/{delivery.id}")).text
        assert "Its receiver was deleted: nothing goes there any more." in page
        assert "/retries" not in page


@pytest.mark.usefixtures("moved")
async def test_a_try_shows_the_address_that_it_went_to(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    url = f"/deliveries/{cast.deliveries['failed'].id}"
    page = (await ada.get(url)).text
    assert "POST https://hooks.example.com/signal" in page
    assert "curl --request POST https://hooks.example.com/signal" in page
    assert f"POST {NEW}" not in unescape(page)
    async with site.database.transaction() as db:  # as the first release kept it
        await an_attempt(db, cast.deliveries["failed"], 9)
    assert f"POST {NEW}" in unescape((await ada.get(url)).text)


async def test_a_test_shows_the_address_that_it_went_to(
    ada: httpx2.AsyncClient, site: Site, moved: int
) -> None:
    await ada.post(f"/endpoints/{moved}/tests")
    async with site.database.transaction() as db:
        (test,) = (await db.exec(select(EndpointTest))).all()
        test.url, test.body = "https://hooks.example.com/signal", b"{}"
        test.started_at = test.ended_at = site.clock()
    page = (await ada.get(f"/endpoints/{moved}")).text
    assert "curl --request POST https://hooks.example.com/signal" in page


@pytest.mark.usefixtures("cast")
async def test_previews_that_count_everything_go_one_after_another(ada: httpx2.AsyncClient) -> None:
    at_once: Counter[str] = Counter()

    def begun(*given: Any) -> None:  # noqa: ANN401 - as the event gives them
        if "GROUP BY delivery.endpoint_id, delivery.state" in " ".join(given[2].split()):
            at_once["now"] += 1
            at_once["most"] = max(at_once["most"], at_once["now"])

    def over(*given: Any) -> None:  # noqa: ANN401
        at_once["now"] -= "GROUP BY delivery.endpoint_id, delivery.state" in " ".join(given[2].split())

    event.listen(Engine, "before_cursor_execute", begun)
    event.listen(Engine, "after_cursor_execute", over)
    try:
        pages = await asyncio.gather(*(ada.get("/replays/new") for _ in range(5)))
    finally:
        event.remove(Engine, "before_cursor_execute", begun)
        event.remove(Engine, "after_cursor_execute", over)
    assert {page.status_code for page in pages} == {200}
    assert at_once == {"now": 0, "most": 1}
