"""The big switch on every page, and what the strip says of it."""

import html
import re
from datetime import timedelta

import httpx2
import pytest
from sqlmodel import select

from app.jobs.pause import turn
from app.models import Delivery, DeliveryState, Sending, Setting
from app.models.story import of_delivery
from app.rules.verdict import Verdict
from tests.views.cast import Cast, a_delivery, a_message, reason
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


async def paused(site: Site, cast: Cast, mails: int) -> None:
    """Hold so many mails that match during a pause."""
    async with site.database.transaction() as db:
        await turn(db, to=Sending.PAUSED, per_minute=0, by="grace", now=site.clock())
        for lot in range(mails):
            message = await a_message(db, cast, f"Lot {lot}", verdict=Verdict.HOLD, expected_deliveries=1)
            facts = {"state": DeliveryState.HELD, "attempts": 0, "body": None, "finished_at": None}
            await a_delivery(db, cast, message, reason=reason("paused", action="hold"), **facts)


async def calm(site: Site) -> None:
    """Let nothing be the matter but the switch."""
    async with site.database.transaction() as db:
        for name in ("delivery", "attempt", "message"):
            await (await db.connection()).exec_driver_sql(f"DELETE FROM {name}")


async def said(ada: httpx2.AsyncClient) -> str:
    page = (await ada.get("/status", headers=FRAGMENT)).text
    sentence = re.search(r'class="said"[^>]*>(.*?)</a>', page, re.DOTALL)
    assert sentence
    return " ".join(html.unescape(sentence[1]).split())


@pytest.mark.parametrize("page", ["/", "/messages", "/held", "/deliveries", "/rules"])
@pytest.mark.usefixtures("cast")
async def test_the_switch_is_on_every_page(ada: httpx2.AsyncClient, page: str) -> None:
    shown = (await ada.get(page)).text
    assert re.search(r'<span class="position" aria-current="true"[^>]*>.*?<span>On</span>', shown)
    assert [f'name="to" value="{to}"' in shown for to in ("draining", "paused")] == [True, True]


@pytest.mark.usefixtures("cast")
async def test_one_click_pauses_and_says_who_and_since_when(site: Site, ada: httpx2.AsyncClient) -> None:
    await calm(site)
    answer = await ada.post("/pause", data={"to": "paused"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/held")
    assert re.fullmatch(r"Paused since \d\dh\d\d by ada: nothing leaves", await said(ada))
    assert "sending paused" in (await ada.get("/")).text
    async with site.database.reading() as db:
        setting = await Setting.load(db)
    assert (setting.sending, setting.saved_by) == (Sending.PAUSED, "ada")


@pytest.mark.usefixtures("cast")
async def test_who_set_it_otherwise_is_not_made_up(site: Site, ada: httpx2.AsyncClient) -> None:
    await calm(site)
    async with site.database.transaction() as db:
        (await Setting.load(db)).sending = Sending.PAUSED
    assert await said(ada) == "Sending is paused: nothing leaves"


async def test_draining_says_what_still_goes_until_it_is_drained(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    await calm(site)
    async with site.database.transaction() as db:
        message = await a_message(db, cast, "Lot 1")
        delivery = await a_delivery(db, cast, message, state=DeliveryState.PENDING, finished_at=None)
    await ada.post("/pause", data={"to": "draining"})
    assert re.fullmatch(
        r"Draining since \d\dh\d\d by ada: 1 still goes, what is new is held", await said(ada)
    )
    async with site.database.transaction() as db:
        (await db.get_one(Delivery, delivery.id)).state = DeliveryState.SENT
    assert (await said(ada)).startswith("Drained: nothing is on its way, what is new is held since")


async def test_what_waits_can_be_resumed_at_a_pace(site: Site, ada: httpx2.AsyncClient, cast: Cast) -> None:
    await calm(site)
    await paused(site, cast, 40)
    assert (await said(ada)).endswith("by grace: nothing leaves, 40 wait")
    page = (await ada.get("/held")).text
    assert "40 deliveries wait." in page
    assert "10 a minute (4 min)" in page
    answer = await ada.post("/pause", data={"to": "on", "per_minute": "10"}, headers=FRAGMENT)
    assert "Resuming: 40 to go, 10 a minute" in " ".join(answer.text.split())
    assert 'id="held-count"' in answer.text
    assert "Sending was paused: it goes in its turn" in (await ada.get("/held")).text
    assert "sending resumed" in (await ada.get("/")).text
    async with site.database.reading() as db:
        setting = await Setting.load(db)
        waiting = (await db.exec(select(Delivery).where(Delivery.why() == "waits_in_line"))).all()
    assert (setting.sending, setting.resume_per_minute) == (Sending.ON, 10)
    for page in (f"/deliveries/{waiting[0].id}", f"/messages/{waiting[0].message_id}"):
        shown = (await ada.get(page)).text
        assert "it goes in its turn." in shown
        assert "when sending is on again" not in shown


async def test_with_nothing_waiting_one_click_resumes(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    await calm(site)
    await paused(site, cast, 0)
    assert 'class="resume"' not in (await ada.get("/")).text
    await ada.post("/pause", data={"to": "on"})
    assert (await said(ada)).startswith("All is well")


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"to": "off"},
        {"to": "on", "per_minute": "601"},
        {"to": "on", "per_minute": "-1"},
        {"to": "on", "per_minute": "ten"},
        {"to": "on", "per_minute": "9" * 40},
    ],
)
async def test_what_the_switch_does_not_know_changes_nothing(
    site: Site, ada: httpx2.AsyncClient, form: dict[str, str]
) -> None:
    assert (await ada.post("/pause", data=form, headers=FRAGMENT)).status_code == 422
    async with site.database.reading() as db:
        assert (await Setting.load(db)).revision == 1


async def test_what_is_released_by_hand_during_a_pause_waits_for_the_switch(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    number = cast.deliveries["held"].id or 0
    await ada.post("/pause", data={"to": "paused"})
    answer = await ada.post("/held/releases", data={"only": str(number)}, headers=FRAGMENT)
    assert "1 delivery released.\nIt goes when sending is on again." in answer.text
    assert "Sending is paused" in (await ada.get(f"/deliveries/{number}")).text
    async with site.database.reading() as db:
        story = await of_delivery(db, number, site.clock())
    assert story
    assert story.waits
    assert story.waits.code == "paused"


async def test_what_stands_in_line_can_still_be_sent_from_its_page(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    number = cast.deliveries["pending"].id or 0
    site.clock.ahead = timedelta(hours=1)
    await ada.post("/pause", data={"to": "paused"})
    await ada.post("/pause", data={"to": "on", "per_minute": "1"})
    assert "it goes in its turn" in (await ada.get(f"/deliveries/{number}")).text
    assert (await ada.post(f"/deliveries/{number}/retries")).status_code == 303
    async with site.database.reading() as db:
        assert (await db.get_one(Delivery, number)).in_line_since is None
