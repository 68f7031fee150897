"""The preferences for programs, in the predecessor's shape."""

from collections.abc import Sequence
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select

from app.models import Endpoint, LogEvent, Rule, RuleVersion, Setting
from app.rules.outcome import SCHEDULE
from tests.views.cast import Cast
from tests.web.client import Site

URL = "/api/processing_prefs"
USUAL = {
    "exclude_keywords": [],
    "exclude_keywords_recadrage": [],
    "exclude_keywords_autorepondeur": [],
    "require_attachments": False,
    "max_email_size_mb": None,
    "sender_priority": {},
    "retry_count": 9,
    "retry_delay_sec": 5,
    "webhook_timeout_sec": 30,
    "rate_limit_per_hour": 0,
    "notify_on_failure": False,
    "notify_to": [],
    "mirror_media_to_custom": True,
}
WANTED = {
    "exclude_keywords": [" devis ", ""],
    "require_attachments": True,
    "max_email_size_mb": "12",
    "sender_priority": {"Ann@example.com": "High", "bob@example.com": "medium"},
    "retry_count": 3,
    "retry_delay_sec": 60,
    "webhook_timeout_sec": 90,
    "rate_limit_per_hour": 20,
    "notify_on_failure": True,
    "notify_to": ["ada@example.org"],
    "mirror_media_to_custom": False,
}


async def prefs(browser: httpx2.AsyncClient) -> dict[str, Any]:
    answer = (await browser.get(URL)).json()
    assert answer["success"] is True
    found: dict[str, Any] = answer["prefs"]
    return found


async def endpoints(site: Site) -> Sequence[Endpoint]:
    async with site.database.reading() as db:
        return (await db.exec(select(Endpoint).order_by(col(Endpoint.id)))).all()


async def test_an_empty_database_has_the_usual_ones(ada: httpx2.AsyncClient) -> None:
    assert await prefs(ada) == USUAL


async def test_what_is_saved_is_told_and_in_force(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    answer = await ada.post(URL, json=WANTED)
    assert answer.status_code == 200
    expected = USUAL | WANTED | {"exclude_keywords": ["devis"], "max_email_size_mb": 12}
    expected["sender_priority"] = {"ann@example.com": "high", "bob@example.com": "medium"}
    assert answer.json() == {"success": True, "message": "Preferences saved.", "prefs": expected}
    assert await prefs(ada) == expected
    async with site.database.reading() as db:
        setting = await Setting.load(db)
    assert setting.sender_priority["bob@example.com"] == "normal"
    assert (setting.exclude_keywords, setting.max_email_size_mb) == (["devis"], 12)
    assert (setting.revision, setting.saved_by) == (2, "ada")
    found = await endpoints(site)
    assert len(found) == len(cast.endpoints) == 2
    assert {(one.timeout, one.rate_per_hour, tuple(one.schedule)) for one in found} == {(90, 20, (60,) * 3)}


@pytest.mark.usefixtures("cast")
async def test_what_is_told_can_be_sent_back_and_changes_nothing(ada: httpx2.AsyncClient, site: Site) -> None:
    before = await endpoints(site)
    assert (await ada.post(URL, json=await prefs(ada))).status_code == 200
    assert [one.schedule for one in await endpoints(site)] == [one.schedule for one in before]
    async with site.database.reading() as db:
        event = (await db.exec(select(LogEvent).where(LogEvent.event == "preferences saved"))).one()
        assert (await db.exec(select(RuleVersion).where(RuleVersion.number > 1))).all() == []
    assert event.facts == {"changed": []}


async def test_a_size_is_cleared_by_null(ada: httpx2.AsyncClient) -> None:
    await ada.post(URL, json={"max_email_size_mb": 3})
    await ada.post(URL, json={"max_email_size_mb": None})
    assert (await prefs(ada))["max_email_size_mb"] is None


async def test_the_words_of_a_detector_belong_to_its_rules(ada: httpx2.AsyncClient, site: Site) -> None:
    wanted = {"exclude_keywords_recadrage": ["test"], "exclude_keywords_autorepondeur": ["essai"]}
    assert (await ada.post(URL, json=wanted)).status_code == 200
    assert {name: (await prefs(ada))[name] for name in wanted} == wanted
    async with site.database.reading() as db:
        versions = [version for _, version in await Rule.listed(db)]
    words = [version.as_value().exclude_keywords for version in versions]
    assert words == [("test",), ("essai",), ()]
    assert [version.created_by for version in versions] == ["ada", "ada", "preset"]


async def test_without_a_rule_of_the_detector_its_words_are_refused(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    async with site.database.transaction() as db:
        for rule in (await db.exec(select(Rule))).all():
            rule.active, rule.archived_at = False, site.clock()
    answer = await ada.post(URL, json={"exclude_keywords_recadrage": ["x"], "require_attachments": True})
    assert answer.status_code == 400
    assert "exclude_keywords_recadrage: There is no rule" in answer.json()["message"]
    assert await prefs(ada) == USUAL


async def test_what_belongs_to_receivers_is_refused_while_there_is_none(ada: httpx2.AsyncClient) -> None:
    assert (await ada.post(URL, json=USUAL)).status_code == 200
    answer = await ada.post(URL, json={"webhook_timeout_sec": 10})
    assert answer.status_code == 400
    assert "webhook_timeout_sec: There is no receiver yet" in answer.json()["message"]


async def test_the_demos_receiver_is_left_alone(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    async with site.database.transaction() as db:
        (await db.get_one(Endpoint, cast.endpoints[0].id)).demo = True
    await ada.post(URL, json={"webhook_timeout_sec": 10})
    assert [one.timeout for one in await endpoints(site)] == [30, 10]


async def test_every_switch_can_be_set_and_cleared(ada: httpx2.AsyncClient, site: Site) -> None:
    for on in (True, False):
        wanted = {
            "notify_on_failure": on,
            "mirror_media_to_custom": on,
            "notify_to": ["ada@example.org"] * on,
        }
        assert (await ada.post(URL, json=wanted)).status_code == 200
        assert {name: (await prefs(ada))[name] for name in wanted} == wanted
        async with site.database.reading() as db:
            setting = await Setting.load(db)
        assert (setting.notify_on_failure, setting.mirror_media) == (on, on)


async def test_the_first_mistake_is_told_and_nothing_is_saved(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post(URL, json={"retry_count": 99, "exclude_keywords": "x", "require_attachments": 1})
    assert answer.status_code == 400
    assert answer.json() == {"success": False, "message": "exclude_keywords: A list of texts is expected"}
    assert await prefs(ada) == USUAL


BODIES = [b"", b"[]", b'["x"]', b"{", b'"x"', b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 60_000, b"\xff"]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:12].decode("latin-1"))
async def test_a_body_that_is_no_json_object_is_refused(ada: httpx2.AsyncClient, body: bytes) -> None:
    for url in (URL, "/api/routing_rules"):
        answer = await ada.post(url, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert answer.json() == {"success": False, "message": "The body must be a JSON object."}


async def test_its_other_addresses_answer_alike(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/api/update_processing_prefs", json={"exclude_keywords": ["x"]})
    assert answer.json()["prefs"]["exclude_keywords"] == ["x"]
    assert (await ada.get("/api/get_processing_prefs")).json() == (await ada.get(URL)).json()


@pytest.mark.parametrize(
    "address",
    [
        "GET /api/processing_prefs",
        "GET /api/get_processing_prefs",
        "POST /api/processing_prefs",
        "POST /api/update_processing_prefs",
        "GET /api/routing_rules",
        "POST /api/routing_rules",
    ],
)
async def test_without_a_session_a_program_is_told_so(site: Site, address: str) -> None:
    method, _, path = address.partition(" ")
    async with site.browser() as stranger:
        answer = await stranger.request(method, path)
    assert (answer.status_code, answer.json()["success"]) == (401, False)


def test_the_usual_ones_are_those_of_a_new_receiver() -> None:
    assert (len(SCHEDULE), SCHEDULE[0]) == (USUAL["retry_count"], USUAL["retry_delay_sec"])
