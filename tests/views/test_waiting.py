"""What is said of a delivery that does not go now: why, until when, and what becomes of it otherwise."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, event

from app.config import FirstRun
from app.jobs import notices, receivers
from app.jobs.seed import prepare
from app.migrate import upgrade
from app.models import Database, Delivery, DeliveryState, Endpoint, EndpointState
from app.models.overview import overview
from app.models.standing import standing
from app.rules.verdict import Reason, Verdict
from app.vault import Vault
from tests.servers import Postgres
from tests.views.cast import SENDS, Cast, a_delivery, a_message, an_attempt, reason
from tests.views.day import seed
from tests.views.test_pause import calm, said
from tests.web.client import Site

NEVER_TRIED = {
    "state": DeliveryState.PENDING,
    "body": None,
    "finished_at": None,
    "attempts": 0,
    "reason": SENDS,
}


async def test_draining_says_what_waits_for_a_paused_receiver(
    ada: httpx2.AsyncClient, site: Site, cast: Cast
) -> None:
    await calm(site)
    async with site.database.transaction() as db:
        for endpoint in (0, 1, 1):
            mail = await a_message(db, cast, "Lot")
            await a_delivery(db, cast, mail, endpoint=endpoint, **NEVER_TRIED)
        (await db.get_one(Endpoint, 2)).state = EndpointState.PAUSED
    await ada.post("/pause", data={"to": "draining"})
    assert (await said(ada)).endswith(
        "1 still goes, what is new is held, 2 wait for a receiver that is paused or parked"
    )
    await change(site, cast.endpoints[0], state=EndpointState.PAUSED)
    assert (await said(ada)).endswith(": what is new is held, 3 wait for a receiver that is paused or parked")


async def read(ada: httpx2.AsyncClient, address: str, element: str = "") -> str:
    """What stands there, or in one row of it."""
    page = (await ada.get(address)).text
    part = page.partition(f'id="{element}"')[2].partition("</li>")[0] if element else page
    return " ".join(re.sub(r"<[^>]+>", " ", part.partition(">")[2]).split())


async def change(site: Site, endpoint: Endpoint, **values: Any) -> None:  # noqa: ANN401 - any column
    async with site.database.transaction() as db:
        (await db.get_one(Endpoint, endpoint.id)).sqlmodel_update(values)


async def due(site: Site, cast: Cast, **given: Any) -> Delivery:  # noqa: ANN401 - any column
    """Add a delivery to the studio that was never tried, and may go for two minutes now."""
    async with site.database.transaction() as db:
        mail = await a_message(db, cast, "Lot 50", at=cast.ago(minutes=2))
        return await a_delivery(db, cast, mail, **NEVER_TRIED | {"due_at": cast.ago(minutes=2)} | given)


@pytest.fixture
async def dropping(site: Site, cast: Cast) -> Delivery:
    """All there is: a mail that the window holds for longer than its day lasts."""
    await calm(site)
    ends = cast.now + timedelta(hours=2)
    opens = reason("before_window", opens="09h00", closes="19h00", now="08h12", action="hold")
    async with site.database.transaction() as db:
        mail = await a_message(db, cast, "Lot 60", verdict=Verdict.HOLD, reason=opens)
        held = {"state": DeliveryState.HELD, "reason": opens, "release_at": ends + timedelta(hours=2)}
        return await a_delivery(db, cast, mail, **NEVER_TRIED | held | {"expires_at": ends})


async def test_what_will_be_dropped_is_said_to_be_everywhere(
    ada: httpx2.AsyncClient, dropping: Delivery
) -> None:
    says = re.compile(r"will be dropped (\w+ )?\d\dh\d\d unless somebody releases it")
    assert "held" not in await said(ada)
    assert says.search(await said(ada))
    for address, row in (
        ("/", f"delivery-{dropping.id}"),
        ("/", f"message-{dropping.message_id}"),
        ("/deliveries", f"delivery-{dropping.id}"),
        ("/messages", f"message-{dropping.message_id}"),
        ("/held", f"held-{dropping.id}"),
    ):
        assert says.search(await read(ada, address, row)), (address, row)
    page = await read(ada, "/")
    assert "next leaves" not in page
    assert "holds such mail" not in page


@pytest.mark.usefixtures("dropping")
async def test_what_will_be_dropped_is_not_what_leaves_next(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    held = {"state": DeliveryState.HELD, "reason": reason("paused", action="hold")}
    await due(site, cast, **held, release_at=cast.now + timedelta(hours=5))
    at = r"(\w+ )?\d\dh\d\d"
    assert re.search(rf"1 held until {at}, 1 will be dropped {at} unless", await said(ada))
    assert re.search(rf"next leaves {at} · 1 will be dropped {at} unless", await read(ada, "/"))


@pytest.mark.parametrize(
    ("receiver", "says"),
    [
        ({"state": EndpointState.PARKED}, "waits: the receiver is parked"),
        ({"state": EndpointState.PAUSED}, "waits: the receiver is paused"),
        ({"opened": 3, "failures": 7}, "waits: the receiver is left alone until "),
        ({"not_before": "later"}, "waits: the receiver is left alone until "),
        ({"rate_per_hour": 1}, "waits for its hourly limit, until "),
        ({"ordered": True}, "waits for the one before it"),
    ],
)
async def test_a_row_says_what_its_receiver_waits_for(
    site: Site, ada: httpx2.AsyncClient, cast: Cast, *, receiver: dict[str, Any], says: str
) -> None:
    until = cast.now + timedelta(minutes=20)
    first = await due(site, cast)
    never, tried = await due(site, cast), await due(site, cast, attempts=2, reason=reason("timed_out"))
    async with site.database.transaction() as db:
        await an_attempt(db, first, at=cast.ago(minutes=30))
    values = receiver | {"open_until": until} | ({"not_before": until} if "not_before" in receiver else {})
    await change(site, cast.endpoints[0], **values)
    for address in ("/", "/deliveries"):
        for delivery in (never, tried):
            row = await read(ada, address, f"delivery-{delivery.id}")
            assert says in row
            assert "It goes out" not in row
            assert "next try" not in row
    own = await read(ada, f"/deliveries/{never.id}")
    assert "Next try" not in own
    assert "It goes at once" not in own
    assert "It is on its way" not in await read(ada, f"/messages/{never.message_id}")


async def test_a_try_that_comes_after_its_receiver_is_left_alone_is_told_as_it_is(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    number = cast.deliveries["pending"].id  # in 40 minutes
    await change(site, cast.endpoints[1], opened=1, open_until=cast.now + timedelta(minutes=5))
    assert "No answer in time · next try in 39 min" in await read(ada, "/deliveries", f"delivery-{number}")
    await change(site, cast.endpoints[1], open_until=cast.now + timedelta(minutes=50))
    assert "left alone until" in await read(ada, "/deliveries", f"delivery-{number}")


@pytest.fixture
def asked() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*given: Any) -> None:  # noqa: ANN401 - as the event gives them
        seen.append(given[2])

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


async def test_however_many_wait_their_receivers_are_asked_for_once(
    site: Site, ada: httpx2.AsyncClient, cast: Cast, asked: list[str]
) -> None:
    await change(site, cast.endpoints[0], rate_per_hour=1, ordered=True)
    await due(site, cast)
    asked.clear()
    await ada.get("/deliveries")
    few = len(asked)
    for _ in range(5):
        await due(site, cast)
    asked.clear()
    await ada.get("/deliveries")
    assert len(asked) == few


async def test_a_dropped_mail_gives_the_reason_for_which_it_was_dropped(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    delivery = await due(site, cast)
    async with site.database.transaction() as db:
        await receivers.delete(
            db, await db.get_one(Endpoint, cast.endpoints[0].id), by="ada", now=site.clock()
        )
    for address, row in (
        ("/", f"message-{delivery.message_id}"),
        ("/messages", f"message-{delivery.message_id}"),
        (f"/messages/{delivery.message_id}", ""),
    ):
        assert "The receiver was deleted" in await read(ada, address, row)
    assert "It goes out" not in await read(ada, "/messages", f"message-{delivery.message_id}")


async def test_the_counts_around_a_parked_receiver_agree(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    """The window holds one for it, which is not its doing."""
    studio = cast.endpoints[0]
    await change(site, studio, state=EndpointState.PARKED, parked_for=reason("gone", status=410))
    for _ in range(2):
        await due(site, cast)
    await due(site, cast, state=DeliveryState.HELD, reason=reason("gone", status=410), attempts=1)
    said = await read(ada, "/", f"parked-{studio.id}")
    assert "This receiver is parked: 2 deliveries wait for it. 1 is held because of it." in said
    page = await read(ada, f"/endpoints/{studio.id}")
    assert "2 due · 1 held" in page
    assert "and put the delivery that it holds back in the line" in page


async def test_the_same_is_asked_on_postgresql(postgres: Postgres) -> None:
    url = postgres.new_database()
    await asyncio.to_thread(upgrade, url)
    database, now = Database(url), datetime(2026, 11, 16, 14, tzinfo=UTC)
    await prepare(database, FirstRun(), Vault("a key for tests only"), now)
    cast = await seed(database, now)
    async with database.transaction() as db:
        planning = await db.get_one(Endpoint, cast.endpoints[1].id)
        planning.state, planning.ordered, planning.rate_per_hour = EndpointState.PARKED, True, 1
        notices.endpoint_parked(db, planning, Reason("gone"), now)
        held = await db.get_one(Delivery, cast.deliveries["held"].id)
        held.release_at = now + timedelta(hours=12)
    async with database.reading() as db:
        shown, counts = await overview(db, now), (await standing(db, now)).counts
    assert [(row.waiting, row.held) for row in shown.parked] == [(1, 0)]
    assert (shown.board.count, counts.dropping, counts.release_at) == (1, 1, None)
    assert {row.waits.code for row in shown.deliveries if row.waits} == {"endpoint_parked"}
    await database.aclose()


async def test_what_a_receiver_refuses_stands_in_the_strip_and_on_the_overview(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    await calm(site)
    why = {"attempts": 1, "reason": reason("bad_status", status=401)}
    fine, refused = await due(site, cast, **why), await due(site, cast, **why, needs_attention=True)
    assert await said(ada) == "A receiver refuses 1 delivery: it is tried again, have a look"
    page = (await ada.get("/")).text
    assert [f'id="stuck-delivery-{one.id}"' in page for one in (fine, refused)] == [False, True]
