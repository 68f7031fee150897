"""What only a browser can show: rows that arrive, toasts, going back, the keyboard, and no scripts at all."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect
from sqlalchemy import update
from sqlmodel import col

from app.events import Event
from app.models import Delivery, DeliveryState
from tests.browser.conftest import Open
from tests.views.cast import Cast, a_delivery, a_message, step
from tests.web.client import Site

pytestmark = pytest.mark.browser

Publish = Callable[[Event], Awaitable[None]]


async def arrive(site: Site, cast: Cast, subject: str) -> None:
    """Let a mail come and be sent, as a worker would."""
    async with site.database.transaction() as db:
        await a_delivery(db, cast, await a_message(db, cast, subject))


async def test_a_delivery_appears_without_a_reload(
    opened: Open, site: Site, cast: Cast, publish: Publish
) -> None:
    async with opened("/deliveries") as page:
        await page.evaluate("window.here = true")
        await arrive(site, cast, "Lot 77")
        await publish(Event.DELIVERY_CHANGED)
        await expect(page.locator(".row .title").first).to_have_text("Lot 77")
        assert await page.evaluate("window.here")


async def test_new_rows_wait_while_the_list_is_read(
    opened: Open, site: Site, cast: Cast, publish: Publish
) -> None:
    async with opened("/messages", viewport={"width": 1200, "height": 400}) as page:
        await page.evaluate("scrollTo(0, 300)")
        await arrive(site, cast, "Lot 78")
        await publish(Event.MESSAGE_CHANGED)
        await page.get_by_role("button", name="1 new").click()
        await expect(page.locator(".row .title").first).to_have_text("Lot 78")
        await expect(page.get_by_role("button", name="1 new")).to_have_count(0)


async def test_focus_and_what_is_open_survive_an_update(
    opened: Open, site: Site, cast: Cast, publish: Publish
) -> None:
    async with opened(f"/deliveries/{cast.deliveries['failed'].id}") as page:
        older = page.locator("details.attempt").nth(2)
        await older.locator("summary").first.click()
        await page.get_by_role("button", name="Send again").focus()
        async with site.database.transaction() as db:
            await db.exec(update(Delivery).values(may_have_arrived=True))
        await publish(Event.DELIVERY_CHANGED)
        await expect(page.get_by_text("the receiver may have it already")).to_be_visible()
        await expect(older).to_have_attribute("open", "")
        await expect(page.get_by_role("button", name="Send again")).to_be_focused()


async def test_a_hidden_tab_hears_nothing_and_asks_when_it_is_shown(
    opened: Open, site: Site, cast: Cast, publish: Publish
) -> None:
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    async with opened("/deliveries") as page:
        await page.evaluate(hide % "true" + tell)
        await arrive(site, cast, "Lot 79")
        await publish(Event.DELIVERY_CHANGED)
        await expect(page.get_by_text("Lot 79")).to_have_count(0)
        await page.evaluate(hide % "false" + tell)
        await expect(page.locator(".row .title").first).to_have_text("Lot 79")


async def test_what_cannot_be_done_is_a_toast(opened: Open, site: Site, cast: Cast) -> None:
    async with opened(f"/deliveries/{cast.deliveries['failed'].id}") as page:
        async with site.database.transaction() as db:
            waiting = update(Delivery).values(state=DeliveryState.PENDING)
            await db.exec(waiting.where(col(Delivery.id) == cast.deliveries["failed"].id))
        await page.get_by_role("button", name="Send again").click()
        await expect(page.locator("#toasts")).to_contain_text("This delivery is on its way already.")
        await expect(page.locator("#delivery")).to_be_visible()


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(("language", "said"), [("en", "6 d ago"), ("fr", "il y a 6\u00a0j")])
async def test_the_script_says_how_long_ago_it_was_in_the_servers_words(
    opened: Open, language: str, said: str
) -> None:
    async with opened(f"/messages?lang={language}") as page:
        oldest = page.locator(".row time").last
        await expect(oldest).to_have_text(said)
        await oldest.evaluate("time => time.textContent = ''")
        await expect(oldest).to_have_text(said)
        await oldest.evaluate(
            "time => { time.dataset.ago = 'due'; time.dateTime = new Date(Date.now() - 9000).toISOString() }"
        )
        await expect(oldest).to_have_text({"en": "now", "fr": "maintenant"}[language])


async def test_a_long_word_does_not_widen_a_phones_page(opened: Open, site: Site, cast: Cast) -> None:
    async with site.database.transaction() as db:
        told = step(
            "exclude_keyword", keyword="media_solution_missions_recadrage_lot_856424", rule="recadrage"
        )
        mail = await a_message(db, cast, "media_solution_missions_recadrage_lot_856424", steps=[told])
    async with opened(f"/messages/{mail.id}", viewport={"width": 390, "height": 800}) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.usefixtures("cast")
async def test_going_back_shows_the_whole_page_with_its_filters(opened: Open) -> None:
    async with opened("/messages") as page:
        await page.get_by_label("Sender or subject").fill("lot 42")
        await expect(page.locator(".row")).to_have_count(1)
        await expect(page).to_have_url("/messages?q=lot%2042")
        await page.locator(".row .title").click()
        await expect(page.get_by_role("heading", name="Why")).to_be_visible()
        await page.go_back()
        await expect(page.get_by_role("heading", name="Messages", exact=True)).to_be_visible()
        await expect(page.get_by_label("Sender or subject")).to_have_value("lot 42")
        await expect(page.locator(".row")).to_have_count(1)


@pytest.mark.usefixtures("cast")
async def test_the_lost_stream_is_said_to_be_lost(opened: Open, site: Site) -> None:
    async with opened("/") as page:
        await expect(page.get_by_text("Live updates are lost")).to_be_hidden()
        site.served.stop()
        await expect(page.get_by_text("Live updates are lost")).to_be_visible()


async def test_the_keyboard_reaches_everything(opened: Open, cast: Cast) -> None:
    async with opened("/") as page:
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.keyboard.type("gd")
        await expect(page).to_have_url("/deliveries")
        await page.wait_for_selector("html[data-live=on]")
        await page.keyboard.press("/")
        await expect(page.get_by_label("Sender or subject")).to_be_focused()
        await page.keyboard.press("Escape")
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        await expect(page.get_by_role("link", name="Lot 40")).to_be_focused()
        await page.keyboard.press("r")
        await expect(page.locator(f"#delivery-{cast.deliveries['failed'].id} .chip")).to_have_text("pending")
        await page.keyboard.press("k")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"/deliveries/{cast.deliveries['pending'].id}")


@pytest.mark.usefixtures("cast")
async def test_everything_but_being_live_works_without_scripts(opened: Open) -> None:
    async with opened("/messages", java_script_enabled=False) as page:
        await page.get_by_label("Sender or subject").fill("lot 39")
        await page.get_by_role("button", name="Search").click()
        await page.get_by_role("link", name="Lot 39").click()
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_text("will be decided in a moment")).to_be_visible()
        await page.get_by_role("button", name="Check mails now").click()
        await expect(page.get_by_role("progressbar").first).to_be_visible()
        await page.get_by_role("link", name="FR").click()
        await expect(page.get_by_role("heading", name="Boîtes")).to_be_visible()
