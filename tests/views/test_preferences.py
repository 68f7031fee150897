"""The preferences' page: what each does is said, and each is set and cleared."""

from typing import Any

import httpx2
import pytest
from sqlmodel import select

from app.models import LogEvent
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}
WANTED: dict[str, Any] = {
    "exclude_keywords": "devis\r\n\r\n  essai  gratuit \r\n",
    "require_attachments": "on",
    "max_email_size_mb": " 12 ",
    "sender_priority": "Camille@Example.org: high\nlettre@example.org: low\nbob@example.org: medium",
    "group_dedup": "on",
}
CLEARED = {"exclude_keywords": "", "max_email_size_mb": "", "sender_priority": ""}


async def test_the_page_says_what_holds(ada: httpx2.AsyncClient) -> None:
    page = (await ada.get("/preferences")).text
    assert "No word makes every rule ignore a mail." in page
    assert "Mail goes with and without attachments." in page
    assert "Does not fetch mail above 30 MB" in page
    assert "No sender is preferred" in page
    assert "Of mails that a rule groups, the first goes" in page


async def test_saved_preferences_are_in_force_and_say_by_whom(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/preferences", data=WANTED)
    assert (answer.status_code, answer.headers["location"]) == (303, "/preferences")
    setting = await site.setting()
    assert setting.exclude_keywords == ["devis", "essai gratuit"]
    assert (setting.require_attachments, setting.max_email_size_mb) == (True, 12)
    assert setting.sender_priority == {
        "camille@example.org": "high",
        "lettre@example.org": "low",
        "bob@example.org": "normal",
    }
    assert (setting.group_dedup, setting.revision, setting.saved_by) == (True, 2, "ada")
    page = (await ada.get("/preferences")).text
    assert "Ignores mail with “devis”, “essai gratuit” in its subject or text" in page
    assert "camille@example.org: high\nlettre@example.org: low\nbob@example.org: normal</textarea>" in page
    assert " by ada" in page


async def test_everything_that_was_set_can_be_cleared(ada: httpx2.AsyncClient, site: Site) -> None:
    await ada.post("/preferences", data=WANTED)
    assert (await ada.post("/preferences", data=CLEARED)).status_code == 303
    setting = await site.setting()
    assert (setting.exclude_keywords, setting.sender_priority) == ([], {})
    assert (setting.require_attachments, setting.max_email_size_mb, setting.group_dedup) == (
        False,
        None,
        False,
    )
    async with site.database.reading() as db:
        events = (await db.exec(select(LogEvent).where(LogEvent.event == "preferences saved"))).all()
    assert [event.subject for event in events] == ["ada", "ada"]
    assert events[1].facts["changed"] == sorted([*CLEARED, "require_attachments", "group_dedup"])


async def test_with_htmx_the_form_comes_back_saved(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/preferences", data=WANTED, headers=FRAGMENT)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<form id="preferences"')
    assert "by ada" in answer.text


@pytest.mark.parametrize(
    ("place", "typed", "says"),
    [
        ("max_email_size_mb", "0", "A whole number from 1"),
        ("max_email_size_mb", "big", "A whole number from 1"),
        ("sender_priority", "camille: high", "“camille” is no e-mail address"),
        ("sender_priority", "c@example.org", "c@example.org: after a colon, say high"),
        ("sender_priority", "c@example.org: <b>", "“&lt;b&gt;” is not one of"),
        ("sender_priority", ": high", "An e-mail address is missing"),
        ("exclude_keywords", "x" * 501, "at most 500"),
    ],
)
async def test_a_mistake_stands_at_its_field(
    ada: httpx2.AsyncClient, place: str, typed: str, says: str
) -> None:
    answer = await ada.post("/preferences", data=WANTED | {place: typed}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert says in answer.text.partition(f'id="problem-{place}"')[2].partition("</p>")[0]
    assert answer.text.count('class="problem"') == 1
    assert "essai  gratuit" in answer.text or place == "exclude_keywords"  # as it was typed


async def test_nothing_is_saved_with_a_mistake(ada: httpx2.AsyncClient, site: Site) -> None:
    await ada.post("/preferences", data=WANTED | {"max_email_size_mb": "-1"})
    setting = await site.setting()
    assert (setting.exclude_keywords, setting.revision) == ([], 1)


async def test_the_effect_is_said_before_anything_is_saved(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/preferences/effect", data=WANTED, headers=FRAGMENT)
    assert answer.text.lstrip().startswith('<div id="preferences-effect"')
    assert "Mail from camille@example.org goes before other mail." in answer.text
    assert "Does not fetch mail above 12 MB" in answer.text
    assert "<textarea" not in answer.text
    assert (await site.setting()).revision == 1


async def test_the_effect_leaves_out_what_cannot_be_read_and_says_so(ada: httpx2.AsyncClient) -> None:
    wrong = WANTED | {"sender_priority": "camille"}
    answer = await ada.post("/preferences/effect", data=wrong, headers=FRAGMENT)
    assert "Which mail goes first: “camille” is no line such as camille@example.org: high" in answer.text
    assert "No sender is preferred" in answer.text


async def test_a_size_beyond_what_is_ever_fetched_is_said_for_what_it_does(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/preferences/effect", data={"max_email_size_mb": "50"}, headers=FRAGMENT)
    assert "Does not fetch mail above 30 MB" in answer.text


async def test_nobody_sees_or_sets_them_without_a_session(site: Site) -> None:
    async with site.browser() as stranger:
        assert (await stranger.get("/preferences")).headers["location"].startswith("/login")
        assert (await stranger.post("/preferences", data=WANTED)).headers["location"] == "/login"
    assert (await site.setting()).exclude_keywords == []
