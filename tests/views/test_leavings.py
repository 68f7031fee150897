"""Leaving a mail as it is, and letting go or dropping from a mail's own page."""

import re

import httpx2
from sqlmodel import col, update

from app.models import Delivery, DeliveryState, Message, MessageState, Rule
from app.rules.verdict import Verdict
from tests.views.cast import Cast, a_decision, a_mail_without_receiver, reason
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


async def owed(site: Site, cast: Cast, number: int = 1) -> list[int]:
    async with site.database.transaction() as db:
        return [(await a_mail_without_receiver(db, cast, f"Film {one}")).id or 0 for one in range(number)]


async def strip(ada: httpx2.AsyncClient) -> str:
    return (await ada.get("/status", headers=FRAGMENT)).text


async def nothing_failed(site: Site) -> None:
    async with site.database.transaction() as db:
        stuck = col(Delivery.state).in_([DeliveryState.FAILED, DeliveryState.PENDING])
        await db.exec(update(Delivery).where(stuck).values(state=DeliveryState.DROPPED))


async def test_one_mail_that_was_left_keeps_the_strip_red_no_more(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    await nothing_failed(site)
    assert "1 thing is stuck" in await strip(ada)
    number = cast.messages["broken"].id
    page = (await ada.get(f"/messages/{number}")).text
    assert f'formaction="/messages/{number}/leavings"' in page
    assert "Leave it" in page
    answer = await ada.post(f"/messages/{number}/leavings")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/messages/{number}")
    assert "All is well" in await strip(ada)
    page = (await ada.get(f"/messages/{number}")).text
    assert "Left as it is by ada" in page
    assert "somebody left it as it is. It can be tried again." in page
    assert "Leave it" not in page
    assert "mail left as it is: <strong>ada</strong>" in (await ada.get("/")).text
    await ada.post(f"/messages/{number}/decisions")
    async with site.database.reading() as db:
        assert (await db.get_one(Message, number)).state is MessageState.STORED


async def test_a_mail_that_is_set_aside_again_says_why_this_time(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    number = cast.messages["broken"].id
    await ada.post(f"/messages/{number}/leavings")
    async with site.database.transaction() as db:
        mail = await db.get_one(Message, number)
        mail.try_again(cast.now)
        mail.settle(MessageState.QUARANTINED, None, reason("unparsable", detail="headers"), cast.now)
    page = (await ada.get(f"/messages/{number}")).text
    told = re.findall(r'class="number">(\d+)\.', page)
    assert (told, page.count('class="deciding"')) == (["1", "2", "3"], 1)
    assert page.index("Left as it is by ada") < page.index('class="deciding"')


async def test_a_mail_from_which_nothing_waits_is_not_left(ada: httpx2.AsyncClient, cast: Cast) -> None:
    answer = await ada.post(f"/messages/{cast.messages['matching'].id}/leavings", headers=FRAGMENT)
    assert (answer.status_code, answer.headers["hx-retarget"]) == (409, "#toasts")
    assert (await ada.post("/messages/999/leavings")).status_code == 404


async def test_mails_without_receiver_are_counted_and_told(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    await nothing_failed(site)
    await ada.post(f"/messages/{cast.messages['broken'].id}/leavings")
    numbers = await owed(site, cast, 3)
    told = await strip(ada)
    assert "3 mails have no receiver" in told
    assert 'data-tone="wait"' in told
    assert 'class="said" href="/held"' in told
    assert 'hx-swap-oob="true">4</b>' in told
    assert "3 without receiver" in (await ada.get("/")).text
    for number in numbers:
        await ada.post(f"/messages/{number}/leavings")
    assert "All is well" in await strip(ada)


async def test_all_mails_without_receiver_are_listed_and_each_can_be_dropped(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    numbers = await owed(site, cast, 12)
    async with site.database.transaction() as db:
        (await db.get_one(Rule, cast.rules[0].id)).archived_at = cast.now
    first = (await ada.get("/held")).text
    older = re.search(r'rel="next" href="(\?before=\d+)"', first)
    assert older
    found = [
        int(one)
        for page in (first, (await ada.get(f"/held{older[1]}")).text)
        for one in re.findall(r'id="held-message-(\d+)"', page)
    ]
    assert found == numbers[::-1]
    assert "deleted since" in first
    assert f'action="/messages/{numbers[-1]}/leavings"' in first
    page = (await ada.post(f"/messages/{numbers[-1]}/leavings", headers=FRAGMENT)).text
    assert page.lstrip().startswith('<div id="message"')
    assert f'id="held-message-{numbers[-1]}"' not in (await ada.get("/held")).text


async def test_a_mail_that_two_rules_without_receiver_took_counts_once(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    (number,) = await owed(site, cast)
    async with site.database.transaction() as db:
        why = reason("no_endpoint", rule="films")
        second = a_decision(
            cast, await db.get_one(Message, number), verdict=Verdict.HOLD, reason=why, steps=[]
        )
        second.rule_id, second.rule_version_id = cast.rules[1].id or 0, cast.versions[1].id or 0
        db.add(second)
    page = (await ada.get("/held")).text
    assert page.count(f'id="held-message-{number}"') == 1
    assert "The rule “films” has no receiver" in page
    assert 'id="held-count" class="count">2</b>' in page


async def test_the_page_of_a_mail_without_receiver_says_what_it_waits_for(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    (number,) = await owed(site, cast)
    page = (await ada.get(f"/messages/{number}")).text
    assert "as soon as a rule is given one, it is decided again" in page
    assert f'formaction="/messages/{number}/leavings"' in page


async def test_what_a_rule_still_owes_of_a_mail_that_went_can_be_dropped(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    mail = cast.messages["refused"]
    async with site.database.transaction() as db:
        db.add(
            a_decision(cast, mail, verdict=Verdict.HOLD, reason=reason("no_endpoint", rule="films"), steps=[])
        )
    page = (await ada.get(f"/messages/{mail.id}")).text
    assert "The rule “films” has no receiver" in page
    assert f'action="/messages/{mail.id}/leavings"' in page
    page = (await ada.post(f"/messages/{mail.id}/leavings", headers=FRAGMENT)).text
    assert "/leavings" not in page


async def test_a_held_mail_is_let_go_from_its_own_page(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    held = cast.deliveries["held"]
    page = (await ada.get(f"/messages/{held.message_id}")).text
    assert 'action="/held/releases"' in page
    assert 'formaction="/held/drops"' in page
    assert f'name="only" value="{held.id}"' in page
    answer = await ada.post("/held/drops", data={"mail": str(held.message_id), "only": str(held.id)})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/messages/{held.message_id}")
    page = (await ada.get(f"/messages/{held.message_id}")).text
    assert "Dropped by ada" in page
    assert 'action="/held/releases"' not in page
    async with site.database.reading() as db:
        assert (await db.get_one(Delivery, held.id)).state is DeliveryState.DROPPED
