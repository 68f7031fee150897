"""Sending again under an operator's hands: seen first, followed live, without JavaScript too."""

import pytest
from playwright.async_api import expect
from sqlmodel import col, select

from app.events import Event
from app.models import Delivery, Endpoint, Run, RunState
from tests.browser.conftest import Open
from tests.browser.test_stories import Publish
from tests.views.cast import Cast
from tests.web.client import Site

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}


@pytest.mark.usefixtures("cast")
async def test_what_failed_is_sent_again_from_the_list_and_followed(
    opened: Open, site: Site, publish: Publish
) -> None:
    async with opened("/deliveries") as page:
        await page.get_by_label("State").select_option("failed")
        await expect(page.locator("#delivery-list .row")).to_have_count(1)
        await page.get_by_role("link", name="Send these again…").click()
        await expect(page.get_by_role("heading", name="Send 1 delivery again?")).to_be_visible()
        await expect(page.get_by_label("How many a minute")).to_have_count(0)  # of one, nobody asks
        await page.get_by_role("button", name="Send 1 again").click()
        await expect(page.get_by_text("Waits for its turn.")).to_be_visible()
        async with site.database.transaction() as db:
            run = (await db.exec(select(Run).where(Run.kind == "replay"))).one()
            run.state, run.done, run.started_at = RunState.RUNNING, 0, site.clock()
        await publish(Event.RUN_CHANGED)
        await expect(page.get_by_text("0 of 1")).to_be_visible()
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_text("Ending…")).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_one_goes_to_an_edited_address_only_after_a_yes(
    opened: Open, site: Site, cast: Cast, *, script: bool
) -> None:
    number = cast.deliveries["sent"].id
    async with site.database.transaction() as db:
        endpoint = await db.get_one(Endpoint, cast.endpoints[0].id)
        endpoint.url, endpoint.url_since = "https://elsewhere.example.net/in", site.clock()
    async with opened(f"/deliveries/{number}", java_script_enabled=script, viewport=PHONE) as page:
        yes = page.get_by_label("Yes, to the new address: elsewhere.example.net").first
        await page.get_by_role("button", name="Send again").click()
        await expect(yes).to_be_focused()
        if script:
            await yes.blur()
            await page.keyboard.press("r")
            await expect(yes).to_be_focused()
        await expect(page.get_by_text("It has arrived.")).to_be_visible()
        await yes.check()
        await page.get_by_role("button", name="Send again").click()
        await expect(page.get_by_text("Sent again by ada")).to_be_visible()


@pytest.mark.usefixtures("cast")
async def test_in_the_list_one_is_not_sent_to_an_edited_address(opened: Open, site: Site, cast: Cast) -> None:
    async with site.database.transaction() as db:
        (await db.get_one(Endpoint, cast.endpoints[0].id)).url_since = site.clock()
    async with opened("/deliveries?state=sent") as page:
        await page.keyboard.press("j")
        await page.keyboard.press("r")
        await expect(page.get_by_text("The receiver's address was changed since")).to_be_visible()


async def test_one_is_sent_as_new_and_its_page_opens(opened: Open, site: Site, cast: Cast) -> None:
    async with opened(f"/deliveries/{cast.deliveries['sent'].id}") as page:
        await page.get_by_role("button", name="Send as new").click()
        await expect(page.get_by_text("Sent as new by ada")).to_be_visible()
    async with site.database.reading() as db:
        newest = (await db.exec(select(Delivery).order_by(col(Delivery.id).desc()))).first()
    assert newest
    assert newest.occurrence == 1


@pytest.mark.usefixtures("cast")
async def test_without_javascript_and_on_a_phone_it_works_too(opened: Open, site: Site) -> None:
    async with opened("/deliveries?state=failed", java_script_enabled=False, viewport=PHONE) as page:
        await page.get_by_role("link", name="Send these again…").click()
        await page.get_by_label("As new").check()
        await page.get_by_role("button", name="Send 1 again").click()
        await expect(page.get_by_text("As new: the same bodies under new ids.")).to_be_visible()
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_text("Cancelled after 0 of 1.")).to_be_visible()
    async with site.database.reading() as db:
        assert (await db.exec(select(Run).where(Run.kind == "replay"))).one().state is RunState.CANCELLED
