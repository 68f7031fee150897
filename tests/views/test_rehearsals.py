"""What would happen to a mail now: today's rules, today's settings, and nothing is written."""

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import func
from sqlmodel import col, select

from app.models import (
    Decision,
    Delivery,
    Endpoint,
    EndpointState,
    GroupMark,
    Mailbox,
    Message,
    Raw,
    Rule,
    RuleVersion,
    Setting,
)
from app.models.endpoint_test import EndpointTest
from app.rules.subject import group_of
from tests.views.cast import Cast, a_message
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
async def receiving(site: Site, cast: Cast) -> Cast:
    """Every rule has the first receiver."""
    async with site.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.endpoint_ids = [cast.endpoints[0].id or 0]
        for raw in (await db.exec(select(Raw))).all():
            raw.headers = []
    return cast


async def test_the_page_of_a_mail_leads_to_what_would_happen_now(ada: httpx2.AsyncClient, cast: Cast) -> None:
    mail = cast.messages["matching"].id
    assert f'href="/messages/{mail}/rehearsal"' in (await ada.get(f"/messages/{mail}")).text


async def test_every_rule_condition_and_gate_is_shown_with_what_it_saw(
    ada: httpx2.AsyncClient, receiving: Cast
) -> None:
    page = (await ada.get(f"/messages/{receiving.messages['matching'].id}/rehearsal")).text
    for sentence in ("Recadrage mission", "Sending is on", "No window is set", "It has a delivery link"):
        assert sentence in page
    assert "It would go to studio at once" in page
    assert "&#34;detector&#34;: &#34;recadrage&#34;" in page
    assert "asks for files, is never delivered" in page
    assert page.count('class="deciding"') == 1
    numbers = [int(found) for found in re.findall(r'class="number">(\d+)\.', page)]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_todays_settings_count(ada: httpx2.AsyncClient, site: Site, receiving: Cast) -> None:
    mail, today = receiving.messages["matching"].id, await site.today()
    async with site.database.transaction() as db:
        (await Setting.load(db)).vacation_start = (await Setting.load(db)).vacation_end = today
    page = (await ada.get(f"/messages/{mail}/rehearsal")).text
    assert re.search("It would be held until .{5,40}, then go to studio", page)
    async with site.database.transaction() as db:
        (await Setting.load(db)).exclude_keywords = ["mission"]
    assert "Nothing would be sent." in (await ada.get(f"/messages/{mail}/rehearsal")).text


async def test_receivers_that_take_nothing_now_are_said_to_wait(
    ada: httpx2.AsyncClient, site: Site, receiving: Cast
) -> None:
    mail = receiving.messages["matching"].id
    studio, planning = (one.id or 0 for one in receiving.endpoints)
    async with site.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.endpoint_ids = [studio, planning]
        (await db.get_one(Endpoint, studio)).state = EndpointState.PAUSED
    page = (await ada.get(f"/messages/{mail}/rehearsal")).text
    assert "It would go to planning at once" in page
    assert "It would be made for studio and wait. The receiver is paused." in page
    async with site.database.transaction() as db:
        endpoint, now = await db.get_one(Endpoint, planning), site.clock()
        endpoint.rate_per_hour = 1
        test = EndpointTest(endpoint_id=planning, webhook_id="", requested_by="ada", requested_at=now)
        test.started_at = now
        db.add(test)
    page = (await ada.get(f"/messages/{mail}/rehearsal")).text
    assert "It would be made for planning and wait. The receiver is set to 1 tries an hour" in page
    assert "at once" not in page


async def test_a_hold_that_would_end_first_is_said_to_be_dropped(
    ada: httpx2.AsyncClient, site: Site, receiving: Cast
) -> None:
    today = await site.today()
    async with site.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.definition = version.definition | {"hold_expires": "end_of_day"}
        (await Setting.load(db)).vacation_start = today
        (await Setting.load(db)).vacation_end = today + timedelta(days=2)
        mail = await a_message(db, receiving, receiving.messages["matching"].subject)
        mail.internal_at = site.clock()
    page = (await ada.get(f"/messages/{mail.id}/rehearsal")).text
    assert re.search("It would be held for studio and dropped .{5,20} unless somebody releases it", page)
    assert "at the longest" not in page


async def test_a_hold_that_lacks_its_link_is_said_to_be_dropped(
    ada: httpx2.AsyncClient, site: Site, receiving: Cast
) -> None:
    today = await site.today()
    async with site.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            anything = {"conditions": {"mode": "all", "items": []}, "links_required": True}
            version.definition = version.definition | anything | {"hold_expires": "never"}
        (await Setting.load(db)).vacation_start = (await Setting.load(db)).vacation_end = today
        mail = await a_message(db, receiving, "Lot 7", text="Bonjour")
        (await db.exec(select(Raw).where(Raw.message_id == mail.id))).one().headers = []
    page = (await ada.get(f"/messages/{mail.id}/rehearsal")).text
    assert re.search("It would be held for studio and dropped .{5,40} unless somebody releases it", page)
    assert "It has no delivery link: it will be dropped then" in page
    assert "then go to" not in page


async def test_another_mail_speaks_for_a_group_but_never_the_mail_itself(
    ada: httpx2.AsyncClient, site: Site, receiving: Cast
) -> None:
    mail, rule = receiving.messages["matching"], receiving.rules[0]
    arrived = mail.internal_at.astimezone((await site.setting()).tz)
    async with site.database.transaction() as db:
        twin = await a_message(db, receiving, mail.subject)
        mark = GroupMark(
            rule_id=rule.id or 0,
            scope=f"{arrived:%Y-%m}",
            name=group_of(mail.subject),
            message_id=mail.id or 0,
            marked_at=receiving.now,
        )
        db.add(mark)
        (await db.get_one(Raw, twin.id)).headers = []
    assert "It would go to studio" in (await ada.get(f"/messages/{mail.id}/rehearsal")).text
    page = (await ada.get(f"/messages/{twin.id}/rehearsal")).text
    assert "an earlier mail speaks for it" in page
    assert f'href="/messages/{mail.id}"' in page


async def test_nothing_is_written(ada: httpx2.AsyncClient, site: Site, receiving: Cast) -> None:
    before = await counted(site)
    for mail in receiving.messages.values():
        assert (await ada.get(f"/messages/{mail.id}/rehearsal")).status_code == 200
    assert await counted(site) == before


async def counted(site: Site) -> list[int]:
    tables = (Decision, Delivery, GroupMark, Message)
    async with site.database.reading() as db:
        return [(await db.exec(select(func.count()).select_from(table))).one() for table in tables]


async def test_a_sender_who_is_no_longer_on_the_list_is_refused_first(
    ada: httpx2.AsyncClient, site: Site, receiving: Cast
) -> None:
    async with site.database.transaction() as db:
        for mailbox in (await db.exec(select(Mailbox))).all():
            mailbox.senders = ["somebody@example.com"]
    page = (await ada.get(f"/messages/{receiving.messages['matching'].id}/rehearsal")).text
    assert "is not on the list of this mailbox" in page
    assert "the rules are not asked" in page


async def test_what_stops_a_duplicate_or_a_large_mail_stops_none_that_somebody_insisted_on(
    ada: httpx2.AsyncClient, site: Site, receiving: Cast
) -> None:
    async def asked(**columns: Any) -> str:  # noqa: ANN401 - of the mail
        async with site.database.transaction() as db:
            (await db.get_one(Message, mail.id)).sqlmodel_update(columns)
        return (await ada.get(f"/messages/{mail.id}/rehearsal")).text

    mail, refused = receiving.messages["matching"], "the rules are not asked"
    assert refused in await asked(duplicate_of=receiving.messages["newsletter"].id)
    assert refused not in await asked(insisted=True)
    async with site.database.transaction() as db:
        (await Setting.load(db)).max_email_size_mb = 1
    assert refused not in await asked(duplicate_of=None, size=2 * 1024 * 1024)
    assert refused in await asked(insisted=False)


async def test_a_mail_whose_text_was_not_kept_says_so(ada: httpx2.AsyncClient, cast: Cast) -> None:
    page = (await ada.get(f"/messages/{cast.messages['stranger'].id}/rehearsal")).text
    assert "the text of this mail was not kept" in page


async def test_a_rule_that_did_not_match_is_folded_when_it_asks_much(
    ada: httpx2.AsyncClient, site: Site, receiving: Cast
) -> None:
    words = [f"word {number}" for number in range(6)]
    items = [{"field": "subject", "operator": "contains", "values": [one]} for one in words]
    async with site.database.transaction() as db:
        version = (
            await db.exec(select(RuleVersion).where(RuleVersion.rule_id == receiving.rules[1].id))
        ).one()
        group = {"mode": "any", "items": [{"mode": "all", "items": items}, items[0]]}
        version.definition = version.definition | {"conditions": group}
        first = (await db.exec(select(Rule).order_by(col(Rule.position)))).first()
        assert first
        first.active = False
    page = (await ada.get(f"/messages/{receiving.messages['matching'].id}/rehearsal")).text
    folded = page.partition("<details id=")[2].partition("</details>")[0]
    assert "Rule “DESABO”" in folded
    assert folded.count("Subject contains") == 7
    assert 'data-depth="1"' in folded
    assert 'data-depth="2"' in folded


async def test_a_mail_that_is_not_there_is_not_found(ada: httpx2.AsyncClient) -> None:
    assert (await ada.get("/messages/999/rehearsal")).status_code == 404
