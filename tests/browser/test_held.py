"""The big switch and the held queue under an operator's hands."""

import pytest
from playwright.async_api import expect
from sqlmodel import select

from app.events import Event
from app.models import Delivery, DeliveryState, Sending, Setting
from app.rules.verdict import Verdict
from tests.browser.conftest import Open
from tests.browser.test_stories import Publish
from tests.views.cast import Cast, a_delivery, a_message, reason
from tests.web.client import Site

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}


@pytest.fixture
async def lots(site: Site, cast: Cast) -> list[int]:
    """Three deliveries that a pause holds."""
    numbers = []
    async with site.database.transaction() as db:
        for lot in range(3):
            message = await a_message(db, cast, f"Film {lot}", verdict=Verdict.HOLD, expected_deliveries=1)
            facts = {"state": DeliveryState.HELD, "attempts": 0, "body": None, "finished_at": None}
            delivery = await a_delivery(
                db, cast, message, reason=reason("paused", action="hold"), release_at=None, **facts
            )
            numbers.append(delivery.id or 0)
    return numbers


async def test_the_switch_pauses_with_one_click_and_resumes_at_a_pace(
    opened: Open, site: Site, lots: list[int]
) -> None:
    async with opened("/messages") as page:
        strip = page.locator("#strip")
        await strip.get_by_role("button", name="Pause").click()
        await expect(strip.get_by_text("nothing leaves, 3 wait")).to_be_visible()
        await strip.get_by_text("On", exact=True).click()
        await strip.get_by_label("How fast").select_option("10")
        await strip.get_by_role("button", name="Resume sending").click()
        await expect(strip.get_by_text("3 to go", exact=True)).to_be_visible()
        await expect(strip.get_by_role("button", name="Resume sending")).to_be_hidden()
    async with site.database.reading() as db:
        setting = await Setting.load(db)
        assert (setting.sending, setting.resume_per_minute) == (Sending.ON, 10)
        assert len((await db.exec(select(Delivery).where(Delivery.in_line()))).all()) == len(lots)


async def test_what_was_ticked_stays_ticked_is_dropped_and_comes_back(
    opened: Open, lots: list[int], publish: Publish
) -> None:
    async with opened("/held?q=Film") as page:
        first = page.locator(f"#held-{lots[0]}")
        await first.get_by_role("checkbox").check()
        async with page.expect_response(lambda answer: "/held" in answer.url):
            await publish(Event.DELIVERY_CHANGED)
        await expect(first.get_by_role("checkbox")).to_be_checked()
        await page.locator(".bulk").get_by_role("button", name="Drop").click()
        await expect(page.get_by_text("1 delivery dropped")).to_be_visible()
        await expect(first).to_have_count(0)
        await page.get_by_role("button", name="Undo").click()
        await expect(first).to_be_visible()
        await expect(first.get_by_role("checkbox")).not_to_be_checked()


async def test_all_that_match_are_released_without_javascript(
    opened: Open, site: Site, lots: list[int]
) -> None:
    async with opened("/held?q=Film", java_script_enabled=False) as page:
        await page.get_by_label("all 3 that match").check()
        await page.locator(".bulk").get_by_role("button", name="Release").click()
        await expect(page.get_by_text("3 deliveries released.")).to_be_visible()
    async with site.database.reading() as db:
        assert [(await db.get_one(Delivery, one)).state for one in lots] == [DeliveryState.PENDING] * 3


@pytest.mark.usefixtures("lots")
async def test_a_letter_leads_to_what_is_held(opened: Open) -> None:
    async with opened("/") as page:
        await page.keyboard.type("gh")
        await expect(page.get_by_role("heading", name="Held", exact=True)).to_be_visible()


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("scripts", [True, False])
async def test_on_a_phone_the_other_sections_are_behind_more(opened: Open, scripts: bool) -> None:  # noqa: FBT001
    async with opened("/", viewport=PHONE, java_script_enabled=scripts) as page:
        rules = page.get_by_role("link", name="Rules", exact=True)
        await expect(rules).to_be_hidden()
        await page.get_by_role("button", name="More").click()
        await rules.click()
        await expect(page.get_by_role("heading", name="Rules").first).to_be_visible()


async def test_a_mail_is_dropped_from_its_own_page_which_follows(
    opened: Open, lots: list[int], site: Site, publish: Publish
) -> None:
    async with site.database.reading() as db:
        mail = (await db.get_one(Delivery, lots[0])).message_id
    async with opened(f"/messages/{mail}") as page:
        await page.locator("#message").get_by_role("button", name="Drop").click()
        await expect(page.locator("#toasts").get_by_text("1 delivery dropped")).to_be_visible()
        await publish(Event.DELIVERY_CHANGED)
        await expect(page.locator("#message").get_by_text("Dropped by ada").first).to_be_visible()
        await expect(page.locator("#message").get_by_role("button", name="Drop")).to_be_hidden()


async def test_a_mail_set_aside_is_left_with_one_click(opened: Open, cast: Cast) -> None:
    async with opened(f"/messages/{cast.messages['broken'].id}") as page:
        mail = page.locator("#message")
        await mail.get_by_role("button", name="Leave it").click()
        await expect(mail.get_by_text("Left as it is by ada").first).to_be_visible()
        await expect(mail.get_by_role("button", name="Try again")).to_be_visible()
        await expect(mail.get_by_role("button", name="Leave it")).to_be_hidden()
