"""The link that lets somebody in, once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col, func, select

from app.models import Session, SignInToken
from tests.web.client import Site


async def test_looking_at_a_link_never_uses_it_up(site: Site) -> None:
    link = await site.link()
    async with site.browser() as scanner:
        for _ in range(5):
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = await scanner.request(method, link)
                assert answer.status_code == (405 if method == "OPTIONS" else 200)
                assert "Set-Cookie" not in answer.headers
    async with site.browser() as person:
        assert '<form method="post"' in (await person.get(link)).text
        assert (await person.post(link)).status_code == 303
        assert (await person.get("/api/invariants")).status_code == 200


async def test_two_hundred_clicks_at_once_give_one_session(site: Site) -> None:
    link = await site.link()
    browsers = [site.browser() for _ in range(20)]
    answers = await asyncio.gather(*(browser.post(link) for browser in browsers for _ in range(10)))
    await asyncio.gather(*(browser.aclose() for browser in browsers))
    assert sorted(answer.status_code for answer in answers) == [303] + [410] * 199
    assert sum("Set-Cookie" in answer.headers for answer in answers) == 1
    async with site.database.reading() as db:
        assert (await db.exec(select(func.count()).select_from(Session))).one() == 1


async def test_unknown_old_revoked_and_used_links_look_alike(site: Site) -> None:
    used, old, revoked = await site.link(), await site.link(timedelta(seconds=-1)), await site.link()
    async with site.browser() as browser:
        await browser.post(used)
    async with site.database.transaction() as db:
        await db.exec(
            update(SignInToken).where(col(SignInToken.used_at).is_(None)).values(revoked_at=site.clock())
        )
    async with site.browser() as browser:
        for method in ("GET", "POST"):
            answers = [
                await browser.request(method, link) for link in ("/login/magic/unknown", used, old, revoked)
            ]
            assert {answer.status_code for answer in answers} == {410}
            assert len({answer.text for answer in answers}) == 1
            assert not any("Set-Cookie" in answer.headers for answer in answers)


async def test_a_link_stops_working_after_its_time(site: Site) -> None:
    link = await site.link(timedelta(minutes=15))
    site.clock.ahead = timedelta(minutes=15, seconds=1)
    async with site.browser() as browser:
        assert (await browser.post(link)).status_code == 410


@pytest.mark.parametrize("token", ["%00", "x" * 5000, "%F0%9F%92%8C", "a%0d%0ab", "'--"])
async def test_a_strange_token_is_an_unknown_one(site: Site, token: str) -> None:
    async with site.browser() as browser:
        assert (await browser.get(f"/login/magic/{token}")).status_code == 410
        assert (await browser.post(f"/login/magic/{token}")).status_code == 410
