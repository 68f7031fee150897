"""The list of the rules: their order, what each says, and what is done to a rule as a whole."""

import re
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import text
from sqlmodel import col, select

from app.models import Decision, LogEvent, Rule, rulebook
from tests.views.cast import SENDS, Cast
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}
PRESETS = ["Recadrage", "DESABO", "Any other mail with a delivery link"]


def names(page: str) -> list[str]:
    return re.findall(r'class="title" href="/rules/\d+">([^<]+)</a>', page)


async def in_force(site: Site) -> list[str]:
    """What judges the next mail."""
    async with site.database.reading() as db:
        return [rule.name for rule in await Rule.in_force(db)]


async def events(site: Site) -> list[tuple[str, str, str]]:
    async with site.database.reading() as db:
        found = (await db.exec(select(LogEvent).order_by(col(LogEvent.id)))).all()
    return [(one.event, one.subject, one.facts["by"]) for one in found if one.event.startswith("rule ")]


async def decided(site: Site, cast: Cast, rule: int, *, days: float, matched: bool = True) -> None:
    """A decision on the mail of the cast that nobody decided on, so many days ago."""
    async with site.database.transaction() as db:
        taken = select(Decision.message_id).where(Decision.rule_id == rule)
        free = [mail.id for mail in cast.messages.values() if mail.id not in (await db.exec(taken)).all()]
        db.add(
            Decision(
                message_id=free[0] or 0,
                rule_id=rule,
                rule_version_id=rule,
                position=0,
                matched=matched,
                reason=SENDS,
                steps=[],
                created_at=cast.ago(days=days),
            )
        )


@pytest.mark.usefixtures("cast")
async def test_the_rules_stand_in_their_order_and_say_what_they_do(ada: httpx2.AsyncClient) -> None:
    page = (await ada.get("/rules")).text
    assert names(page) == PRESETS
    assert "Takes mail if it is a recadrage mission." in page
    assert "Has no receiver: what it takes is held until it has one." in page
    assert page.count("version 1</a>") == 3
    assert page.count("preset, <time") == 3


async def test_the_mails_of_the_last_week_are_counted(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    await decided(site, cast, 1, days=1)
    await decided(site, cast, 1, days=6.9)
    await decided(site, cast, 1, days=7.1)
    await decided(site, cast, 1, days=1, matched=False)
    await decided(site, cast, 2, days=2)
    page = re.sub(r"\s+", " ", (await ada.get("/rules")).text)
    # one mail more is the matching one of the cast
    assert re.findall(r"(\d+) mails? in 7 days", page) == ["3", "1", "0"]


async def test_the_counts_are_read_off_an_index(site: Site) -> None:
    question = (
        "EXPLAIN QUERY PLAN SELECT rule_id, count(*) FROM decision "
        "WHERE decision.matched = 1 AND decision.created_at >= '2026-01-01' GROUP BY rule_id"
    )
    async with site.database.reading() as db:
        plan = [row[3] for row in (await (await db.connection()).execute(text(question))).all()]
        assert await rulebook.rows(db, site.clock() - timedelta(days=7))
    assert any("COVERING INDEX ix_decision_matched (matched=? AND created_at>?)" in line for line in plan)


async def test_a_rule_moves_up_and_down(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/rules/2/position", data={"direction": "up"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/rules")
    assert await in_force(site) == [PRESETS[1], PRESETS[0], PRESETS[2]]
    await ada.post("/rules/2/position", data={"direction": "down"})
    await ada.post("/rules/2/position", data={"direction": "down"})
    assert await in_force(site) == [PRESETS[0], PRESETS[2], PRESETS[1]]
    assert await events(site) == [("rule moved", "DESABO", "ada")] * 3


async def test_the_first_goes_no_higher_and_the_last_no_lower(ada: httpx2.AsyncClient, site: Site) -> None:
    await ada.post("/rules/1/position", data={"direction": "up"})
    await ada.post("/rules/3/position", data={"direction": "down"})
    assert await in_force(site) == PRESETS
    assert await events(site) == []
    assert (await ada.post("/rules/1/position", data={"direction": "sideways"})).status_code == 422
    assert (await ada.post("/rules/1/position")).status_code == 422


async def test_moving_answers_htmx_with_the_list(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/rules/3/position", data={"direction": "up"}, headers=FRAGMENT)
    assert answer.text.lstrip().startswith('<div id="rule-list"')
    assert names(answer.text) == [PRESETS[0], PRESETS[2], PRESETS[1]]


async def test_a_rule_that_is_switched_off_judges_no_mail(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/rules/2/activation", data={"active": "false"}, headers=FRAGMENT)
    assert "switched off" in answer.text
    assert 'aria-checked="false"' in answer.text
    assert await in_force(site) == [PRESETS[0], PRESETS[2]]
    again = await ada.post("/rules/2/activation", data={"active": "false"})
    assert again.headers["location"] == "/rules"
    from_its_page = await ada.post("/rules/2/activation", data={"active": "true", "from": "rule"})
    assert from_its_page.headers["location"] == "/rules/2"
    assert await in_force(site) == PRESETS
    assert await events(site) == [
        ("rule switched off", "DESABO", "ada"),
        ("rule switched on", "DESABO", "ada"),
    ]


async def test_a_rule_is_deleted_after_a_question_and_can_be_brought_back(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    question = await ada.get("/rules/1/deletion")
    assert "Delete the rule “Recadrage”?" in question.text
    assert await in_force(site) == PRESETS
    assert (await ada.post("/rules/1/deletion")).headers["location"] == "/rules"
    assert await in_force(site) == PRESETS[1:]
    page = (await ada.get("/rules")).text
    assert "1 deleted rule" in page
    assert names(page) == [*PRESETS[1:], PRESETS[0]]

    answer = await ada.post("/rules/1/return")
    assert answer.headers["location"] == "/rules/1"
    assert await in_force(site) == PRESETS[1:]  # it comes back switched off
    await ada.post("/rules/1/activation", data={"active": "true"})
    assert await in_force(site) == [*PRESETS[1:], PRESETS[0]]
    assert [event for event, _, _ in await events(site)] == [
        "rule deleted",
        "rule brought back",
        "rule switched on",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "/rules/1/position",
        "/rules/1/activation",
        "/rules/1/deletion",
        "/rules/1/versions",
        "/rules/1/versions/1/restoration",
    ],
)
async def test_what_was_deleted_is_only_shown(ada: httpx2.AsyncClient, site: Site, address: str) -> None:
    await ada.post("/rules/1/deletion")
    answer = await ada.post(address, data={"direction": "down", "active": "true", "version": "1"})
    assert answer.status_code == 409
    assert "Bring it back first" in answer.text
    page = (await ada.get("/rules/1")).text
    assert "A deleted rule is only shown." in page
    assert '<fieldset class="stack" disabled>' in page
    assert await in_force(site) == PRESETS[1:]


async def test_a_rule_that_is_not_there_is_not_found(ada: httpx2.AsyncClient) -> None:
    for address in ("/rules/99", "/rules/99/deletion", "/rules/99/versions/1", "/rules/1/versions/9"):
        assert (await ada.get(address)).status_code == 404
    for child in ("position", "activation", "deletion", "return", "versions", "versions/1/restoration"):
        data = {"direction": "up", "active": "true"}
        assert (await ada.post(f"/rules/99/{child}", data=data)).status_code == 404, child


async def test_without_a_rule_the_next_step_is_offered(ada: httpx2.AsyncClient) -> None:
    for number in (1, 2, 3):
        await ada.post(f"/rules/{number}/deletion")
    page = (await ada.get("/rules")).text
    assert "Make the first one" in page
    assert "3 deleted rules" in page


async def test_the_overview_tells_what_was_done_to_rules(ada: httpx2.AsyncClient) -> None:
    await ada.post("/rules/2/activation", data={"active": "false"})
    assert "rule switched off: <strong>DESABO</strong>" in (await ada.get("/")).text
