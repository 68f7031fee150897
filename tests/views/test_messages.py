"""Mails: the list, one mail with its explanation, and trying again."""

import re

import httpx2
import pytest

from app.models import Delivery, Message, MessageState
from tests.views.cast import Cast, a_message, reason
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


def rows(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="message-(\d+)"', page)]


async def test_the_newest_mail_stands_first(ada: httpx2.AsyncClient, cast: Cast) -> None:
    shown = rows((await ada.get("/messages")).text)
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == cast.messages["matching"].id


async def test_the_list_is_narrowed_by_verdict_text_and_mailbox(ada: httpx2.AsyncClient, cast: Cast) -> None:
    assert rows((await ada.get("/messages?show=duplicate")).text) == [cast.messages["duplicate"].id]
    assert rows((await ada.get("/messages?show=quarantined")).text) == [cast.messages["broken"].id]
    assert rows((await ada.get("/messages?q=COLIS")).text) == [cast.messages["stranger"].id]
    assert rows((await ada.get("/messages", params={"mailbox": cast.mailboxes[1].id or 0})).text) == []


@pytest.mark.usefixtures("cast")
async def test_a_percent_sign_is_looked_for_as_it_is(ada: httpx2.AsyncClient) -> None:
    assert rows((await ada.get("/messages?q=%25")).text) == []


@pytest.mark.usefixtures("cast")
async def test_a_filter_that_is_nonsense_narrows_nothing(ada: httpx2.AsyncClient) -> None:
    whole = rows((await ada.get("/messages")).text)
    assert rows((await ada.get("/messages?show=nonsense&mailbox=x&before=%00")).text) == whole


async def test_older_mails_follow_without_a_gap(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    async with site.database.transaction() as db:
        for number in range(60):
            await a_message(db, cast, f"Lot {number}")
    first = (await ada.get("/messages?q=lot")).text
    older = re.search(r'href="(\?q=lot&amp;before=\d+)"', first)
    assert older
    second = (await ada.get(f"/messages{older[1].replace('&amp;', '&')}")).text
    assert len(rows(first)) == 50
    assert max(rows(second)) < min(rows(first))
    assert len(set(rows(first) + rows(second))) == 60 + 13


@pytest.mark.usefixtures("cast")
async def test_a_fragment_is_the_list_alone(ada: httpx2.AsyncClient) -> None:
    part = (await ada.get("/messages", headers=FRAGMENT)).text
    assert part.lstrip().startswith('<section id="message-list"')
    assert "<html" not in part


async def test_the_explanation_is_numbered_and_names_the_deciding_step(
    ada: httpx2.AsyncClient, cast: Cast
) -> None:
    page = (await ada.get(f"/messages/{cast.messages['matching'].id}")).text
    numbers = [int(found) for found in re.findall(r'class="number">(\d+)\.', page)]
    assert numbers == list(range(1, 11))
    assert page.count('class="deciding"') == 1
    assert "asks for files, is never delivered" in page
    assert "La mission est prête" in page


async def test_every_end_of_a_mail_has_its_sentence(ada: httpx2.AsyncClient, cast: Cast) -> None:
    sentences = {
        "broken": "Nothing more happens by itself",
        "large": "larger than is fetched",
        "vanished": "gone from the mailbox",
        "stranger": "senders that are not on the list",
        "before": "from before the start",
        "urgent": "It is held and goes by itself",
        "late": "It was not sent, and is kept",
        "refused": "It was given up",
        "duplicate": "an earlier mail speaks for it",
    }
    for name, sentence in sentences.items():
        assert sentence in (await ada.get(f"/messages/{cast.messages[name].id}")).text, name


async def test_a_mail_whose_delivery_cannot_go_says_why(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        held = await db.get_one(Delivery, cast.deliveries["held"].id)
        held.needs_attention, held.reason, held.release_at = True, reason("private_address"), None
    page = (await ada.get(f"/messages/{held.message_id}")).text
    assert "It is held: The address is private" in page
    assert f'href="/deliveries/{held.id}"' in page
    assert "goes by itself" not in page
    assert "The address is private" in (await ada.get("/messages")).text


async def test_a_moment_in_a_sentence_is_written_like_any_other(ada: httpx2.AsyncClient, cast: Cast) -> None:
    page = (await ada.get(f"/messages/{cast.messages['urgent'].id}")).text
    assert re.search(r"this rule holds such mail until \w{3} \d{1,2} \w{3} \d{4}, \d\dh\d\d", page)


async def test_a_mails_own_markup_is_only_text(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    async with site.database.transaction() as db:
        mail = await a_message(db, cast, "<script>x</script>", text="<img src=x onerror=y>")
    page = (await ada.get(f"/messages/{mail.id}")).text
    assert "<script>x" not in page
    assert "&lt;img src=x onerror=y&gt;" in page


async def test_trying_again_lets_a_quarantined_mail_be_decided(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    mail = cast.messages["broken"].id
    answer = await ada.post(f"/messages/{mail}/decisions")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/messages/{mail}")
    async with site.database.reading() as db:
        assert (await db.get_one(Message, mail)).state is MessageState.STORED


async def test_trying_again_is_refused_for_any_other(ada: httpx2.AsyncClient, cast: Cast) -> None:
    answer = await ada.post(f"/messages/{cast.messages['matching'].id}/decisions", headers=FRAGMENT)
    assert (answer.status_code, answer.headers["hx-retarget"]) == (409, "#toasts")


async def test_a_mail_that_is_not_there_is_a_page_that_says_so(ada: httpx2.AsyncClient) -> None:
    assert (await ada.get("/messages/999")).status_code == 404
    assert (await ada.post("/messages/999/decisions")).status_code == 404
