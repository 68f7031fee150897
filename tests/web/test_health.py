"""`/health`: whether this process can read its database, whatever Redis does."""

from tests.web.client import Site


async def test_it_is_well_although_redis_is_away(site: Site) -> None:
    async with site.browser() as browser:
        answer = await browser.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_it_is_unwell_when_the_database_cannot_be_read(site: Site) -> None:
    await site.break_table("setting")
    async with site.browser() as browser:
        answer = await browser.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
