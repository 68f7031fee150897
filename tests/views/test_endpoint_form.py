"""A receiver's form: what is saved, what is refused, and what never comes back out of it."""

import asyncio
import re
from pathlib import Path

import httpx2
import pytest
from sqlmodel import select

from app.jobs.receiver_form import kept_headers
from app.models import Delivery, Endpoint, EndpointState, LogEvent, Message, Rule, Setting
from tests.views.cast import Cast, a_mail_without_receiver
from tests.views.page_form import PageForm
from tests.views.receiving import STUDIO, a_receiver, change, stored, vault
from tests.views.writing import problems
from tests.web.client import Site, running

FRAGMENT = {"HX-Request": "true"}


def the_form(page: str) -> PageForm:
    """The form of the page; it has no id of its own, but its first field is the name's or the number's."""
    return PageForm(page.replace('class="reading settings"', 'id="the-form"'), "the-form")


def secret_in(page: str) -> str:
    found = re.search(r'id="secret-text">(whsec_[^<]+)<', page)
    assert found
    return found[1].replace("&#43;", "+").replace("&#x2F;", "/")


async def all_of_it(site: Site) -> str:
    """Everything that is stored of receivers and events, as text."""
    async with site.database.reading() as db:
        rows = [*(await db.exec(select(Endpoint))).all(), *(await db.exec(select(LogEvent))).all()]
    return str([row.model_dump() for row in rows])


@pytest.mark.usefixtures("cast")
async def test_the_page_as_it_comes_makes_a_receiver_without_javascript(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    form = the_form((await ada.get("/endpoints/new")).text)
    assert form.action == "/endpoints"
    data = dict(form.fields) | {"name": "Studio Nord", "url": STUDIO["url"]}
    answer = await ada.post(form.action, data=data)
    assert answer.status_code == 200
    made = await stored(site, 3)
    assert (made.name, made.url, made.timeout, made.concurrency) == ("Studio Nord", STUDIO["url"], 30, 16)
    assert made.schedule == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]


@pytest.mark.usefixtures("cast")
async def test_the_secret_is_shown_once_and_never_again(ada: httpx2.AsyncClient, site: Site) -> None:
    answer = await ada.post("/endpoints", data=STUDIO, headers=FRAGMENT)
    secret = secret_in(answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["hx-push-url"] == "/endpoints/3"
    assert answer.text.lstrip().startswith('<section id="endpoint-secret"')
    assert secret == vault(site).open((await stored(site, 3)).secret)
    assert secret not in await all_of_it(site)
    for address in ("/endpoints", "/endpoints/3", "/endpoints/3/settings", "/endpoints/3/secret", "/"):
        assert secret not in (await ada.get(address)).text


async def test_the_first_one_becomes_that_of_every_rule_and_the_page_says_so(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    assert "every rule sends to it as soon as it is saved" in (await ada.get("/endpoints/new")).text
    assert "every rule sends to it from now on" in (await ada.post("/endpoints", data=STUDIO)).text
    async with site.database.reading() as db:
        assert all(version.endpoint_ids == [1] for _, version in await Rule.listed(db))
    assert "Nothing goes to it until a rule chooses it." in (await ada.get("/endpoints/new")).text
    assert "every rule sends" not in (await ada.post("/endpoints", data=STUDIO)).text


async def test_mail_that_waits_for_a_receiver_is_left_where_it_is(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        waits = await a_mail_without_receiver(db, cast, "Lot 77")
    await ada.post("/endpoints", data=STUDIO)
    async with site.database.reading() as db:
        assert (await db.get_one(Message, waits.id)).verdict == "hold"
        assert not (await db.exec(select(Delivery).where(Delivery.endpoint_id == 3))).all()


@pytest.mark.usefixtures("cast")
async def test_mistakes_are_told_at_their_fields_and_what_was_typed_stays(ada: httpx2.AsyncClient) -> None:
    wrong = STUDIO | {
        "name": " ",
        "url": "https://10.0.0.1/x",
        "timeout": "0",
        "schedule": "soon",
        "extra_headers": "Host: x",
        "authority": "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----",
        "content": "template",
    }
    answer = await ada.post("/endpoints", data=wrong, headers=FRAGMENT)
    assert answer.status_code == 422
    told = problems(answer.text)
    assert told.keys() == {"name", "url", "timeout", "schedule", "extra_headers", "authority", "template"}
    assert told["url"].endswith("start the program again (ALLOW_PRIVATE_TARGETS=10.0.0.1/32:443)")
    kept = dict(the_form(answer.text).fields)
    assert {name: kept[name] for name in ("url", "schedule", "timeout")} == {
        name: wrong[name] for name in ("url", "schedule", "timeout")
    }
    assert (await ada.get("/endpoints/3")).status_code == 404


async def test_a_form_sent_back_as_it_came_changes_nothing(ada: httpx2.AsyncClient, site: Site) -> None:
    made = await a_receiver(
        site,
        extra_headers="X-Api-Key: s3cret\nX-Team: Nord",
        content="template",
        template='{\n  "title": "{{subject}}"\n}',
        schedule="0.2s, 90s",
        ordered=True,
        mode="form",
    )
    before = await stored(site, made)
    page = (await ada.get(f"/endpoints/{made}/settings")).text
    form = the_form(page)
    assert "s3cret" not in page
    assert dict(form.fields)["extra_headers"] == "X-Api-Key: •••\r\nX-Team: •••"
    answer = await ada.post(form.action, data=dict(form.fields))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/endpoints/{made}")
    after = await stored(site, made)
    assert after.model_dump() == before.model_dump() | {"saved_by": "ada"}
    async with site.database.reading() as db:
        (saved,) = (await db.exec(select(LogEvent).where(LogEvent.event == "receiver saved"))).all()
    assert saved.facts["changed"] == []


async def test_a_header_is_kept_changed_or_left_out(ada: httpx2.AsyncClient, site: Site) -> None:
    made = await a_receiver(site, extra_headers="X-Api-Key: s3cret\nX-Team: Nord")
    lines = "x-api-key: •••\nX-Team: Sud\nX-New: 1"
    await ada.post(f"/endpoints/{made}/settings", data=STUDIO | {"extra_headers": lines})
    kept = kept_headers(await stored(site, made), vault(site))
    assert kept == {"x-api-key": "s3cret", "X-Team": "Sud", "X-New": "1"}
    assert "s3cret" not in await all_of_it(site)
    wrong = STUDIO | {"extra_headers": "X-Other: •••"}
    answer = await ada.post(f"/endpoints/{made}/settings", data=wrong)
    assert problems(answer.text) == {"extra_headers": "Line 1: no value of “X-Other” is kept, enter it"}


async def test_what_a_header_says_does_not_follow_to_another_host(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    made = await a_receiver(site, extra_headers="Authorization: Bearer s3cret")
    moved = STUDIO | {"url": "https://elsewhere.example.net/", "extra_headers": "Authorization: •••"}
    answer = await ada.post(f"/endpoints/{made}/settings", data=moved)
    assert (answer.status_code, problems(answer.text)) == (
        422,
        {"extra_headers": "Line 1: no value of “Authorization” is kept, enter it"},
    )
    assert (await stored(site, made)).url == STUDIO["url"]
    within = moved | {"url": "https://hooks.example.com/other"}
    assert (await ada.post(f"/endpoints/{made}/settings", data=within)).status_code == 303
    anew = moved | {"extra_headers": "Authorization: Bearer other"}
    assert (await ada.post(f"/endpoints/{made}/settings", data=anew)).status_code == 303
    kept = kept_headers(await stored(site, made), vault(site))
    assert kept == {"Authorization": "Bearer other"}


@pytest.mark.usefixtures("cast")
async def test_a_form_that_is_sent_twice_makes_one_receiver(ada: httpx2.AsyncClient, site: Site) -> None:
    form = dict(the_form((await ada.get("/endpoints/new")).text).fields)
    data = form | {"name": STUDIO["name"], "url": STUDIO["url"]}
    answers = await asyncio.gather(ada.post("/endpoints", data=data), ada.post("/endpoints", data=data))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    told = next(answer.text for answer in answers if answer.status_code == 409)
    assert "If you have not seen its secret, make a new one on its page." in told
    assert (await ada.get("/endpoints/4")).status_code == 404
    other = await ada.post("/endpoints", data=data | {"name": "Studio Sud"})
    assert other.status_code == 200  # the same page, and another receiver
    await change(site, 3, state=EndpointState.DELETED)
    assert (await ada.post("/endpoints", data=data)).status_code == 200


async def test_what_is_wrong_is_told_while_others_write(ada: httpx2.AsyncClient, site: Site) -> None:
    made = await a_receiver(site)
    async with site.database.transaction() as db:
        await Setting.load(db)  # a write that goes on and on
        for address in ("/endpoints", f"/endpoints/{made}/settings"):
            assert (await ada.post(address, data=STUDIO | {"name": ""}, timeout=3)).status_code == 422


@pytest.mark.usefixtures("cast")
async def test_more_certificates_than_are_kept_are_refused_at_their_field(ada: httpx2.AsyncClient) -> None:
    line = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/\r\n"
    long = "-----BEGIN CERTIFICATE-----\r\n" + line * 520
    answer = await ada.post("/endpoints", data=STUDIO | {"authority": long})
    assert problems(answer.text) == {"authority": "Too long: at most 32768 characters"}


@pytest.mark.usefixtures("cast")
async def test_an_address_that_could_never_be_sent_to_is_refused_at_its_field(
    ada: httpx2.AsyncClient,
) -> None:
    for url in ("https://0177.0.0.1/", "https://[v1.a]/", "https://ⓔxample.com/", "https://x.org\u00ad/"):
        answer = await ada.post("/endpoints", data=STUDIO | {"url": url})
        assert problems(answer.text).keys() == {"url"}


async def test_headers_that_cannot_be_read_any_more_are_entered_again(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    made = await a_receiver(site, extra_headers="X-Api-Key: s3cret")
    await change(site, made, extra_headers=b"sealed with another key")
    assert (await ada.get(f"/endpoints/{made}")).status_code == 200
    assert "X-Api-Key: •••" not in (await ada.get(f"/endpoints/{made}/settings")).text


async def test_the_form_says_what_it_would_do_as_it_is_typed(ada: httpx2.AsyncClient, site: Site) -> None:
    typed = STUDIO | {"url": "abcdefghij0123456789@hook.eu1.make.com", "schedule": "soon", "name": ""}
    said = (await ada.post("/endpoints/effect", data=typed, headers=FRAGMENT)).text
    assert "Webhooks are posted to hook.eu1.make.com as JSON" in said
    assert "“soon” is no time between two tries" in said
    assert "Give it a name" not in said
    made = await a_receiver(site, extra_headers="X-Team: Nord")
    edited = STUDIO | {"extra_headers": "X-Team: •••", "endpoint_id": str(made)}
    assert "carries X-Team besides" in (await ada.post("/endpoints/effect", data=edited)).text
    odd = STUDIO | {"endpoint_id": "many"}
    assert (await ada.post("/endpoints/effect", data=odd)).status_code == 200


async def test_tls_goes_unverified_only_where_the_environment_allows_it(
    ada: httpx2.AsyncClient, site: Site
) -> None:
    made = await a_receiver(site)
    page = (await ada.get(f"/endpoints/{made}/settings")).text
    assert re.search(r'name="insecure"[^>]* disabled', page)
    assert "Not possible here" in page
    answer = await ada.post(f"/endpoints/{made}/settings", data=STUDIO | {"insecure": "on"})
    assert problems(answer.text) == {"insecure": "Only where the environment says ALLOW_INSECURE_TLS=1"}
    await change(site, made, verify_tls=False)  # as WEBHOOK_SSL_VERIFY=false left it
    assert "It has no effect" in (await ada.get(f"/endpoints/{made}/settings")).text
    await ada.post(f"/endpoints/{made}/settings", data=STUDIO | {"insecure": "on"})
    assert (await stored(site, made)).verify_tls is False
    await ada.post(f"/endpoints/{made}/settings", data=STUDIO)
    assert (await stored(site, made)).verify_tls is True


async def test_where_it_is_allowed_the_page_warns(database_url: str, tmp_path: Path) -> None:
    async with (
        running(database_url, tmp_path, allow_insecure_tls="yes") as site,
        site.signed_in(**{"Accept-Language": "en"}) as ada,
    ):
        answer = await ada.post("/endpoints", data=STUDIO | {"insecure": "on"})
        assert answer.status_code == 200
        assert (await stored(site, 1)).verify_tls is False
        assert "Certificates are not verified" in (await ada.get("/endpoints/1")).text
