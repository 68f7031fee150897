"""An operator's first receiver: make it, keep its secret, test it, pause it, all on live pages."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.test_rules import signed_in
from tests.servers import Dovecot, Sink
from tests.test_story import PATIENCE, Story

pytestmark = pytest.mark.browser

expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture
def story(dovecot: Dovecot, sink: Sink, tmp_path: Path) -> Story:
    return Story(dovecot, sink, tmp_path / "data")


async def test_a_receiver_is_made_tested_and_paused(story: Story, chromium: Browser) -> None:
    with story.program() as program:
        async with signed_in(chromium, program) as page:
            secret = await _make(page, story.sink)
            await _is_not_shown_again(page, secret)
            await _test(page, story.sink)
            await _pause(page)


async def _make(page: Page, sink: Sink) -> str:
    """Fill the form, mend a mistake, and give the secret that is shown."""
    await page.goto("/endpoints")
    await page.get_by_role("link", name="New receiver").click()
    await page.get_by_label("Name", exact=True).fill("Studio Nord")
    await page.get_by_label("Tries again after").fill("5s, soon")
    await expect(page.locator("#endpoint-effect")).to_contain_text("“soon” is no time between two tries")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#problem-url")).to_be_visible()
    await page.get_by_label("Address to which webhooks are posted").fill(sink.url)
    await page.get_by_label("Tries again after").fill("5s, 5min")
    await page.get_by_label("Headers of its own").fill("X-Api-Key: s3cret")
    await expect(page.locator("#endpoint-effect")).to_contain_text("tried 2 times more")
    await page.get_by_role("button", name="Save").click()
    shown = page.locator("#secret-text")
    await expect(shown).to_have_text(re.compile("^whsec_"))
    return await shown.inner_text()


async def _is_not_shown_again(page: Page, secret: str) -> None:
    """Loaded anew, the page is the receiver's."""
    assert re.search(r"/endpoints/\d+$", page.url)
    await page.reload()
    await expect(page.get_by_role("heading", name="Studio Nord")).to_be_visible()
    assert secret not in await page.content()


async def _test(page: Page, sink: Sink) -> None:
    before = len(sink.seen)
    await page.get_by_role("button", name="Send a test").click()
    tests = page.locator("#endpoint-tests")
    await expect(tests).to_contain_text("The receiver accepted it (status 200)")
    assert sink.seen[before].headers["x-api-key"] == "s3cret"
    await expect(tests).to_contain_text("[TEST] Signal Server")
    assert "s3cret" not in await page.content()


async def _pause(page: Page) -> None:
    await page.locator("#endpoint").get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Paused: what is due waits here.")).to_be_visible()
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_text("Paused: what is due waits here.")).to_be_hidden()
