"""Notices on the overview, and who is told by mail: seen, put away, chosen."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from sqlmodel import select

from app.jobs import notices
from app.models import Delivery, Endpoint, EndpointState, Mailbox, Mailing, Notice, NoticeKind
from app.rules.verdict import Reason
from tests.views.cast import Cast, reason
from tests.web.client import Site, running

FRAGMENT = {"HX-Request": "true"}
WANTED = {"notify_on_failure": "on", "notify_to": "ada@example.org\r\nbob@example.org\r\n"}


async def rows(site: Site) -> list[Notice]:
    async with site.database.reading() as db:
        return list((await db.exec(select(Notice))).all())


@pytest.fixture
async def told(site: Site, cast: Cast) -> None:
    """A receiver is parked, a delivery failed, a mailbox does not answer and answers again."""
    async with site.database.transaction() as db:
        endpoint = await db.get_one(Endpoint, cast.endpoints[0].id)
        mailbox = await db.get_one(Mailbox, cast.mailboxes[0].id)
        delivery = await db.get_one(Delivery, cast.deliveries["failed"].id)
        gone, why = Reason("gone", {"status": 410}), Reason("bad_status", {"status": 400})
        endpoint.park(gone, cast.ago(minutes=40))
        notices.endpoint_parked(db, endpoint, gone, cast.ago(minutes=40))
        notices.delivery_failed(db, delivery.id or 0, endpoint, reason=why, now=cast.ago(minutes=30))
        notices.mailbox_failing(db, mailbox, Reason("timed_out"), cast.ago(minutes=20))
        notices.mailbox_recovered(db, mailbox, cast.ago(minutes=10))


@pytest.mark.usefixtures("told")
async def test_the_overview_tells_each_with_what_it_is_about(ada: httpx2.AsyncClient, cast: Cast) -> None:
    page = (await ada.get("/")).text
    for text in (
        "The receiver “studio” is parked: it answered that it is gone for good (status 410)",
        "has failed for good: The receiver answered with status 400",
        "The mailbox “missions” is read again",
        "Put away all 3",
        f'href="/deliveries/{cast.deliveries["failed"].id}"',
        f'href="/endpoints/{cast.endpoints[0].id}"',
        f'href="#mailbox-{cast.mailboxes[0].id}"',
    ):
        assert text in page


@pytest.mark.usefixtures("told")
async def test_what_works_again_is_told_and_what_was_told_of_it_before_is_over(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        studio = await db.get_one(Endpoint, cast.endpoints[0].id)
        studio.state = EndpointState.ACTIVE
        for minutes in (9, 5):
            notices.endpoint_failing(db, studio, cast.ago(minutes=minutes))
            notices.endpoint_recovered(db, studio, cast.ago(minutes=minutes - 2))
    page = (await ada.get("/")).text
    for settled in ("cannot be read", "is parked:", "takes no deliveries"):
        assert settled not in page
    assert page.count("The receiver “studio” takes deliveries again") == 1
    assert "has failed for good" in page
    assert "Put away all 3" in page
    async with site.database.transaction() as db:
        notices.endpoint_failing(db, await db.get_one(Endpoint, studio.id), cast.now)
    page = (await ada.get("/")).text
    assert "takes no deliveries" in page
    assert "takes deliveries again" not in page


async def test_a_receiver_that_took_something_since_is_not_said_to_be_unreachable(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    why = Reason("private_address")
    async with site.database.transaction() as db:
        studio = await db.get_one(Endpoint, cast.endpoints[0].id)
        await notices.endpoint_unreachable(db, studio, why, cast.ago(hours=2))
        await notices.endpoint_unreachable(db, studio, why, cast.ago(hours=1))
    assert (await ada.get("/")).text.count("Nothing may be sent to the receiver “studio”") == 1
    async with site.database.transaction() as db:
        studio = await db.get_one(Endpoint, studio.id)
        studio.succeeded_at = cast.ago(minutes=30)
    assert "Nothing may be sent" not in (await ada.get("/")).text
    async with site.database.transaction() as db:
        await notices.endpoint_unreachable(db, await db.get_one(Endpoint, studio.id), why, cast.now)
    assert "Nothing may be sent" in (await ada.get("/")).text


@pytest.mark.usefixtures("told")
async def test_nothing_is_told_of_a_receiver_that_was_deleted(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        (await db.get_one(Endpoint, cast.endpoints[0].id)).state = EndpointState.DELETED
    page = (await ada.get("/")).text.partition('id="notices"')[2].partition("</section>")[0]
    assert "“studio”" not in page
    assert "“missions” is read again" in page


@pytest.mark.usefixtures("told")
async def test_one_is_put_away(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/notices/1/dismissal")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'id="notice-1"' not in (await ada.get("/")).text
    first, *others = await rows(site)
    assert first.seen_at is not None
    assert all(one.seen_at is None for one in others)
    again = await ada.post("/notices/2/dismissal", headers=FRAGMENT)
    assert again.text.lstrip().startswith('<section id="notices"')
    assert 'id="notice-2"' not in again.text
    assert 'id="notice-4"' in again.text


@pytest.mark.usefixtures("told")
async def test_all_that_stood_there_are_put_away_and_none_that_came_since(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    await ada.post("/notices/dismissals", data={"newest": "3"})
    assert [one.seen_at is None for one in await rows(site)] == [False, False, False, True]


@pytest.mark.parametrize("newest", ["", "x", "9999999999"])
@pytest.mark.usefixtures("told")
async def test_a_number_that_is_none_puts_nothing_away(
    ada: httpx2.AsyncClient, site: Site, newest: str
) -> None:
    assert (await ada.post("/notices/dismissals", data={"newest": newest})).status_code == 303
    assert all(one.seen_at is None for one in await rows(site))


async def test_without_notices_nothing_is_told(ada: httpx2.AsyncClient) -> None:
    assert 'id="notices" class="panel hidden"' in (await ada.get("/")).text
    assert (await ada.post("/notices/7/dismissal")).status_code == 404


async def test_addresses_are_saved_with_the_language_of_whoever_gave_them(site: Site) -> None:
    async with site.signed_in(**{"Accept-Language": "fr"}) as browser:
        assert (await browser.post("/preferences", data=WANTED)).status_code == 303
    setting = await site.setting()
    assert (setting.notify_on_failure, setting.notify_language) == (True, "fr")
    assert setting.notify_to == ["ada@example.org", "bob@example.org"]
    async with site.signed_in(**{"Accept-Language": "en"}) as browser:
        assert "ada@example.org\nbob@example.org</textarea>" in (await browser.get("/preferences")).text
        await browser.post("/preferences", data={})
    setting = await site.setting()
    assert (setting.notify_on_failure, setting.notify_to) == (False, [])


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "nobody would be told"),
        ("ada", "“ada” is no e-mail address"),
        ("Ada <ada@example.org>", "is no e-mail address"),
        ("\n".join(f"ada{n}@example.org" for n in range(11)), "at most 10"),
    ],
)
async def test_an_address_that_is_none_is_told_at_its_field(
    ada: httpx2.AsyncClient, site: Site, typed: str, says: str
) -> None:
    answer = await ada.post("/preferences", data=WANTED | {"notify_to": typed}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert says in answer.text.partition('id="problem-notify_to"')[2].partition("</p>")[0]
    assert (await site.setting()).notify_to == []


async def test_without_a_mail_server_the_page_says_so_and_sends_nothing(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    await ada.post("/preferences", data=WANTED)
    page = (await ada.get("/preferences")).text
    assert "Nothing can be sent: no mail server is set." in page
    assert "Nobody can be told by mail: SMTP_HOST is not set" in page
    assert "Send a mail to see" not in page
    assert (await ada.post("/preferences/mailing/tests")).status_code == 409
    assert await rows(site) == []


@pytest.fixture
async def posting(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """A site that knows a mail server."""
    mail = {"smtp_host": "mail.example.org", "smtp_from": "signal@example.org"}
    async with running(database_url, tmp_path, **mail) as site:
        yield site


async def test_a_mail_can_be_asked_for_to_see_whether_it_arrives(posting: Site) -> None:
    async with posting.signed_in(**{"Accept-Language": "en"}) as ada:
        await ada.post("/preferences", data=WANTED)
        page = (await ada.get("/preferences")).text
        assert "Tells ada@example.org, bob@example.org by mail" in page
        assert "Send a mail to see whether it arrives" in page
        answer = await ada.post("/preferences/mailing/tests", headers=FRAGMENT)
        assert "A mail is on its way" in answer.text
        again = await ada.post("/preferences/mailing/tests")
        assert (again.status_code, "on its way already" in again.text) == (409, True)
        assert 'id="notices" class="panel hidden"' in (await ada.get("/")).text
    assert {one.kind for one in await rows(posting)} == {NoticeKind.MAIL_TEST}


async def test_how_the_last_mail_went_is_told(posting: Site) -> None:
    async with posting.signed_in(**{"Accept-Language": "en"}) as ada:
        for values, says in (
            ({"sent_at": posting.clock()}, "The last mail left"),
            (
                {"failures": 2, "tried_at": posting.clock(), "reason": reason("auth_failed", detail="535")},
                "User name or password was not accepted (535). It is tried again.",
            ),
        ):
            async with posting.database.transaction() as db:
                (await db.get_one(Mailing, 1)).sqlmodel_update(values)
            answer = await ada.get("/preferences/mailing", headers=FRAGMENT)
            assert answer.text.lstrip().startswith('<div id="mailing"')
            assert says in answer.text
        assert (await ada.get("/preferences/mailing")).headers["location"] == "/preferences"


async def test_a_mirror_is_chosen_and_cleared(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    chosen = {"mirror_id": str(cast.endpoints[1].id), "mirror_media_to_custom": "on"}
    await ada.post("/preferences", data=chosen)
    setting = await site.setting()
    assert (setting.mirror_id, setting.mirror_media) == (cast.endpoints[1].id, True)
    page = (await ada.get("/preferences")).text
    assert f'<option value="{cast.endpoints[1].id}" selected>planning</option>' in page
    assert "Sends the links of each mail to “planning” too, once." in page
    await ada.post("/preferences", data={"mirror_id": ""})
    setting = await site.setting()
    assert (setting.mirror_id, setting.mirror_media) == (None, False)


async def test_a_mirror_that_was_deleted_stays_chosen_until_somebody_chooses(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    await ada.post("/preferences", data={"mirror_id": str(cast.endpoints[1].id)})
    async with site.database.transaction() as db:
        for endpoint in (await db.exec(select(Endpoint))).all():
            endpoint.state = EndpointState.DELETED
    page = (await ada.get("/preferences")).text
    assert f'<option value="{cast.endpoints[1].id}" selected>planning (deleted receiver)</option>' in page
    assert f'<option value="{cast.endpoints[0].id}"' not in page


@pytest.mark.parametrize("chosen", ["99", "x", "-1"])
async def test_a_mirror_that_does_not_exist_is_refused(
    ada: httpx2.AsyncClient, site: Site, chosen: str
) -> None:
    answer = await ada.post("/preferences", data={"mirror_id": chosen}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert "There is no such receiver" in answer.text.partition('id="problem-mirror_id"')[2]
    assert (await site.setting()).mirror_id is None


async def test_a_copy_says_that_it_is_the_mirrors(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    number = cast.deliveries["failed"].id
    assert "mirror" not in (await ada.get(f"/deliveries/{number}")).text
    async with site.database.transaction() as db:
        delivery = await db.get_one(Delivery, number)
        delivery.facts = {**delivery.facts, "mirror": True}
    assert "It is the mirror's copy" in (await ada.get(f"/deliveries/{number}")).text
