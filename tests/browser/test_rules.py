"""An operator's day with a rule: make it, try it in the lab, save it, see it fire, roll it back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.letters import a_mail
from tests.program import Program
from tests.servers import Dovecot, Sink, eventually_async
from tests.test_story import PATIENCE, Story

pytestmark = pytest.mark.browser

expect.set_options(timeout=PATIENCE * 1000)


def invoice(number: int) -> bytes:
    return a_mail(
        f"Facture n°{number} à régler", "Bonjour, la facture est jointe.", sender="Zoé <zoe@example.com>"
    )


@pytest.fixture
def story(dovecot: Dovecot, sink: Sink, tmp_path: Path) -> Story:
    return Story(dovecot, sink, tmp_path / "data")


@asynccontextmanager
async def signed_in(chromium: Browser, program: Program) -> AsyncIterator[Page]:
    async with await chromium.new_context(locale="en-GB", base_url=program.url) as context:
        page = await context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(program.sign_in_link)
        await page.get_by_role("button", name="Sign in").click()
        yield page
        assert complaints == []


async def test_a_rule_is_made_tried_saved_fires_and_is_rolled_back(story: Story, chromium: Browser) -> None:
    story.arrives(invoice(1))
    with story.program() as program:
        await eventually_async(lambda: _decided(story) == 1, timeout=PATIENCE)
        async with signed_in(chromium, program) as page:
            await _write(page)
            await _try(page)
            await page.get_by_role("button", name="Save this draft").click()
            await expect(page.get_by_role("link", name="Version 1", exact=True)).to_be_visible()
            await _fires(story, 2)
            assert story.sink.seen[-1].json["subject"].startswith("Facture n°2")
            await _spoil(page)
            await _is_ignored(story, 3)
            await _roll_back(page)
            await _fires(story, 4)
            await _names_its_version(page)


async def _write(page: Page) -> None:
    await page.goto("/rules")
    await page.get_by_role("link", name="New rule").click()
    await page.get_by_label("Name", exact=True).fill("Invoices")
    await page.get_by_label("What is looked at").select_option("subject")
    await page.get_by_label("How it is compared").select_option("contains")
    await page.get_by_label("What is looked for").fill("FACTURE")
    await page.get_by_label("127.0.0.1").check()
    await page.locator("[name=links_required][value=false]").check()
    await expect(page.locator("#rule-effect")).to_contain_text("FACTURE")


async def _try(page: Page) -> None:
    await page.get_by_role("button", name="Try it on stored mail").click()
    await expect(page.get_by_role("heading", name="Trial of “Invoices”")).to_be_visible()
    await expect(page.locator("#trial-list")).to_contain_text("Facture n°1 à régler")


async def _fires(story: Story, number: int) -> None:
    before = len(story.sink.seen)
    story.arrives(invoice(number))
    await eventually_async(lambda: len(story.sink.seen) > before, timeout=PATIENCE)


async def _spoil(page: Page) -> None:
    """Save a second version, which looks for something else."""
    await page.get_by_label("What is looked for").fill("devis")
    await page.get_by_role("button", name="Save", exact=True).last.click()
    await expect(page.get_by_role("link", name="Version 2", exact=True)).to_be_visible()


async def _is_ignored(story: Story, number: int) -> None:
    sent = len(story.sink.seen)
    story.arrives(invoice(number))
    await eventually_async(lambda: _decided(story) == number, timeout=PATIENCE)
    ((verdict,),) = story.query(f"SELECT verdict FROM message WHERE subject LIKE 'Facture n°{number} %'")
    assert (verdict, len(story.sink.seen)) == ("ignore", sent)


async def _roll_back(page: Page) -> None:
    await page.get_by_role("link", name="Version 1", exact=True).click()
    await page.get_by_role("button", name="Roll back to this version").click()
    await expect(page.get_by_text("brings back 1")).to_be_visible()


async def _names_its_version(page: Page) -> None:
    await page.goto("/deliveries")
    await page.get_by_role("link", name="Facture n°4").first.click()
    await page.get_by_role("link", name="version 3").click()
    await expect(page.get_by_role("heading").first).to_contain_text("Invoices")


def _decided(story: Story) -> int:
    ((number,),) = story.query("SELECT count(*) FROM message WHERE state = 'decided'")
    assert isinstance(number, int)
    return number
