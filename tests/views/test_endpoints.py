"""The receivers: how each is doing, and what is done to one as a whole."""

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from app.models import Delivery, DeliveryState, EndpointState, LogEvent, Rule, Setting
from tests.views.cast import Cast, a_delivery, a_message, an_attempt, reason
from tests.views.receiving import a_receiver, change, stored
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


async def page(browser: httpx2.AsyncClient, address: str) -> str:
    answer = await browser.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


async def events(site: Site) -> list[tuple[str, str, str]]:
    async with site.database.reading() as db:
        found = (await db.exec(select(LogEvent).order_by(col(LogEvent.id)))).all()
    return [(one.event, one.subject, one.facts["by"]) for one in found if one.event.startswith("receiver ")]


async def chosen_by_no_rule(site: Site) -> None:
    async with site.database.transaction() as db:
        for _, version in await Rule.listed(db):
            version.endpoint_ids = []


async def states(site: Site) -> dict[int, set[str]]:
    """The states of deliveries, by their receiver."""
    async with site.database.reading() as db:
        rows = (await db.exec(select(Delivery.endpoint_id, Delivery.state))).all()
    return {one: {str(state) for number, state in rows if number == one} for one, _ in rows}


async def test_one_that_was_refused_before_anything_was_sent_is_not_called_unused(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    assert "not used yet" in await page(ada, "/endpoints/1")
    async with site.database.transaction() as db:
        mail = await a_message(db, cast, "Lot 42")
        why = reason("private_address")
        refused = await a_delivery(db, cast, mail, state=DeliveryState.HELD, reason=why, needs_attention=True)
        await an_attempt(db, refused, outcome="private_address", status=None)
    for address in ("/endpoints", "/endpoints/1"):
        assert "nothing goes through" in await page(ada, address)
    shown = await page(ada, "/endpoints/1")
    assert "no try went through" in shown
    assert "nothing sent yet" not in shown


@pytest.mark.usefixtures("cast")
async def test_it_is_said_how_to_see_a_secret_that_nobody_was_shown(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    assert "the one it began with never was" in await page(ada, "/endpoints/1")
    made = await a_receiver(site)
    assert "A secret is shown once, when it is made." in await page(ada, f"/endpoints/{made}")


async def test_without_one_the_page_offers_the_first(ada: httpx2.AsyncClient) -> None:
    assert "Make the first receiver" in await page(ada, "/endpoints")


async def test_the_list_tells_how_each_is_doing(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    until = cast.now + timedelta(minutes=10)
    await change(site, 1, succeeded_at=cast.now, pace=4.0)
    await change(site, 2, failures=7, failing_since=cast.ago(hours=2), opened=2, open_until=until)
    shown = await page(ada, "/endpoints")
    assert shown.index("planning") < shown.index("studio")
    assert "left alone" in shown
    assert "The receiver has failed again and again" in shown
    assert "works" in shown
    assert "4 of 16" in shown
    assert "1 of 16" in shown  # one try at a time finds out whether it works again
    assert "1 later" in shown
    assert "1 held" not in shown  # by the window: it is not the receiver's doing
    assert shown.count("no rule sends to it") == 2


async def test_the_list_needs_few_questions_however_many_receivers_there_are(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    assert cast
    await change(site, 1, rate_per_hour=60)
    few = await _questions(ada)
    for number in range(6):
        await a_receiver(site, name=f"Receiver {number}", rate_per_hour=str(number + 1))
    assert await _questions(ada) == few


async def _questions(browser: httpx2.AsyncClient) -> int:
    """How often the database is asked for one page."""
    counted: list[str] = []

    def count(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        counted.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        await browser.get("/endpoints")
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    return len(counted)


async def test_one_shows_its_tries_its_rules_and_what_it_does(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        (_, version), *_ = await Rule.listed(db)
        version.endpoint_ids = [1]
        (await Setting.load(db)).mirror_id = 1
    shown = await page(ada, "/endpoints/1")
    assert "https://hooks.example.com/signal" in shown
    assert "Webhooks are posted to hooks.example.com as JSON" in shown
    assert "Média Solution – Missions Recadrage – Lot 42" in shown
    assert "210 ms" in shown or "214 ms" in shown
    assert cast.rules[0].name in shown
    assert "It is the mirror for media links" in shown
    assert (await ada.get("/endpoints/99")).status_code == 404


@pytest.mark.usefixtures("cast")
async def test_it_is_paused_and_resumed(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/endpoints/1/activation", data={"active": "false"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/endpoints/1")
    assert (await stored(site, 1)).state is EndpointState.PAUSED
    assert "Paused: what is due waits here." in await page(ada, "/endpoints/1")
    block = await ada.post("/endpoints/1/activation", data={"active": "true"}, headers=FRAGMENT)
    assert block.text.lstrip().startswith('<div id="endpoint"')
    assert (await stored(site, 1)).state is EndpointState.ACTIVE
    assert await events(site) == [("receiver paused", "studio", "ada"), ("receiver resumed", "studio", "ada")]


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("sent", [{}, {"active": "maybe"}, {"release": "on"}])
async def test_a_request_that_does_not_say_which_changes_nothing(
    ada: httpx2.AsyncClient, site: Site, sent: dict[str, str]
) -> None:
    assert (await ada.post("/endpoints/1/activation", data=sent)).status_code == 400
    assert (await stored(site, 1)).state is EndpointState.ACTIVE
    assert await events(site) == []


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("url", ["https://[", "https://[v1.a", "nonsense", "https://x.example:99999/"])
async def test_an_address_that_nobody_can_read_breaks_no_page(
    ada: httpx2.AsyncClient, site: Site, url: str
) -> None:
    await change(site, 1, url=url)
    for address in ("/endpoints", "/endpoints/1", "/endpoints/1/settings", "/endpoints/1/deletion"):
        shown = await page(ada, address)
        assert url in shown or address not in ("/endpoints", "/endpoints/1")


async def _park(site: Site, cast: Cast) -> None:
    await change(
        site, 1, state=EndpointState.PARKED, failures=1, state_since=cast.now, parked_for=reason("gone")
    )
    async with site.database.transaction() as db:
        one = await db.get_one(Delivery, cast.deliveries["failed"].id)
        one.state, one.reason, one.needs_attention = DeliveryState.HELD, reason("gone"), True


async def test_a_parked_one_is_taken_up_again_with_what_it_holds(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    await _park(site, cast)
    shown = await page(ada, "/endpoints/1")
    assert "The receiver is gone for good (status 410)" in shown
    assert "put the delivery that it holds back in the line" in shown
    await ada.post("/endpoints/1/activation", data={"active": "true", "release": "on"})
    fresh = await stored(site, 1)
    assert (fresh.state, fresh.failures) == (EndpointState.ACTIVE, 0)
    assert "pending" in (await states(site))[1]
    assert "held" in (await states(site))[1]  # what waits for the window is none of its business
    assert ("receiver taken up again", "studio", "ada") in await events(site)


async def test_what_it_holds_can_be_put_back_later(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    await _park(site, cast)
    await ada.post("/endpoints/1/activation", data={"active": "true"})
    assert "Put it back in the line" in await page(ada, "/endpoints/1")
    answer = await ada.post("/endpoints/1/releases")
    assert answer.headers["location"] == "/endpoints/1"
    assert "Put it back in the line" not in await page(ada, "/endpoints/1")
    assert (await ada.post("/endpoints/1/releases")).status_code == 409


async def test_one_that_a_rule_names_is_not_deleted(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    async with site.database.transaction() as db:
        (_, version), *_ = await Rule.listed(db)
        version.endpoint_ids = [1]
    question = await page(ada, "/endpoints/1/deletion")
    assert f"the rule “{cast.rules[0].name}”" in question
    answer = await ada.post("/endpoints/1/deletion")
    assert answer.status_code == 409
    assert (await stored(site, 1)).state is EndpointState.ACTIVE


@pytest.mark.usefixtures("cast")
async def test_the_mirror_is_not_deleted(ada: httpx2.AsyncClient, site: Site) -> None:
    async with site.database.transaction() as db:
        (await Setting.load(db)).mirror_id = 2
    assert "the mirror for media links" in await page(ada, "/endpoints/2/deletion")
    assert (await ada.post("/endpoints/2/deletion")).status_code == 409


@pytest.mark.usefixtures("cast")
async def test_one_is_deleted_after_a_question_and_stays_readable(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    assert "The one delivery that still waits for it is dropped." in await page(ada, "/endpoints/2/deletion")
    answer = await ada.post("/endpoints/2/deletion")
    assert answer.headers["location"] == "/endpoints"
    assert (await states(site))[2] == {"dropped"}
    assert "1 deleted receiver" in await page(ada, "/endpoints")
    shown = await page(ada, "/endpoints/2")
    assert "This receiver was deleted." in shown
    assert "Send a test" not in shown
    assert ("receiver deleted", "planning", "ada") in await events(site)


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("what", ["activation", "releases", "deletion", "settings", "secret", "tests"])
async def test_nothing_is_done_to_a_deleted_one(ada: httpx2.AsyncClient, site: Site, what: str) -> None:
    await change(site, 2, state=EndpointState.DELETED)
    assert (await ada.post(f"/endpoints/2/{what}", data={"active": "true"})).status_code == 409
    assert (await ada.post("/endpoints/2/secret/expiry")).status_code == 409
    assert (await stored(site, 2)).state is EndpointState.DELETED


@pytest.mark.usefixtures("cast")
async def test_an_unverified_receiver_says_whether_that_has_any_effect(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    await change(site, 1, verify_tls=False)
    assert "and yet they are: that needs ALLOW_INSECURE_TLS=1" in await page(ada, "/endpoints/1")
