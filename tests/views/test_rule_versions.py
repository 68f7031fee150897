"""Versions of a rule: a save over a newer one, what each changed, and going back to one."""

import re

import httpx2
import pytest
from sqlmodel import col, select

from app.jobs import amend
from app.models import LogEvent, Message, MessageState, Rule
from tests.views.cast import Cast, a_mail_without_receiver
from tests.views.page_form import PageForm
from tests.views.writing import LOTS, form_of, sent, value_of, version
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


@pytest.mark.usefixtures("cast")
async def test_a_save_over_a_newer_version_is_refused_once(ada: httpx2.AsyncClient, site: Site) -> None:
    form = await form_of(ada, "/rules/1")
    async with site.database.transaction() as db:
        rule = await db.get_one(Rule, 1)
        await amend.save(db, rule, value_of(LOTS), by="grace", now=site.clock())
    mine = sent(form.fields, name="Mine")
    answer = await ada.post(form.action, data=mine, headers=FRAGMENT)
    assert answer.status_code == 409
    assert re.search(r"grace saved version 2 at \d\dh\d\d, after you opened this page.", answer.text)
    kept = PageForm(answer.text, "rule-form")
    assert ("name", "Mine") in kept.fields
    assert (await version(site, 1, 2)).name == LOTS["name"]

    again = await ada.post(kept.action, data=sent(kept.fields))
    assert again.status_code == 303
    assert (await version(site, 1, 3)).name == "Mine"


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("based_on", ["", "0", "-1", "x", "2", "9" * 40])
async def test_a_form_that_was_made_from_no_version_saves_nothing(
    ada: httpx2.AsyncClient, based_on: str
) -> None:
    fields = (await form_of(ada, "/rules/1")).fields
    assert (await ada.post("/rules/1/versions", data=sent(fields, version=based_on))).status_code == 409


@pytest.mark.usefixtures("cast")
async def test_a_version_shows_what_it_changed_and_nothing_else(ada: httpx2.AsyncClient) -> None:
    fields = (await form_of(ada, "/rules/1")).fields
    changed = sent(fields, name="Lots", endpoint_ids="2", exclude_keywords="promo")
    await ada.post("/rules/1/versions", data=changed)
    page = (await ada.get("/rules/1/versions/2")).text
    assert "What it changed, compared with version 1" in page
    assert re.findall(r"<dt>([^<]+)</dt>", page) == ["Name", "Excluded words", "Receivers"]
    assert re.findall(r"</span><span>([^<]+)</span></(?:del|ins)>", re.sub(r"\s+<", "<", page)) == [
        "Recadrage",
        "Lots",
        "promo",
        "planning",
    ]
    assert "Roll back to this version" not in page
    first = (await ada.get("/rules/1/versions/1")).text
    assert "It is the first version." in first
    assert "What rolling back would change, compared with version 2" in first
    listed = (await ada.get("/rules/1")).text
    assert listed.index(">Version 2</a>") < listed.index(">Version 1</a>")


@pytest.mark.usefixtures("cast")
async def test_rolling_back_is_a_new_version_that_says_what_it_brings_back(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    fields = (await form_of(ada, "/rules/1")).fields
    await ada.post("/rules/1/versions", data=sent(fields, name="Lots", stop="false"))
    answer = await ada.post("/rules/1/versions/1/restoration")
    assert (answer.status_code, answer.headers["location"]) == (303, "/rules/1")
    third, first = await version(site, 1, 3), await version(site, 1, 1)
    assert (third.definition, third.name, third.restored_from) == (first.definition, "Recadrage", 1)
    assert third.created_by == "ada"
    async with site.database.reading() as db:
        assert (await Rule.in_force(db))[0].version_id == third.id
        told = (await db.exec(select(LogEvent.event).order_by(col(LogEvent.id)))).all()
    assert [event for event in told if event.startswith("rule ")] == ["rule saved", "rule rolled back"]
    assert "brings back 1" in (await ada.get("/rules/1")).text
    assert "brings back version 1" in (await ada.get("/rules/1/versions/3")).text
    again = await ada.post("/rules/1/versions/3/restoration")
    assert again.status_code == 409
    assert "current version already" in again.text


async def test_a_delivery_names_the_version_that_made_it(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        rule = await db.get_one(Rule, 1)
        await amend.save(db, rule, value_of(LOTS), by="grace", now=site.clock())
    page = (await ada.get(f"/deliveries/{cast.deliveries['sent'].id}")).text
    assert '<a href="/rules/1/versions/1">Recadrage, version 1</a>' in page


async def test_mail_that_waits_for_a_receiver_is_decided_again_by_the_save_that_brings_one(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        held = await a_mail_without_receiver(db, cast, "Lot 50")
    fields = (await form_of(ada, "/rules/1")).fields
    await ada.post("/rules/1/versions", data=sent(fields, name="Still without a receiver"))
    async with site.database.reading() as db:
        assert (await db.get_one(Message, held.id)).state is MessageState.DECIDED
    await ada.post("/rules/1/versions", data=sent(fields, version="2", endpoint_ids="1"))
    async with site.database.reading() as db:
        assert (await db.get_one(Message, held.id)).state is MessageState.STORED
        others = (await db.get_one(Message, cast.messages["urgent"].id)).state
    assert others is MessageState.DECIDED
