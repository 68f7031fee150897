"""Sending again from the pages: what it comes to is seen first, then followed, and can be ended."""

import re
from html import unescape
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select

from app.jobs.replay import MOST_WAITING
from app.models import Delivery, DeliveryState, Endpoint, EndpointState, LogEvent, Message, Run, RunState
from tests.views.cast import Cast, a_delivery, a_message
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


def fields(page: str) -> dict[str, str]:
    """What the preview hands on, and the first of each choice."""
    hidden = dict(re.findall(r'<input type="hidden" name="(newest|seen|once)" value="([^"]*)">', page))
    return {"id": "same", "per_minute": "60"} | {name: unescape(value) for name, value in hidden.items()}


async def ask(ada: httpx2.AsyncClient, query: str, **given: Any) -> httpx2.Response:  # noqa: ANN401
    seen = fields((await ada.get(f"/replays/new{query}")).text)
    return await ada.post(f"/replays{query}", data=seen | given)


async def runs(site: Site) -> list[Run]:
    async with site.database.reading() as db:
        return list((await db.exec(select(Run).where(Run.kind == "replay").order_by(col(Run.id)))).all())


async def test_the_list_leads_to_the_preview_with_its_filter(ada: httpx2.AsyncClient, cast: Cast) -> None:
    page = (await ada.get(f"/deliveries?state=failed&rule={cast.rules[0].id}")).text
    link = f"/replays/new?state=failed&rule={cast.rules[0].id}"
    assert f'href="{link}"' in unescape(page)
    preview = (await ada.get(link)).text
    assert "Send 1 delivery again?" in preview
    assert "hooks.example.com" in preview
    assert "/signal" not in preview  # of an address only its host is shown
    assert f"by the rule “{cast.rules[0].name}”" in unescape(preview)
    assert "sse:run-changed" not in preview.partition('id="replay-form"')[2].partition("</main>")[0]


@pytest.mark.usefixtures("cast")
async def test_a_list_that_is_empty_has_nothing_to_send_again(ada: httpx2.AsyncClient) -> None:
    assert "Send these again" not in (await ada.get("/deliveries?q=nobody")).text
    preview = (await ada.get("/replays/new?q=nobody")).text
    assert "Nothing of this can be sent again" in preview
    assert (await ask(ada, "?q=nobody")).status_code == 409


async def test_the_preview_counts_what_goes_where_and_what_is_left_out(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        message = await a_message(db, cast, "Film")
        await a_delivery(db, cast, message, endpoint=1)
        gone = await a_delivery(db, cast, message, rule=1)
        gone.body, message.source_removed_at = None, cast.now
    page = unescape((await ada.get("/replays/new")).text)
    assert "there are 2 receivers" in page
    assert "1 · on their way already" in page
    assert "1 · held: they go in their time" in page
    assert "1 · neither their body nor their mail is kept any more" in page
    assert "failed 1" in page
    async with site.database.transaction() as db:
        (await db.get_one(Endpoint, cast.endpoints[1].id)).state = EndpointState.DELETED
    assert "their receiver was deleted" in (await ada.get("/replays/new")).text


async def test_what_is_asked_is_kept_as_it_was_seen(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    query = f"?state=failed&endpoint={cast.endpoints[0].id}&from=2020-01-01"
    preview = fields((await ada.get(f"/replays/new{query}")).text)
    async with site.database.transaction() as db:  # what comes after the preview is left out
        await a_delivery(db, cast, cast.messages["newsletter"], state=DeliveryState.FAILED)
    answer = await ada.post(f"/replays{query}", data=preview | {"id": "new", "per_minute": "7"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/replays/1")
    (run,) = await runs(site)
    assert (run.state, run.total, run.requested_by) == (RunState.QUEUED, 1, "ada")
    assert (run.details["as_new"], run.details["per_minute"]) == (True, 7)
    assert str(run.details["newest"]) == preview["newest"]
    assert run.details["wanted"] == {
        "state": "failed",
        "endpoint": cast.endpoints[0].id,
        "since": "2019-12-31T23:00:00+00:00",
    }
    async with site.database.reading() as db:
        event = (await db.exec(select(LogEvent).where(LogEvent.event == "deliveries sent again"))).one()
    assert (event.subject, event.facts) == ("ada", {"count": 1})


@pytest.mark.usefixtures("cast")
async def test_a_pace_that_is_none_is_said_at_its_field(ada: httpx2.AsyncClient, site: Site) -> None:
    for pace in ("", "fast", "6001", "-1"):
        answer = await ask(ada, "?state=failed", per_minute=pace, id="new")
        assert answer.status_code == 422
        assert "A number from 0 to 6000." in answer.text
        assert f'value="{pace}" aria-invalid="true"' in answer.text
        assert 'value="new" checked' in answer.text
    assert await runs(site) == []


@pytest.mark.usefixtures("cast")
async def test_a_button_that_is_pressed_twice_asks_once(ada: httpx2.AsyncClient, site: Site) -> None:
    preview = fields((await ada.get("/replays/new?state=failed")).text)
    answers = [await ada.post("/replays?state=failed", data=preview) for _ in range(2)]
    assert [one.headers["location"] for one in answers] == ["/replays/1", "/replays/1"]
    assert len(await runs(site)) == 1


async def test_nothing_goes_elsewhere_than_was_seen(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    preview = fields((await ada.get("/replays/new?state=failed")).text)
    async with site.database.transaction() as db:
        (await db.get_one(Endpoint, cast.endpoints[0].id)).url = "https://elsewhere.example.com/in"
    answer = await ada.post("/replays?state=failed", data=preview)
    assert answer.status_code == 409
    assert "look again" in answer.text
    assert (await ada.post("/replays?state=failed", data={"per_minute": "1"})).status_code == 409
    assert await runs(site) == []


async def test_an_address_that_was_changed_since_must_be_confirmed(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        endpoint = await db.get_one(Endpoint, cast.endpoints[0].id)
        endpoint.url = "https://user:secret@elsewhere.example.com/in"
        endpoint.url_since = cast.now
    page = (await ada.get("/replays/new?state=failed")).text
    assert "Its address was changed after these were made" in page
    assert "elsewhere.example.com" in page
    assert "secret@" not in page
    answer = await ask(ada, "?state=failed")
    assert answer.status_code == 422
    assert "Say that they are to go to the new address." in answer.text
    assert (await ask(ada, "?state=failed", confirmed="1")).status_code == 303
    assert len(await runs(site)) == 1


async def test_a_receiver_that_waits_is_said_to(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    for state, words in ((EndpointState.PAUSED, "It is paused"), (EndpointState.PARKED, "It is parked")):
        async with site.database.transaction() as db:
            (await db.get_one(Endpoint, cast.endpoints[0].id)).state = state
        assert words in (await ada.get("/replays/new?state=failed")).text


@pytest.mark.usefixtures("cast")
async def test_while_sending_is_paused_the_preview_says_so(ada: httpx2.AsyncClient) -> None:
    await ada.post("/pause", data={"to": "paused"})
    assert "Sending is paused: what is sent again waits" in (await ada.get("/replays/new?state=failed")).text


@pytest.mark.usefixtures("cast")
async def test_only_some_replays_may_wait(ada: httpx2.AsyncClient) -> None:
    for _ in range(MOST_WAITING):
        assert (await ask(ada, "?state=failed")).status_code == 303
    answer = await ask(ada, "?state=failed")
    assert answer.status_code == 409
    assert "Several replays wait already" in answer.text


@pytest.mark.usefixtures("cast")
async def test_a_replay_shows_how_far_it_is_and_how_it_ended(ada: httpx2.AsyncClient, site: Site) -> None:
    await ask(ada, "")
    page = (await ada.get("/replays/1")).text
    assert "Waits for its turn" in page
    assert "sse:run-changed" in page
    assert "on their way already" in page
    await change(site, state=RunState.RUNNING, done=3, started_at=site.clock())
    part = (await ada.get("/replays/1", headers=FRAGMENT)).text
    assert re.search(r"3 of \d+ · 60 a minute, done", part)
    await change(site, state=RunState.DONE, ended_at=site.clock())
    page = (await ada.get("/replays/1")).text
    assert "3 deliveries were put in the line." in page
    assert "sent again otherwise since then" in page
    await change(site, state=RunState.FAILED, reason={"code": "unexpected", "facts": {}})
    assert "An error of ours: see the log" in (await ada.get("/replays/1")).text


async def change(site: Site, **values: Any) -> None:  # noqa: ANN401 - columns
    async with site.database.transaction() as db:
        (await db.get_one(Run, 1)).sqlmodel_update(values)


@pytest.mark.usefixtures("cast")
async def test_a_replay_is_cancelled_once(ada: httpx2.AsyncClient, site: Site) -> None:
    await ask(ada, "?state=failed")
    await change(site, state=RunState.RUNNING, started_at=site.clock())
    part = (await ada.post("/replays/1/cancellation", headers=FRAGMENT)).text
    assert part.lstrip().startswith('<div id="replay"')
    assert "Ending…" in part
    await change(site, state=RunState.CANCELLED, ended_at=site.clock())
    assert (await ada.post("/replays/1/cancellation")).status_code == 409
    assert "Those are in the line and go" in (await ada.get("/replays/1")).text
    await ask(ada, "?state=failed")
    answer = await ada.post("/replays/2/cancellation")
    assert (answer.status_code, answer.headers["location"]) == (303, "/replays/2")
    assert (await runs(site))[1].state is RunState.CANCELLED


@pytest.mark.usefixtures("cast")
async def test_the_last_replays_stand_under_the_list(ada: httpx2.AsyncClient) -> None:
    assert 'id="replays-recent"' not in (await ada.get("/deliveries")).text
    await ask(ada, "?state=failed")
    assert 'href="/replays/1"' in (await ada.get("/deliveries")).text
    assert 'href="/replays/1"' in (await ada.get("/replays")).text
    assert (await ada.get("/replays", headers=FRAGMENT)).text.lstrip().startswith('<section id="replays"')


@pytest.mark.usefixtures("cast")
async def test_what_is_no_replay_is_not_found(ada: httpx2.AsyncClient) -> None:
    await ada.post("/polls")
    assert (await ada.get("/replays/1")).status_code == 404
    assert (await ada.post("/replays/1/cancellation")).status_code == 404


async def test_one_delivery_is_sent_as_new(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    for name in ("sent", "failed", "dropped"):
        original = cast.deliveries[name]
        assert "Send as new" in (await ada.get(f"/deliveries/{original.id}")).text
        answer = await ada.post(f"/deliveries/{original.id}/copies")
        async with site.database.reading() as db:
            newest = (await db.exec(select(Delivery).order_by(col(Delivery.id).desc()))).first()
            kept = await db.get_one(Delivery, original.id)
        assert newest
        assert (answer.status_code, answer.headers["location"]) == (303, f"/deliveries/{newest.id}")
        assert (newest.state, newest.body, newest.occurrence) == (DeliveryState.PENDING, original.body, 1)
        assert newest.webhook_id != original.webhook_id
        assert kept.state is original.state
        twice = await ada.post(f"/deliveries/{original.id}/copies")
        assert (twice.status_code, "on its way already" in twice.text) == (409, True)
        page = unescape((await ada.get(f"/deliveries/{newest.id}")).text)
        assert f"Sent as new by ada, beside delivery {original.id}" in page


async def test_what_has_not_ended_is_not_sent_as_new(ada: httpx2.AsyncClient, cast: Cast) -> None:
    for name in ("pending", "held"):
        number = cast.deliveries[name].id
        assert "Send as new" not in (await ada.get(f"/deliveries/{number}")).text
        answer = await ada.post(f"/deliveries/{number}/copies", headers=FRAGMENT)
        assert answer.status_code == 409
        assert "has not ended yet" in answer.text
    assert (await ada.post("/deliveries/999/copies")).status_code == 404


async def test_what_could_not_arrive_is_not_sent_as_new(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    delivery = cast.deliveries["failed"]
    async with site.database.transaction() as db:
        (await db.get_one(Delivery, delivery.id)).body = None
        (await db.get_one(Message, delivery.message_id)).source_removed_at = cast.now
    answer = await ada.post(f"/deliveries/{delivery.id}/copies", headers=FRAGMENT)
    assert (answer.status_code, "is kept any more" in answer.text) == (409, True)
    async with site.database.transaction() as db:
        (await db.get_one(Endpoint, delivery.endpoint_id)).state = EndpointState.DELETED
    answer = await ada.post(f"/deliveries/{delivery.id}/copies", headers=FRAGMENT)
    assert (answer.status_code, "receiver was deleted" in answer.text) == (409, True)
