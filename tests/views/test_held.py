"""What is held: the queue, and letting go or dropping by hand."""

import re
from datetime import timedelta

import httpx2
import pytest
from sqlmodel import col, select

from app.models import Delivery, DeliveryState, LogEvent, Message
from app.models.history import PAGE
from app.rules.verdict import Verdict
from tests.views.cast import Cast, a_delivery, a_mail_without_receiver, a_message, reason
from tests.web.client import Site

FRAGMENT = {"HX-Request": "true"}
HELD, PENDING, DROPPED = DeliveryState.HELD, DeliveryState.PENDING, DeliveryState.DROPPED


def rows(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'id="held-(\d+)"', page)]


async def hold(site: Site, cast: Cast, subject: str, **given: object) -> int:
    """Hold a mail's delivery until tomorrow, unless told otherwise."""
    tomorrow = cast.now + timedelta(days=1)
    facts = {
        "state": HELD,
        "reason": reason("before_window", opens="09h00", closes="19h00", now="08h12", action="hold"),
        "release_at": tomorrow,
        "attempts": 0,
        "body": None,
        "finished_at": None,
    }
    async with site.database.transaction() as db:
        message = await a_message(db, cast, subject, verdict=Verdict.HOLD, expected_deliveries=1)
        return (await a_delivery(db, cast, message, **facts | given)).id or 0


async def pausing(site: Site, cast: Cast, subject: str, **given: object) -> int:
    return await hold(site, cast, subject, reason=reason("paused", action="hold"), release_at=None, **given)


async def states(site: Site, *ids: int) -> list[DeliveryState]:
    async with site.database.reading() as db:
        return [(await db.get_one(Delivery, number)).state for number in ids]


async def events(site: Site) -> list[tuple[str, str, int]]:
    async with site.database.reading() as db:
        query = select(LogEvent).where(col(LogEvent.event).like("%mail%ed%")).order_by(col(LogEvent.id))
        found = (await db.exec(query)).all()
        return [(one.event, one.subject, one.facts["count"]) for one in found if "count" in one.facts]


async def test_what_goes_soonest_stands_first_and_what_has_no_time_last(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    endless = await pausing(site, cast, "Lot 1")
    late = await hold(site, cast, "Lot 2", release_at=cast.now + timedelta(days=3))
    soon = await hold(site, cast, "Lot 3", release_at=cast.now + timedelta(minutes=5))
    page = (await ada.get("/held")).text
    wanted = [soon, cast.deliveries["held"].id, late, endless]
    assert [one for one in rows(page) if one in wanted] == wanted


async def test_a_row_says_why_it_is_held_when_it_goes_and_when_it_expires(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    number = await hold(site, cast, "Lot 7", expires_at=cast.now + timedelta(days=2))
    page = (await ada.get("/held?q=Lot+7")).text
    assert rows(page) == [number]
    assert "Window 09h00–19h00: now 08h12, before opening" in page
    assert re.search(r"goes \w+day \d\dh\d\d", page)
    assert re.search(r"expires \w+day \d\dh\d\d", page)
    await pausing(site, cast, "Lot 8")
    await hold(site, cast, "Lot 9", reason=reason("gone"), release_at=None, needs_attention=True, attempts=1)
    assert "in its turn" in (await ada.get("/held?q=Lot+8")).text
    assert "when somebody sees to the receiver" in (await ada.get("/held?q=Lot+9")).text
    await ada.post("/pause", data={"to": "paused"})
    assert "when sending is on again" in (await ada.get("/held?q=Lot+8")).text


async def test_a_hold_that_ends_before_it_may_go_says_that_it_will_be_dropped(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    number = await hold(site, cast, "Lot 7", expires_at=cast.now + timedelta(hours=22))
    async with site.database.reading() as db:
        mail = (await db.get_one(Delivery, number)).message_id
    row = (await ada.get("/held?q=Lot+7")).text
    assert re.search(r'"wait">will be dropped (\w+day )?\d\dh\d\d unless somebody releases it<', row)
    assert not re.search(r"(goes|expires) (\w+day )?\d\dh\d\d", row)
    for address in (f"/deliveries/{number}", f"/messages/{mail}"):
        page = (await ada.get(address)).text
        assert re.search(r"It will be dropped .*\d\dh\d\d unless somebody releases it\.", page), address
        assert "by itself" not in page, address


async def test_a_hold_that_lacks_its_link_does_not_say_that_it_goes(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    why = reason("before_window", opens="09h00", closes="19h00", now="08h12", action="hold", lacks_link=True)
    number = await hold(site, cast, "Lot 7", reason=why)
    page = (await ada.get("/held?q=Lot+7")).text
    assert re.search(r"will be dropped \w+day \d\dh\d\d unless somebody releases it", page)
    assert not re.search(r"goes \w+day", page)
    page = (await ada.get(f"/deliveries/{number}")).text
    assert re.search(r"It has no delivery link: it will be dropped \w+day \d\dh\d\d unless", page)
    assert "<dt>Goes" not in page
    number = await hold(site, cast, "Lot 8", reason=reason("paused", lacks_link=True), release_at=None)
    for address in ("/held?q=Lot+8", f"/deliveries/{number}"):
        assert "will be dropped after the pause unless" in (await ada.get(address)).text


async def test_the_queue_is_narrowed_by_each_of_its_filters(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    paused = await pausing(site, cast, "Film 1", rule=0)
    planning = await hold(site, cast, "Film 2", endpoint=1, rule=2)
    gone = await hold(site, cast, "Film 3", rule=2, reason=reason("gone"), release_at=None, attempts=1)
    only = {
        "q=Film&why=paused": [paused],
        "q=Film&why=before_window": [planning],
        "q=Film&why=receiver": [gone],
        f"endpoint={cast.endpoints[1].id}": [planning],
        f"q=film&rule={cast.rules[2].id}": [planning, gone],
        "q=nothing": [],
    }
    for query, wanted in only.items():
        assert rows((await ada.get(f"/held?{query}")).text) == wanted, query


async def test_every_page_goes_on_where_the_one_before_it_ended(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    many = await add_many(site, cast, PAGE + 20, release_at=cast.now + timedelta(hours=1))
    endless = await add_many(site, cast, PAGE, release_at=None)
    seen: list[int] = []
    address = "/held?q=Film"
    while address:
        page = (await ada.get(address)).text
        seen += rows(page)
        further = re.search(r'rel="next" href="([^"]+)"', page)
        address = "/held" + further[1].replace("&amp;", "&") if further else ""
    assert seen == [*many, *endless]
    assert rows((await ada.get("/held?q=Film&after=2026~x")).text) == many[:PAGE]


async def test_one_is_released_at_once_with_its_author(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    number, other = await hold(site, cast, "Lot 1"), await hold(site, cast, "Lot 2")
    answer = await ada.post("/held/releases", data={"only": str(number), "id": str(other)}, headers=FRAGMENT)
    assert "1 delivery released." in answer.text
    assert answer.headers["hx-retarget"] == "#toasts"
    async with site.database.reading() as db:
        delivery = await db.get_one(Delivery, number)
    assert (delivery.state, delivery.release_at, delivery.due_at <= site.clock()) == (PENDING, None, True)
    assert delivery.reason == reason("released_by_hand", by="ada")
    assert await states(site, other) == [HELD]
    assert await events(site) == [("held mail released", "ada", 1)]
    assert "Released by ada" in (await ada.get(f"/deliveries/{number}")).text


async def test_what_was_chosen_is_dropped_kept_and_can_be_sent(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    numbers = [await hold(site, cast, f"Lot {lot}") for lot in range(3)]
    answer = await ada.post("/held/drops", data={"id": [str(one) for one in numbers[:2]]})
    assert answer.status_code == 303
    assert await states(site, *numbers) == [DROPPED, DROPPED, HELD]
    assert "2 deliveries dropped; they are kept." in (await ada.get(answer.headers["location"])).text
    assert "Dropped by ada" in (await ada.get(f"/deliveries/{numbers[0]}")).text
    await ada.post(f"/deliveries/{numbers[0]}/retries")
    assert await states(site, numbers[0]) == [PENDING]


async def test_what_was_dropped_at_one_go_is_taken_back_at_one_go(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    numbers = [await hold(site, cast, f"Lot {lot}") for lot in range(3)]
    await ada.post("/held/drops", data={"only": str(numbers[2])})
    answer = await ada.post("/held/drops", data={"id": [str(one) for one in numbers[:2]]}, headers=FRAGMENT)
    batch = re.search(r'name="batch" value="(\w+)"', answer.text)
    assert batch
    for word in ("2 deliveries are held again.", "Nothing was changed"):
        answer = await ada.post("/held/restorations", data={"batch": batch[1]}, headers=FRAGMENT)
        assert word in answer.text
        assert await states(site, *numbers) == [HELD, HELD, DROPPED]
    async with site.database.reading() as db:  # the gates are asked within a second
        assert {(await db.get_one(Delivery, one)).planned_for for one in numbers[:2]} == {0}


async def test_all_that_match_are_released_over_every_page(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    many = await add_many(site, cast, 1200)
    other = await hold(site, cast, "Lot 1")
    page = (await ada.get("/held?q=Film")).text
    assert "all 1200 that match" in page
    newest = re.search(r'name="newest" value="(\d+)"', page)
    assert newest
    later = await hold(site, cast, "Film that came later")
    form = {"q": "Film", "why": "", "endpoint": "", "rule": "", "all": "1", "newest": newest[1]}
    answer = await ada.post("/held/releases", data=form, headers=FRAGMENT)
    assert "1200 deliveries released." in answer.text
    assert set(await states(site, *many)) == {PENDING}
    assert await states(site, other, later) == [HELD, HELD]
    assert (await ada.post("/held/releases", data=form, headers=FRAGMENT)).status_code == 409
    assert await events(site) == [("held mail released", "ada", 1200)]


async def test_what_left_meanwhile_is_not_dropped(site: Site, ada: httpx2.AsyncClient, cast: Cast) -> None:
    sent, held = cast.deliveries["sent"].id or 0, await hold(site, cast, "Lot 1")
    answer = await ada.post("/held/drops", data={"id": [str(sent), str(held)]}, headers=FRAGMENT)
    assert "1 delivery dropped" in answer.text
    assert await states(site, sent, held) == [DeliveryState.SENT, DROPPED]


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("form", [{}, {"id": "x"}, {"all": ""}])
async def test_who_chose_nothing_is_told_so(ada: httpx2.AsyncClient, form: dict[str, str]) -> None:
    answer = await ada.post("/held/drops", data={"q": "Lot"} | form, headers=FRAGMENT)
    assert answer.status_code == 422
    assert "Choose at least one delivery first." in answer.text


async def test_a_mail_without_receiver_stands_apart_with_the_way_out(
    site: Site, ada: httpx2.AsyncClient, cast: Cast
) -> None:
    async with site.database.transaction() as db:
        mail = await a_mail_without_receiver(db, cast, "Rushes")
    page = (await ada.get("/held")).text
    assert "Mails that have no receiver" in page
    assert f'href="/messages/{mail.id}"' in page
    assert "has no receiver" in page


async def test_the_menu_counts_what_is_held(site: Site, ada: httpx2.AsyncClient, cast: Cast) -> None:
    await hold(site, cast, "Lot 1")
    assert 'id="held-count" class="count">2</b>' in (await ada.get("/messages")).text
    assert 'hx-swap-oob="true">2</b>' in (await ada.get("/status", headers=FRAGMENT)).text


async def test_nothing_held_says_what_will_stand_here(site: Site, ada: httpx2.AsyncClient) -> None:
    assert "Nothing is held." in (await ada.get("/held")).text
    assert "Nothing that is held matches" in (await ada.get("/held?q=x")).text
    assert 'class="count"></b>' in (await ada.get("/held")).text
    async with site.database.reading() as db:
        assert (await db.exec(select(Message))).all() == []


async def add_many(site: Site, cast: Cast, number: int, **given: object) -> list[int]:
    """Hold so many deliveries of one mail called Film."""
    facts = {"state": HELD, "attempts": 0, "body": None, "finished_at": None} | given
    async with site.database.transaction() as db:
        message = await a_message(db, cast, "Film", verdict=Verdict.HOLD, expected_deliveries=1)
        first = await a_delivery(db, cast, message, reason=reason("paused", action="hold"), **facts)
        fields = first.model_dump(exclude={"id", "webhook_id", "occurrence"})
        more = [
            Delivery(**fields, webhook_id=f"msg_{first.id}_{one}", occurrence=one) for one in range(1, number)
        ]
        db.add_all(more)
        await db.flush()
        return [one.id or 0 for one in (first, *more)]
