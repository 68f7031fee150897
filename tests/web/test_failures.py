"""What a reader is told when something goes wrong."""

import re

from tests.web.client import Site


async def test_an_unexpected_error_is_a_plain_page_with_a_reference(site: Site) -> None:
    await site.break_table("setting")
    async with site.browser() as browser:
        answer = await browser.get("/login")
        again = await browser.get("/api/ping")
    assert answer.status_code == 500
    assert re.search(r"Reference in the log: [0-9a-f]{8}", answer.text)
    for secret in ("Traceback", "sqlite", "setting", "Starlette", "uvicorn", "python"):
        assert secret not in answer.text + str(answer.headers)
    assert again.status_code == 200


async def test_an_unexpected_error_in_a_part_of_a_page_is_a_toast(site: Site) -> None:
    async with site.signed_in(**{"HX-Request": "true"}) as browser:
        await site.break_table("setting")
        answer = await browser.get("/deliveries")
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (500, "#toasts")
    assert "<html" not in answer.text


async def test_an_unexpected_error_is_told_to_a_program_in_json(site: Site) -> None:
    async with site.signed_in() as browser:
        await site.break_table("attempt")
        answer = await browser.get("/api/invariants")
    assert answer.status_code == 500
    assert answer.json()["success"] is False


async def test_a_missing_thing_is_a_page_or_a_toast_or_json(site: Site) -> None:
    async with site.signed_in() as browser:
        page = await browser.get("/messages/999")
        toast = await browser.get("/messages/999", headers={"HX-Request": "true"})
        program = await browser.get("/api/nothing")
    assert {page.status_code, toast.status_code, program.status_code} == {404}
    assert "<html" in page.text
    assert "<html" not in toast.text
    assert (toast.headers["HX-Retarget"], toast.headers["HX-Reswap"]) == ("#toasts", "beforeend")
    assert program.json() == {"success": False, "message": "There is nothing here. It may have been removed."}


async def test_a_wrong_method_says_which_ones_there_are(site: Site) -> None:
    async with site.browser() as browser:
        answer = await browser.put("/health")
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, {"GET", "HEAD"})


async def test_ping_answers_in_the_predecessors_words(site: Site) -> None:
    async with site.browser() as browser:
        answer = await browser.get("/api/ping")
        assert answer.json().keys() == {"status", "timestamp_utc"}
        assert answer.json()["status"] == "pong"
        assert (await browser.head("/api/ping")).status_code == 200
