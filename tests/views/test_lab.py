"""The lab: any mail put before the rules of this moment, or a draft; nothing of it is kept."""

import asyncio
import os

import httpx2
import pytest
from sqlmodel import SQLModel, select

from app.models import Decision, Delivery, Mailbox, Message, Raw, RuleVersion
from app.views.lab import LARGEST
from tests.chaos.children import children
from tests.letters import a_mail, matching, nested
from tests.views.cast import Cast
from tests.views.trying import judge, try_out
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
async def receiving(site: Site, cast: Cast) -> Cast:
    """Every rule has the first receiver."""
    async with site.database.transaction() as db:
        for version in (await db.exec(select(RuleVersion))).all():
            version.endpoint_ids = [cast.endpoints[0].id or 0]
    return cast


async def hand_in(ada: httpx2.AsyncClient, mail: bytes, **fields: str) -> httpx2.Response:
    file = {"file": ("mail.eml", mail, "message/rfc822")}
    return await ada.post("/lab/mails", files=file, data=fields, headers=FRAGMENT)


async def paste(ada: httpx2.AsyncClient, text: str, **fields: str) -> httpx2.Response:
    """What a browser sends of a form with an empty file."""
    empty = {"file": ("", b"", "application/octet-stream")}
    return await ada.post("/lab/mails", files=empty, data={"text": text, **fields}, headers=FRAGMENT)


@pytest.mark.usefixtures("cast")
async def test_the_lab_says_what_it_is_and_names_the_last_trials(ada: httpx2.AsyncClient, site: Site) -> None:
    assert "A trial runs a rule that is not saved yet" in (await ada.get("/lab")).text
    await try_out(ada)
    await judge(site)
    page = (await ada.get("/lab")).text
    assert 'href="/trials/1"' in page
    assert "1 changed" in page
    assert "the draft “Newsletters” of trial 1" in page
    part = (await ada.get("/lab", headers=FRAGMENT)).text
    assert part.lstrip().startswith('<section id="lab-trials"')


@pytest.mark.usefixtures("cast")
async def test_what_is_no_trial_judges_no_mail(ada: httpx2.AsyncClient) -> None:
    await ada.post("/polls")
    assert (await hand_in(ada, matching(80), trial="1")).status_code == 404
    assert (await hand_in(ada, matching(80), trial="999")).status_code == 404


@pytest.mark.usefixtures("receiving")
async def test_a_mail_that_is_handed_in_is_explained_and_its_webhook_shown(ada: httpx2.AsyncClient) -> None:
    answer = await hand_in(ada, matching(77), mailbox="1")
    assert answer.status_code == 200
    page = answer.text
    assert page.lstrip().startswith('<div id="lab-answer"')
    assert "Lot 77" in page
    assert "It would go to studio at once" in page
    assert "&#34;delivery_time&#34;: &#34;16h30&#34;" in page
    assert "https://www.dropbox.com/scl/fo/abc77" in page
    assert "takes mail from this sender" in page
    assert page.count('class="deciding"') == 1


@pytest.mark.usefixtures("receiving")
async def test_a_mail_may_be_pasted(ada: httpx2.AsyncClient) -> None:
    answer = await paste(ada, "\r\n" + matching(78).decode())
    assert "Lot 78" in answer.text
    assert "takes mail from" not in answer.text


@pytest.mark.usefixtures("receiving")
async def test_it_works_without_scripts_and_keeps_what_was_pasted(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/lab/mails", files={"file": ("", b"")}, data={"text": matching(79).decode()})
    assert answer.status_code == 200
    assert "<html" in answer.text
    assert answer.text.count("Lot 79") >= 1
    assert "To: ops@example.org" in answer.text


async def test_nothing_of_it_is_stored(ada: httpx2.AsyncClient, site: Site, receiving: Cast) -> None:
    async def rows(*tables: type[SQLModel]) -> list[int]:
        async with site.database.reading() as db:
            return [len((await db.exec(select(table))).all()) for table in tables]

    before = await rows(Message, Raw, Decision, Delivery)
    await hand_in(ada, matching(80), mailbox=str(receiving.mailboxes[0].id))
    assert await rows(Message, Raw, Decision, Delivery) == before


async def test_a_sender_who_is_not_on_the_chosen_mailboxs_list_is_named(
    ada: httpx2.AsyncClient, site: Site, receiving: Cast
) -> None:
    async with site.database.transaction() as db:
        (await db.get_one(Mailbox, receiving.mailboxes[1].id)).senders = ["bob@example.com"]
    page = (await hand_in(ada, matching(81), mailbox=str(receiving.mailboxes[1].id))).text
    assert "ann@example.com is not on the list of senders of the mailbox archives" in page
    assert "the rules are not asked about such a mail. If they were:" in " ".join(page.split())
    assert "It would go to studio" in page


@pytest.mark.usefixtures("receiving")
async def test_a_draft_of_a_trial_judges_the_mail_too(ada: httpx2.AsyncClient) -> None:
    await try_out(ada)
    mail = a_mail("L'agenda partagé", "Rien à télécharger.")
    assert "Nothing would be sent." in (await hand_in(ada, mail)).text
    page = (await hand_in(ada, mail, trial="1")).text
    assert "with the draft “Newsletters”" in page
    assert "It would go to studio at once" in page


@pytest.mark.usefixtures("receiving")
async def test_a_rule_that_ends_the_search_before_the_draft_is_named(ada: httpx2.AsyncClient) -> None:
    await try_out(ada)
    mail = matching(82)
    page = " ".join((await hand_in(ada, mail, trial="1")).text.split())
    assert "The draft “Newsletters” was not asked: before it, the rule “Recadrage” matched" in page
    assert "was not asked" not in (await hand_in(ada, mail)).text
    assert "was not asked" not in (await hand_in(ada, a_mail("L'agenda", "Rien."), trial="1")).text
    assert "was not asked" not in (await hand_in(ada, a_mail("Re: Agenda", "Rien."), trial="1")).text


@pytest.mark.usefixtures("receiving")
async def test_a_mail_is_judged_as_one_of_the_chosen_mailbox(ada: httpx2.AsyncClient) -> None:
    await try_out(ada, **{"conditions.0.field": "mailbox", "conditions.0.values": "archives"})
    mail = a_mail("L'agenda", "Rien.")
    assert "It would go to studio at once" in (await hand_in(ada, mail, trial="1", mailbox="2")).text
    for elsewhere in ({"mailbox": "1"}, {}):
        assert "Nothing would be sent." in (await hand_in(ada, mail, trial="1", **elsewhere)).text


@pytest.mark.usefixtures("cast")
async def test_a_draft_with_a_template_shows_the_body_it_makes(ada: httpx2.AsyncClient) -> None:
    await try_out(ada, template='{"about": "{{subject}}"}')
    page = (await hand_in(ada, a_mail("L'agenda", "Rien."), trial="1")).text
    assert "&#34;about&#34;: &#34;L&#39;agenda&#34;" in page
    assert "microsoft_graph_email_id" not in page


@pytest.mark.usefixtures("cast")
async def test_a_mail_of_ten_megabytes_is_taken_and_a_larger_one_is_told_so(ada: httpx2.AsyncClient) -> None:
    mail = a_mail("Large", "x" * 70 + "\r\n")
    filler = (b"x" * 74 + b"\r\n") * ((LARGEST - len(mail)) // 76)
    assert (await hand_in(ada, mail + filler)).status_code == 200
    answer = await hand_in(ada, mail + filler + b"y" * 200)
    assert (answer.status_code, "larger than 10 MB" in answer.text) == (422, True)
    assert (await hand_in(ada, mail + b"y" * (LARGEST + 2**20))).status_code == 413


@pytest.mark.usefixtures("cast")
async def test_two_mails_are_read_at_once_and_others_wait_for_their_turn(ada: httpx2.AsyncClient) -> None:
    mails = {asyncio.create_task(hand_in(ada, a_mail(f"Film {number}", "Rien."))) for number in range(6)}
    seen, left = set(), mails
    while left:
        _, left = await asyncio.wait(left, timeout=0.01)
        seen.add(sum(role == "parser" for role, _ in children(os.getpid())))
    assert 1 <= max(seen) <= 2
    assert {mail.result().status_code for mail in mails} == {200}


@pytest.mark.usefixtures("cast")
async def test_what_is_no_mail_is_told_so(ada: httpx2.AsyncClient) -> None:
    for text, sentence in {
        "": "Paste a mail",
        "   ": "Paste a mail",
        "hello there": "This is no mail",
    }.items():
        answer = await paste(ada, text)
        assert (answer.status_code, sentence in answer.text) == (422, True), text
    whole = await ada.post("/lab/mails", data={"text": ""})
    assert (whole.status_code, "Paste a mail" in whole.text) == (422, True)
    assert (await paste(ada, "Subject: a", mailbox="999")).status_code == 404


@pytest.mark.usefixtures("cast")
async def test_a_mail_built_to_break_a_parser_breaks_nothing(ada: httpx2.AsyncClient) -> None:
    answer = await hand_in(ada, nested(100_000))
    assert answer.status_code in {200, 422}
    assert (await ada.get("/lab")).status_code == 200
