"""Signing in by name and password, and how often that may be tried."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import AsyncClient, Response
from sqlmodel import select

from app.models import LogEvent
from app.web.throttle import neighbourhood
from tests.web.client import PASSWORD, Site, running


async def try_to(browser: AsyncClient, password: str, username: str = "ada", **more: str) -> Response:
    return await browser.post("/login", data={"username": username, "password": password} | more)


async def test_the_right_name_and_password_let_in(site: Site) -> None:
    await site.set_password()
    async with site.browser() as browser:
        answer = await try_to(browser, PASSWORD)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        assert (await browser.get("/api/invariants")).status_code == 200
        assert (await browser.get("/login")).status_code == 303


async def test_a_wrong_name_and_a_wrong_password_are_told_alike(site: Site) -> None:
    await site.set_password()
    async with site.browser() as browser:
        unknown = await try_to(browser, PASSWORD, "eve")
        wrong = await try_to(browser, "guess")
    assert unknown.status_code == wrong.status_code == 422
    assert unknown.text.replace("eve", "ada") == wrong.text
    assert "The name or the password is not right." in wrong.text


async def test_nobody_gets_in_by_an_empty_password_before_one_is_set_up(site: Site) -> None:
    async with site.browser() as browser:
        assert "No password has been set up here." in (await browser.get("/login")).text
        answer = await try_to(browser, "", "")
    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers


async def test_the_sixth_try_from_one_address_has_to_wait(site: Site) -> None:
    await site.set_password()
    async with site.browser() as browser:
        for _ in range(5):
            assert (await try_to(browser, "guess")).status_code == 422
        refused = await try_to(browser, PASSWORD)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 300
        assert "Try again after" in refused.text
        site.clock.ahead = timedelta(seconds=int(refused.headers["Retry-After"]))
        assert (await try_to(browser, PASSWORD)).status_code == 303


async def test_fifty_tries_at_once_are_five_tries(site: Site) -> None:
    await site.set_password()
    async with site.browser() as browser:
        answers = await asyncio.gather(*(try_to(browser, "guess") for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [422] * 5 + [429] * 45


async def test_a_restart_forgives_nothing(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path) as site, site.browser() as browser:
        await site.set_password()
        for _ in range(5):
            await try_to(browser, "guess")
    async with running(database_url, tmp_path) as site, site.browser() as browser:
        assert (await try_to(browser, PASSWORD)).status_code == 429


async def test_twenty_tries_from_anywhere_are_enough(site: Site) -> None:
    await site.set_password()
    async with site.database.transaction() as db:
        for number in range(20):
            db.add(LogEvent(at=site.clock(), event="sign-in tried", subject=f"192.0.2.{number}"))
    async with site.browser() as browser:
        assert (await try_to(browser, PASSWORD)).status_code == 429
        assert (await browser.post(await site.link())).status_code == 303  # links go on working


async def test_a_forged_address_is_not_believed(site: Site) -> None:
    await site.set_password()
    async with site.browser() as browser:
        for number in range(5):
            browser.headers["X-Forwarded-For"] = f"192.0.2.{number}"
            assert (await try_to(browser, "guess")).status_code == 422
        browser.headers["X-Forwarded-For"] = "192.0.2.99"
        assert (await try_to(browser, PASSWORD)).status_code == 429


async def test_a_try_that_succeeds_counts_no_more(site: Site) -> None:
    await site.set_password()
    async with site.browser() as browser:
        for _ in range(7):
            assert (await try_to(browser, PASSWORD)).status_code == 303
    async with site.database.reading() as db:
        events = (await db.exec(select(LogEvent).where(LogEvent.event == "signed in"))).all()
    assert [event.facts for event in events] == [{"by": "password", "username": "ada"}] * 7
    assert PASSWORD not in str(events)


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
    ],
)
def test_one_customer_counts_as_one_address(address: str, counted_as: str) -> None:
    assert neighbourhood(address) == counted_as


async def test_a_form_that_is_none_is_refused(site: Site) -> None:
    await site.set_password()
    async with site.browser() as browser:
        for content, kind in (
            (b"{}", "application/json"),
            (b"\xff\x00=&&&", "application/x-www-form-urlencoded"),
        ):
            answer = await browser.post("/login", content=content, headers={"Content-Type": kind})
            assert answer.status_code == 422
        file = await browser.post("/login", files={"password": b"x"})
        assert file.status_code in {400, 422}
        many = await browser.post("/login", data={f"field{number}": "x" for number in range(2000)})
        assert many.status_code in {400, 422}
