"""A trial that is watched, and a mail that is handed in, as only a browser shows them."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from app.events import Event
from app.jobs.draft import request_trial
from app.models import Run, RunState
from app.rules.condition import Condition, Field, Group, Operator
from app.rules.rule import Rule
from tests.browser.conftest import Open
from tests.letters import matching
from tests.web.client import Site

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("cast")]

Publish = Callable[[Event], Awaitable[None]]
CONDITION = Condition(field=Field.SUBJECT, operator=Operator.CONTAINS, values=("agenda",))
DRAFT = Rule(id=0, version_id=0, name="Agendas", conditions=Group(items=(CONDITION,)))


async def report(site: Site, publish: Publish, state: RunState, done: int) -> None:
    """Write down how far the trial is, as a worker does."""
    async with site.database.transaction() as db:
        run = await db.get_one(Run, 1)
        run.state, run.done, run.total = state, done, 200
        run.started_at = run.started_at or site.clock()
        run.ended_at = site.clock() if state is RunState.DONE else None
    await publish(Event.RUN_CHANGED)


async def test_a_trial_shows_how_far_it_is_and_falls_silent_at_its_end(
    opened: Open, site: Site, publish: Publish
) -> None:
    async with site.database.transaction() as db:
        request_trial(db, DRAFT, days=7, by="ada", now=site.clock())
    async with opened("/trials/1") as page:
        await expect(page.get_by_text("Waits for its turn")).to_be_visible()
        await report(site, publish, RunState.RUNNING, 50)
        await expect(page.get_by_text("50 of 200 mails")).to_be_visible()
        await report(site, publish, RunState.DONE, 200)
        await expect(page.get_by_text("200 mails judged twice")).to_be_visible()
        await expect(page.locator("#trial progress")).to_have_count(0)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        async with page.expect_response("**/status"):  # what every page asks when it hears of a run
            await publish(Event.RUN_CHANGED)
        assert not [url for url in asked if "/trials/" in url]


async def test_a_trial_is_cancelled_from_its_page(opened: Open, site: Site, publish: Publish) -> None:
    async with site.database.transaction() as db:
        request_trial(db, DRAFT, days=7, by="ada", now=site.clock())
    await report(site, publish, RunState.RUNNING, 50)
    async with opened("/trials/1") as page:
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("button", name="Ending…")).to_be_disabled()
    async with site.database.reading() as db:
        assert (await db.get_one(Run, 1)).cancelled


async def test_a_mail_that_is_handed_in_is_answered_below_its_form(opened: Open) -> None:
    async with opened("/lab") as page:
        await page.evaluate("window.here = true")
        mail = {"name": "mail.eml", "mimeType": "message/rfc822", "buffer": matching(42)}
        await page.get_by_label("Its file").set_input_files(mail)
        await page.get_by_role("button", name="Judge it").click()
        await expect(page.locator("#lab-answer")).to_contain_text("Lot 42")
        await page.get_by_label("Its file").set_input_files([])
        await page.get_by_label("Or its source, pasted").fill("hello")
        await page.get_by_role("button", name="Judge it").click()
        await expect(page.get_by_role("alert")).to_contain_text("This is no mail")
        assert await page.evaluate("window.here")


async def test_the_lab_is_one_key_away(opened: Open) -> None:
    async with opened("/messages") as page:
        await page.keyboard.press("g")
        await page.keyboard.press("l")
        await expect(page.get_by_role("heading", name="Lab", exact=True)).to_be_visible()
