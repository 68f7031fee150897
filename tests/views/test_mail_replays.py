"""A whole mail sent once more: as it was decided then, or by the rules as they are now."""

import re
from html import unescape

import httpx2
import pytest
from sqlmodel import col, select

from app.models import Delivery, Message, RuleVersion, Run
from app.rules.verdict import Verdict
from tests.views.cast import Cast, a_delivery, a_message
from tests.web.client import Site

SUBJECT = "Média Solution – Missions Recadrage – Lot 77"


@pytest.fixture
async def mail(site: Site, cast: Cast) -> int:
    """A mission that today's rules take, delivered once already."""
    async with site.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.endpoint_ids = [cast.endpoints[0].id or 0]
        message = await a_message(db, cast, SUBJECT)
        await a_delivery(db, cast, message)
    return message.id or 0


def seen(page: str) -> dict[str, str]:
    found = re.search(r'name="seen" value="([^"]*)"', page)
    return {"seen": found[1]} if found else {}


async def of_mail(site: Site, mail: int) -> list[Delivery]:
    async with site.database.reading() as db:
        query = select(Delivery).where(Delivery.message_id == mail).order_by(col(Delivery.id))
        return list((await db.exec(query)).all())


async def test_as_decided_then_all_that_was_made_of_it_goes_again(
    ada: httpx2.AsyncClient, site: Site, mail: int
) -> None:
    page = (await ada.get(f"/messages/{mail}")).text
    assert f'href="/replays/new?message={mail}"' in page
    await ada.post(f"/deliveries/{(await of_mail(site, mail))[0].id}/copies")  # a copy is no part of it
    preview = (await ada.get(f"/replays/new?message={mail}")).text
    assert "Send 1 delivery again?" in preview
    assert SUBJECT in unescape(preview)
    newest = re.findall(r'name="newest" value="(\d+)"', preview)[0]
    given = seen(preview) | {"newest": newest, "per_minute": "0", "id": "same"}
    assert (await ada.post(f"/replays?message={mail}", data=given)).status_code == 303
    async with site.database.reading() as db:
        (run,) = (await db.exec(select(Run).where(Run.kind == "replay"))).all()
    assert (run.total, run.details["wanted"]) == (1, {"message": mail})


async def test_as_the_rules_are_now_it_is_seen_first_and_then_sent(
    ada: httpx2.AsyncClient, site: Site, mail: int
) -> None:
    assert f'href="/messages/{mail}/replays/new"' in (await ada.get(f"/messages/{mail}")).text
    preview = (await ada.get(f"/messages/{mail}/replays/new")).text
    assert "hooks.example.com" in preview
    assert "microsoft_graph_email_id" in preview
    answer = await ada.post(f"/messages/{mail}/replays", data=seen(preview))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/messages/{mail}")
    assert (await ada.post(f"/messages/{mail}/replays", data=seen(preview))).status_code == 409  # once
    first, *further = await of_mail(site, mail)
    assert len(further) == 1
    assert {one.occurrence for one in further} == {1}
    assert first.state == "sent"
    page = (await ada.get(f"/messages/{mail}")).text
    assert "Sent by ada by the rules of that moment" in page


async def test_it_goes_nowhere_else_than_was_seen(ada: httpx2.AsyncClient, site: Site, mail: int) -> None:
    shown = seen((await ada.get(f"/messages/{mail}/replays/new")).text)
    async with site.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.endpoint_ids = [2]
    answer = await ada.post(f"/messages/{mail}/replays", data=shown)
    assert (answer.status_code, "look again" in answer.text) == (409, True)
    assert len(await of_mail(site, mail)) == 1


async def test_a_mail_that_no_rule_wants_goes_nowhere(ada: httpx2.AsyncClient, cast: Cast) -> None:
    number = cast.messages["newsletter"].id
    assert "As decided then" not in (await ada.get(f"/messages/{number}")).text
    preview = (await ada.get(f"/messages/{number}/replays/new")).text
    assert "send this mail nowhere" in preview
    assert seen(preview) == {}
    assert (await ada.post(f"/messages/{number}/replays")).status_code == 409


async def test_what_went_after_all_is_not_explained_by_why_it_did_not(
    ada: httpx2.AsyncClient, site: Site, mail: int
) -> None:
    async with site.database.transaction() as db:
        message = await db.get_one(Message, mail)
        message.verdict, message.expected_deliveries = Verdict.IGNORE, 0
        message.reason = {"code": "no_rule_matched", "facts": {}}
        for delivery in (await db.exec(select(Delivery).where(Delivery.message_id == mail))).all():
            delivery.occurrence = 1
    page = (await ada.get(f"/messages/{mail}")).text
    assert "The receiver accepted it" in page.partition('class="reading"')[0]


async def test_a_mail_without_text_or_verdict_cannot_be_judged_afresh(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    for name in ("broken", "large"):
        number = cast.messages[name].id
        assert "Send this mail again" not in (await ada.get(f"/messages/{number}")).text
        assert (await ada.get(f"/messages/{number}/replays/new")).status_code in {404, 409}
    assert (await ada.get("/messages/999/replays/new")).status_code == 404
    async with site.database.transaction() as db:
        waits = await a_message(db, cast, "Film", state="stored")
    assert (await ada.post(f"/messages/{waits.id}/replays")).status_code == 409
