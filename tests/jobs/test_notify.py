"""Mails to operators: one for all that waits, none that is lost, none that nobody wants, never a flood."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from app.jobs import notices
from app.jobs.notify import notify
from app.jobs.owner import owner_of
from app.models import Delivery, Endpoint, LogEvent, Mailbox, Mailing, Notice, NoticeKind
from app.rules.notices import MOST_LINES
from app.rules.verdict import Reason
from app.worker import work
from tests.jobs.conftest import World
from tests.letters import with_link
from tests.servers import MailHost, eventually_async

GONE = Reason("gone", {"status": 410})


@pytest.fixture
def host() -> Iterator[MailHost]:
    with MailHost() as host:
        yield host


@pytest.fixture
async def told(world: World, host: MailHost) -> World:
    """Ada wants to be told."""
    await world.set(notify_on_failure=True, notify_to=["ada@example.org"])
    mail = {"smtp_host": "127.0.0.1", "smtp_port": host.port, "smtp_from": "signal@example.org"}
    config = world.context.config.model_copy(
        update=mail | {"smtp_tls": "none", "base_url": "https://signal.example.org"}
    )
    world.context = replace(world.context, config=config)
    return world


async def park(world: World, times: int = 1) -> None:
    async with world.context.database.transaction() as db:
        endpoint = (await db.exec(select(Endpoint))).one()
        for _ in range(times):
            notices.endpoint_parked(db, endpoint, GONE, world.clock())


async def unmailed(world: World) -> int:
    return sum(notice.mailed_at is None for notice in await world.rows(Notice))


async def events(world: World) -> list[str]:
    return [one.event for one in await world.rows(LogEvent) if one.event.startswith("notices")]


async def test_the_first_notice_waits_a_minute_for_company(told: World, host: MailHost) -> None:
    await park(told)
    told.clock.pass_(seconds=59)
    assert not await notify(told.context)
    async with told.context.database.transaction() as db:
        notices.endpoint_recovered(db, (await db.exec(select(Endpoint))).one(), told.clock())
    told.clock.pass_(seconds=1)
    assert await notify(told.context)
    (got,) = host.got
    name = (await told.one(Endpoint)).name
    assert got.to == ["ada@example.org"]
    assert got.mail["Subject"] == f"Signal Server: receiver “{name}” is parked, and 1 more"
    gone = "it answered that it is gone for good (status 410)"
    assert got.lines == [
        f"2026-11-16 14h00  The receiver “{name}” is parked: {gone}",
        f"2026-11-16 14h00  The receiver “{name}” takes deliveries again",
        "",
        "All of it: https://signal.example.org",
    ]
    assert (await unmailed(told), await events(told)) == (0, ["notices mailed"])
    assert not await notify(told.context)


async def test_the_mail_is_in_the_language_of_whoever_wanted_it(told: World, host: MailHost) -> None:
    await told.set(notify_language="fr")
    await park(told)
    told.clock.pass_(minutes=1)
    await notify(told.context)
    assert host.got[0].lines[0].startswith("16/11/2026 à 14h00")


async def test_at_most_one_mail_goes_in_a_quarter_of_an_hour(told: World, host: MailHost) -> None:
    for _ in range(60):
        await park(told)
        told.clock.pass_(seconds=30)
        await notify(told.context)
    assert len(host.got) == 2  # in half an hour
    told.clock.pass_(minutes=15)
    await notify(told.context)
    assert len(host.got) == 3
    assert await unmailed(told) == 0


async def test_a_mail_has_fifty_lines_at_most(told: World, host: MailHost) -> None:
    await park(told, 700)
    told.clock.pass_(minutes=1)
    await notify(told.context)
    (got,) = host.got
    assert len([line for line in got.lines if "is parked" in line]) == MOST_LINES
    assert f"and {700 - MOST_LINES} more" in got.lines
    assert await unmailed(told) == 0


async def test_what_was_not_taken_is_tried_again_later_and_later(told: World, host: MailHost) -> None:
    host.answers.extend(["451 later"] * 3)
    await park(told)
    tried = []
    for second in range(900):
        if await notify(told.context):
            tried.append(second)
        told.clock.pass_(seconds=1)
    assert tried == [60, 120, 240, 480]  # a minute for company, then 1, 2 and 4 minutes
    assert (len(host.got), await unmailed(told)) == (1, 0)
    assert await events(told) == ["notices not mailed", "notices mailed"]
    mailing = await told.one(Mailing)
    assert (mailing.failures, mailing.reason, mailing.owner) == (0, None, None)


async def test_a_failure_says_why(told: World, host: MailHost) -> None:
    host.answers.append("554 no spam here")
    await park(told)
    told.clock.pass_(minutes=1)
    await notify(told.context)
    mailing = await told.one(Mailing)
    assert mailing.reason == {"code": "mail_refused", "facts": {"detail": "554 no spam here"}}
    assert await unmailed(told) == 1


@pytest.mark.parametrize("without", [{"notify_on_failure": False}, {"notify_to": []}])
async def test_what_nobody_wanted_is_not_sent_when_mails_are_switched_on(
    told: World, host: MailHost, without: dict[str, Any]
) -> None:
    await told.set(**without)
    await park(told, 3)
    assert await notify(told.context)
    await told.set(notify_on_failure=True, notify_to=["ada@example.org"])
    told.clock.pass_(hours=1)
    assert not await notify(told.context)
    assert (host.got, await unmailed(told)) == ([], 0)
    assert all(notice.seen_at is None for notice in await told.rows(Notice))  # the page has them


async def test_without_a_mail_server_nothing_piles_up(world: World) -> None:
    await world.set(notify_on_failure=True, notify_to=["ada@example.org"])
    await park(world)
    assert await notify(world.context)
    assert await unmailed(world) == 0


async def test_while_one_worker_sends_no_other_does(told: World, host: MailHost) -> None:
    await park(told)
    told.clock.pass_(minutes=1)
    until = told.clock() + timedelta(seconds=60)
    await told.change(Mailing, owner="elsewhere/worker/7/7", lease_until=until)
    assert not await notify(told.context)
    told.clock.pass_(seconds=61)
    assert await notify(told.context)
    assert len(host.got) == 1


async def test_the_lease_of_a_worker_that_died_between_sending_and_writing_holds_nobody_up(
    told: World, host: MailHost
) -> None:
    await park(told)
    told.clock.pass_(minutes=1)
    gone = f"{owner_of('worker').rpartition('/')[0]}/0"  # this number, of an earlier process
    await told.change(Mailing, owner=gone, lease_until=told.clock() + timedelta(seconds=50))
    assert await notify(told.context)
    assert len(host.got) == 1  # the second of its kind, where the first had gone


async def test_a_clock_that_was_set_back_delays_nothing(told: World, host: MailHost) -> None:
    ahead = told.clock() + timedelta(days=300)
    await told.change(
        Mailing, sent_at=ahead, tried_at=ahead, failures=3, owner="x/worker/1/1", lease_until=ahead
    )
    await park(told)
    told.clock.pass_(minutes=1)
    assert await notify(told.context)
    assert len(host.got) == 1


async def test_when_only_some_are_reached_the_others_cost_no_second_mail(told: World, host: MailHost) -> None:
    await told.set(notify_to=["ada@example.org", "gone@example.org"])
    host.strangers = {"gone@example.org"}
    await park(told)
    told.clock.pass_(minutes=1)
    assert await notify(told.context)
    assert (len(host.got), await unmailed(told)) == (1, 0)
    (event,) = [one for one in await told.rows(LogEvent) if one.event == "notices mailed"]
    assert (event.subject, event.facts) == ("ada@example.org", {"count": 1})


async def test_a_mail_somebody_asked_for_goes_at_once(told: World, host: MailHost) -> None:
    await told.change(Mailing, sent_at=told.clock())
    async with told.context.database.transaction() as db:
        notices.mail_wanted(db, "ada", told.clock())
    assert await notify(told.context)
    assert (
        host.got[0].mail["Subject"] == "Signal Server: ada wanted to see whether mails arrive: this one did"
    )


async def test_the_worker_sends_what_waits(told: World, host: MailHost) -> None:
    async with told.context.database.transaction() as db:
        notices.mail_wanted(db, "ada", told.clock())
    working = asyncio.create_task(work(told.context))
    await eventually_async(lambda: host.got)
    told.context.bells.stopping.set()
    await working
    assert len(host.got) == 1


async def test_the_password_is_nowhere_to_be_read(told: World) -> None:
    config = told.context.config.model_copy(
        update={"smtp_username": "signal", "smtp_password": SecretStr("a secret"), "smtp_tls": "starttls"}
    )
    told.context = replace(told.context, config=config)
    await park(told)
    told.clock.pass_(minutes=1)
    await notify(told.context)
    mailing = await told.one(Mailing)
    assert (mailing.reason or {})["code"] == "tls_failed"
    assert "a secret" not in repr([mailing, *await told.rows(LogEvent), config])


async def kinds(world: World) -> list[NoticeKind]:
    return [notice.kind for notice in await world.rows(Notice)]


async def test_a_wrong_password_of_a_mailbox_is_told_at_once_and_once(world: World) -> None:
    right = (await world.mailbox()).password
    await world.change(Mailbox, password=world.context.vault.seal("wrong"))
    for _ in range(3):
        await world.poll()
        world.clock.pass_(hours=1)
    (notice,) = await world.rows(Notice)
    assert (notice.kind, notice.reason["code"]) == (NoticeKind.MAILBOX_FAILING, "auth_failed")
    assert (notice.subject, notice.mailbox_id) == ((await world.mailbox()).name, 1)
    await world.change(Mailbox, password=right)
    await world.poll()
    await world.poll()
    assert await kinds(world) == [NoticeKind.MAILBOX_FAILING, NoticeKind.MAILBOX_RECOVERED]


async def test_a_mailbox_that_does_not_answer_is_told_after_ten_minutes(world: World) -> None:
    host = (await world.mailbox()).host
    await world.change(Mailbox, host="mail.invalid")
    for _ in range(3):
        await world.poll()
        world.clock.pass_(minutes=3)
    assert await kinds(world) == []
    for _ in range(3):
        world.clock.pass_(minutes=3)
        await world.poll()
    assert await kinds(world) == [NoticeKind.MAILBOX_FAILING]
    await world.change(Mailbox, host=host)
    await world.poll()
    assert await kinds(world) == [NoticeKind.MAILBOX_FAILING, NoticeKind.MAILBOX_RECOVERED]


async def test_a_short_outage_is_not_worth_a_notice(world: World) -> None:
    host = (await world.mailbox()).host
    await world.change(Mailbox, host="mail.invalid")
    await world.poll()
    await world.change(Mailbox, host=host)
    world.clock.pass_(minutes=5)
    await world.poll()
    assert await kinds(world) == []


async def test_the_next_outage_is_told_again(world: World) -> None:
    right = (await world.mailbox()).password
    for password in (b"-", right, b"-", right):  # what nobody can read, and the right one
        await world.change(Mailbox, password=password)
        await world.poll()
    assert await kinds(world) == [NoticeKind.MAILBOX_FAILING, NoticeKind.MAILBOX_RECOVERED] * 2


async def test_a_delivery_that_failed_for_good_is_named_by_its_number(told: World, host: MailHost) -> None:
    told.arrives(with_link())
    await told.settle()
    async with told.context.database.transaction() as db:
        delivery, endpoint = (await db.exec(select(Delivery))).one(), (await db.exec(select(Endpoint))).one()
        notices.delivery_failed(
            db, delivery.id or 0, endpoint, reason=Reason("bad_status", {"status": 400}), now=told.clock()
        )
    told.clock.pass_(minutes=1)
    await notify(told.context)
    assert f"Delivery {delivery.id} to “{endpoint.name}” has failed for good" in host.got[0].mail["Subject"]
