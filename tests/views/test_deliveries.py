"""Deliveries: the history, one delivery with its tries, and sending again."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, event

from app.models import Delivery, DeliveryState, Endpoint, EndpointState
from tests.views.cast import Cast
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Every statement that any database was asked."""
    seen: list[str] = []

    def note(*given: Any) -> None:  # noqa: ANN401 - as the event gives them
        seen.append(" ".join(given[2].split()))

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def rows(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="delivery-(\d+)"', page)]


async def test_the_history_is_narrowed_by_each_of_its_filters(ada: httpx2.AsyncClient, cast: Cast) -> None:
    today = cast.now.date()
    tomorrow = today + timedelta(days=2)
    only = {
        "state=failed": ["failed"],
        f"endpoint={cast.endpoints[1].id}": ["pending"],
        f"rule={cast.rules[1].id}": ["held"],
        "q=lot+42": ["sent"],
        f"from={tomorrow}": [],
    }
    for query, names in only.items():
        found = rows((await ada.get(f"/deliveries?{query}")).text)
        assert found == [cast.deliveries[name].id for name in names], query
    old = rows((await ada.get(f"/deliveries?to={today - timedelta(days=3)}")).text)
    assert old
    assert cast.deliveries["sent"].id not in old


async def test_what_a_receiver_refuses_needs_attention_and_says_so(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    number = cast.deliveries["pending"].id
    assert "needs attention" not in (await ada.get(f"/deliveries/{number}")).text
    before = rows((await ada.get("/deliveries?state=needs_attention")).text)
    assert before == [cast.deliveries["failed"].id]
    async with site.database.transaction() as db:
        delivery = await db.get_one(Delivery, number)
        delivery.needs_attention, delivery.attempts = True, 1
    assert "but needs attention" in (await ada.get(f"/deliveries/{number}")).text
    page = (await ada.get("/deliveries?state=needs_attention")).text
    assert set(rows(page)) == {*before, number}
    assert "needs attention</span>" in page
    assert number in rows((await ada.get("/")).text)


async def test_the_history_is_narrowed_to_the_minute(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    number = cast.deliveries["sent"].id
    async with site.database.transaction() as db:
        (await db.get_one(Delivery, number)).created_at = datetime(2026, 3, 2, 8, 30, 20, tzinfo=UTC)
    minutes = {("09:30", "09:30"): True, ("09:31", "10:00"): False, ("09:00", "09:29"): False}
    for (first, last), there in minutes.items():
        page = (await ada.get(f"/deliveries?from=2026-03-02T{first}&to=2026-03-02T{last}")).text
        assert (rows(page) == [number]) is there, (first, last)
        assert f'name="from" value="2026-03-02T{first}"' in page
        assert f'name="to" value="2026-03-02T{last}"' in page
    assert 'name="to" value="2026-03-02T23:59"' in (await ada.get("/deliveries?to=2026-03-02")).text


@pytest.mark.usefixtures("cast")
async def test_a_day_that_is_none_narrows_nothing(ada: httpx2.AsyncClient) -> None:
    whole = rows((await ada.get("/deliveries")).text)
    assert rows((await ada.get("/deliveries?from=2026-13-40&to=9999-12-31&endpoint=x")).text) == whole
    assert rows((await ada.get("/deliveries?from=0001-01-01T00:00&to=2026-03-02T25:00")).text) == whole


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(
    ("page", "choices"),
    [
        ("/held", "ORDER BY rule.position"),
        ("/deliveries", "ORDER BY rule.position"),
        ("/lab", "FROM mailbox"),
    ],
)
async def test_a_list_that_refreshes_itself_asks_nothing_for_what_stands_around_it(
    ada: httpx2.AsyncClient, asked: list[str], page: str, choices: str
) -> None:
    await ada.get(page, headers=FRAGMENT)
    assert asked
    assert not [statement for statement in asked if choices in statement]
    await ada.get(page)
    assert [statement for statement in asked if choices in statement]


async def test_a_delivery_shows_every_try_with_request_and_answer(
    ada: httpx2.AsyncClient, cast: Cast
) -> None:
    page = (await ada.get(f"/deliveries/{cast.deliveries['failed'].id}")).text
    assert page.count('class="attempt"') == 4
    assert "webhook-signature: v1," in page
    assert "Lot inconnu" in page
    assert "curl --request POST https://hooks.example.com/signal" in page
    assert 'aria-label="dns 4.1 ms, connect 18.7 ms' in page


async def test_a_held_delivery_says_when_it_goes(ada: httpx2.AsyncClient, cast: Cast) -> None:
    page = (await ada.get(f"/deliveries/{cast.deliveries['held'].id}")).text
    assert "It goes by itself at that moment." in page
    assert "Send now" in page
    assert "Nothing has been sent yet" in page


async def test_sending_again_starts_afresh(ada: httpx2.AsyncClient, site: Site, cast: Cast) -> None:
    for name in ("failed", "held", "dropped", "sent"):
        number = cast.deliveries[name].id
        answer = await ada.post(f"/deliveries/{number}/retries")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/deliveries/{number}")
        async with site.database.reading() as db:
            assert (await db.get_one(Delivery, number)).state is DeliveryState.PENDING


async def test_sending_again_answers_htmx_with_the_delivery(ada: httpx2.AsyncClient, cast: Cast) -> None:
    answer = await ada.post(f"/deliveries/{cast.deliveries['failed'].id}/retries", headers=FRAGMENT)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="delivery"')
    assert "Sent again by ada" in answer.text


async def test_a_delivery_on_its_way_is_not_sent_again(ada: httpx2.AsyncClient, cast: Cast) -> None:
    address = f"/deliveries/{cast.deliveries['pending'].id}/retries"
    early = await ada.post(address, headers=FRAGMENT)  # it was to wait some minutes more
    assert early.status_code == 200
    answer = await ada.post(address, headers=FRAGMENT)
    assert answer.status_code == 409
    assert "on its way already" in answer.text


async def test_a_delivery_that_is_not_there_is_a_toast(ada: httpx2.AsyncClient) -> None:
    answer = await ada.post("/deliveries/999/retries", headers=FRAGMENT)
    assert (answer.status_code, answer.headers["hx-retarget"]) == (404, "#toasts")


async def test_a_delivery_that_waits_for_its_receiver_says_what_for(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    delivery = cast.deliveries["pending"]
    async with site.database.transaction() as db:
        (await db.get_one(Endpoint, delivery.endpoint_id)).state = EndpointState.PAUSED
    assert "The receiver is paused" in (await ada.get(f"/deliveries/{delivery.id}")).text
