"""The schedule in a browser: what a form does is said while one types."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


@pytest.mark.usefixtures("cast")
async def test_the_effect_is_said_while_one_types_and_saving_keeps_the_page(opened: Open) -> None:
    async with opened("/schedule") as page:
        await page.evaluate("window.here = true")
        await page.get_by_label("Opens at").fill("9h")
        await page.get_by_label("Closes at").fill("19h")
        said = page.locator("#schedule-effect .meaning")
        await expect(said).to_contain_text("Webhooks leave every day from 09h00 to 19h00, Paris time.")
        await expect(page.locator("#schedule-effect rect.open")).to_have_count(14)
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".save")).to_contain_text("by ada")
        await expect(page.get_by_label("Opens at")).to_have_value("9h00")
        await page.get_by_label("Opens at").fill("10h")  # the form goes on listening after it was replaced
        await expect(said).to_contain_text("from 10h00 to 19h00")
        assert await page.evaluate("window.here")


async def test_the_first_mistake_has_the_focus(opened: Open) -> None:
    async with opened("/preferences") as page:
        await page.get_by_label("Largest mail").fill("0")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("A whole number from 1")).to_be_visible()
        await expect(page.get_by_label("Largest mail")).to_be_focused()
        await expect(page.get_by_text("Not saved")).to_be_visible()


@pytest.mark.parametrize(("key", "title"), [("s", "Schedule"), ("p", "Preferences")])
async def test_both_pages_have_their_keys(opened: Open, key: str, title: str) -> None:
    async with opened("/") as page:
        await page.keyboard.press("g")
        await page.keyboard.press(key)
        await expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


async def test_the_schedule_is_saved_without_scripts(opened: Open) -> None:
    async with opened("/schedule", java_script_enabled=False) as page:
        await page.get_by_label("Opens at").fill("8h")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("give both or none")).to_be_visible()
        await page.get_by_label("Closes at").fill("18h")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Webhooks leave every day from 08h00 to 18h00")).to_be_visible()
