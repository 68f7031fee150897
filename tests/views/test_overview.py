"""The overview and the strip: is all well, what happened, what waits."""

from datetime import timedelta

import httpx2
import pytest

from app.jobs.seed import add_endpoint, new_endpoint
from app.models import Delivery, Endpoint, Mailbox, MailboxState, Process, Setting
from app.vault import Vault
from tests.views.cast import Cast, reason
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


@pytest.mark.usefixtures("cast")
async def test_it_shows_what_arrived_left_and_is_stuck(ada: httpx2.AsyncClient) -> None:
    page = (await ada.get("/")).text
    for text in ("Lot 42", "Try again", "Send again", "The receiver refused it (status 422): Lot inconnu"):
        assert text in page
    assert "2 things are stuck and wait for you" in page


@pytest.mark.usefixtures("cast")
async def test_it_shows_how_a_process_was_restarted(ada: httpx2.AsyncClient) -> None:
    page = (await ada.get("/")).text
    assert "2 restarts" in page
    assert "ended with SIGKILL" in page
    assert "process restarted: <strong>worker</strong>" in page


async def test_an_empty_database_says_what_is_missing(ada: httpx2.AsyncClient) -> None:
    page = (await ada.get("/")).text
    assert "no word from the worker yet" in page
    assert "EMAIL_ADDRESS, EMAIL_PASSWORD, IMAP_SERVER" in page
    assert 'data-tone="none"' in page


async def test_a_demo_says_that_it_is_one(ada: httpx2.AsyncClient, site: Site) -> None:
    async with site.database.transaction() as db:
        (await Setting.load(db)).demo = True
    page = (await ada.get("/")).text
    assert "This is a demo." in page
    assert "Nothing leaves." in page


async def test_a_demo_says_where_webhooks_go_once_there_is_a_receiver_of_ones_own(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    async with site.database.transaction() as db:
        (await Setting.load(db)).demo = True
    warning = "While the demo runs, that is its made-up mails too"
    assert warning in (await ada.get("/endpoints/new")).text
    vault, now = Vault("a key for tests only"), site.clock()
    async with site.database.transaction() as db:
        own = new_endpoint("studio", "https://hooks.example.com/signal", vault, now)
        await add_endpoint(db, own, by="ada", now=now)
        db.add(new_endpoint("spare", "https://spare.example.com/signal", vault, now))
    page = (await ada.get("/")).text
    assert "What rules make of it leaves: webhooks go to studio." in page
    assert "Nothing leaves." not in page
    assert warning not in (await ada.get("/endpoints/new")).text


@pytest.mark.usefixtures("cast")
async def test_the_banner_goes_once_a_mailbox_is_connected(ada: httpx2.AsyncClient) -> None:
    assert "IMAP_SERVER" not in (await ada.get("/")).text


async def test_the_strip_names_a_mailbox_that_fails(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    async with site.database.transaction() as db:
        mailbox = await db.get_one(Mailbox, cast.mailboxes[0].id)
        poll_at = cast.now + timedelta(seconds=40)
        mailbox.failed(MailboxState.FAILING, reason("timed_out", detail=""), cast.now, poll_at)
    strip = await ada.get("/status", headers=FRAGMENT)
    assert "Mailbox missions stopped answering" in strip.text
    assert strip.text.lstrip().startswith('<div id="strip"')


async def test_a_delivery_that_is_held_until_somebody_sees_to_it_is_stuck(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        held = await db.get_one(Delivery, cast.deliveries["held"].id)
        held.needs_attention, held.reason, held.release_at = True, reason("private_address"), None
    page = (await ada.get("/")).text
    assert "3 things are stuck and wait for you" in page
    assert f'id="stuck-delivery-{held.id}"' in page


async def test_a_worker_that_is_silent_is_said_to_be(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    async with site.database.transaction() as db:
        (await db.get_one(Process, "elsewhere/worker/1/1")).beat_at = cast.ago(minutes=3)
    page = (await ada.get("/")).text
    assert "the worker was last heard" in page
    assert "silent" in page


async def test_the_strip_alone_leads_to_the_overview(ada: httpx2.AsyncClient) -> None:
    answer = await ada.get("/status")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.usefixtures("cast")
async def test_it_reads_in_french(site: Site) -> None:
    async with site.signed_in(**{"Accept-Language": "fr"}) as browser:
        page = (await browser.get("/")).text
    assert 'lang="fr"' in page
    assert "2 éléments sont bloqués" in page


async def test_a_certificate_that_is_still_verified_although_somebody_switched_it_off_is_told(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        (await db.get_one(Endpoint, cast.endpoints[0].id)).verify_tls = False
    assert "ALLOW_INSECURE_TLS=1" in (await ada.get("/")).text
