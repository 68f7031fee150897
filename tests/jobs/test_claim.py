"""Claims on both databases: many workers, and each delivery goes to one of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Connection, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, select

from app.config import FirstRun
from app.integrations.webhook import Answer
from app.jobs.claim import Claimed, claim
from app.jobs.context import Context
from app.jobs.intervene import Chosen, drop, take_back
from app.jobs.outcome import record
from app.jobs.pause import turn
from app.jobs.request import Exchange
from app.jobs.result import Result
from app.jobs.sweep import sweep
from app.models import (
    Attempt,
    Database,
    Delivery,
    DeliveryState,
    Endpoint,
    Folder,
    Message,
    MessageState,
    Raw,
    Sending,
    metadata,
)
from app.models.held import HeldFilter, held, reasons, without_receiver
from tests.jobs.conftest import room

NOW = datetime(2026, 11, 16, 13, 0, tzinfo=UTC)
DELIVERIES = 40


@pytest.fixture
def first_run() -> FirstRun:
    return FirstRun(
        webhook_url="https://hook.example.com",
        email_address="ada",
        email_password=SecretStr("secret"),
        imap_server="imap.example.com",
    )


@pytest.fixture
async def context(context: Context) -> Context:
    """Many deliveries wait for one receiver."""
    await _fill(context.database)
    return context


async def _fill(database: Database) -> None:
    async with database.transaction() as db:
        endpoint = await db.get_one(Endpoint, 1)
        endpoint.concurrency, endpoint.pace = DELIVERIES, float(DELIVERIES)
        folder = Folder(mailbox_id=1, uidvalidity=1)
        db.add(folder)
        await db.flush()
        for uid in range(1, DELIVERIES + 1):
            message = Message(
                mailbox_id=1,
                folder_id=folder.id or 0,
                uidvalidity=1,
                uid=uid,
                size=1,
                internal_at=NOW,
                stored_at=NOW,
                state=MessageState.DECIDED,
            )
            db.add(message)
            await db.flush()
            db.add(Raw(message_id=message.id or 0, body=b""))
            db.add(_pending(message))


def _pending(message: Message) -> Delivery:
    facts: dict[str, object] = {
        "detector": None,
        "delivery_time": None,
        "urgent": False,
        "window_start": None,
        "window_end": None,
        "links": [],
    }
    return Delivery(
        webhook_id=f"msg_{message.id}",
        message_id=message.id or 0,
        rule_id=1,
        rule_version_id=1,
        endpoint_id=1,
        state=DeliveryState.PENDING,
        reason={"code": "rule_sends", "facts": {}},
        facts=facts,
        due_at=NOW,
        created_at=NOW,
    )


async def test_many_workers_share_the_work_and_none_gets_what_another_has(context: Context) -> None:
    workers = [replace(context, owner=f"elsewhere/worker/{number}/1") for number in range(8)]
    shares = await asyncio.gather(*(claim(worker, room(5)) for worker in workers))
    ids = [one.id for share in shares for one in share]
    assert len(ids) == len(set(ids)) == DELIVERIES
    assert all(one.generation == 1 and one.body for share in shares for one in share)


def workers(context: Context, number: int) -> list[Context]:
    """Each with connections of its own, as processes have them."""
    url = context.database._writer.url.render_as_string(hide_password=False)  # noqa: SLF001
    return [replace(context, database=Database(url), owner=f"elsewhere/worker/{n}/1") for n in range(number)]


async def _close(*contexts: Context) -> None:
    for context in contexts:
        await context.database.aclose()


async def _answered(context: Context, claimed: Sequence[Claimed]) -> None:
    good = Answer(status=200, headers={}, body=b"", truncated=False, timings={"wait": 1.0}, peer="")
    results = [Result(claimed=one, ended_at=NOW, exchange=Exchange(answer=good)) for one in claimed]
    if results:
        await record(context, results)


@pytest.mark.parametrize(("change", "most"), [({"ordered": True}, 1), ({"concurrency": 3, "pace": 3.0}, 3)])
async def test_a_receivers_limit_holds_for_all_workers_together(
    context: Context, change: dict[str, Any], most: int
) -> None:
    async with context.database.transaction() as db:
        (await db.get_one(Endpoint, 1)).sqlmodel_update(change)
    several = workers(context, 4)
    for _ in range(10):
        shares = await asyncio.gather(*(claim(worker, room(most), look_first=False) for worker in several))
        assert sum(map(len, shares)) == most
        for worker, share in zip(several, shares, strict=True):
            await _answered(worker, share)
    await _close(*several)


async def test_what_a_worker_lost_is_given_back_once_and_taken_once(context: Context) -> None:
    several = workers(context, 4)
    await claim(several[3], room(DELIVERIES))
    *sweeping, claiming = (replace(one, now=lambda: NOW + timedelta(minutes=5)) for one in several[:3])
    taken: list[Claimed] = []

    async def claims() -> None:
        while len(taken) < DELIVERIES:
            taken.extend(await claim(claiming, room(DELIVERIES)))

    async def sweeps(worker: Context) -> None:
        for _ in range(5):
            await sweep(worker)

    await asyncio.gather(claims(), *map(sweeps, sweeping))
    assert await claim(claiming, room(DELIVERIES)) == []
    assert sorted(one.id for one in taken) == list(range(1, DELIVERIES + 1))
    await _close(*several)


async def test_what_came_of_them_is_written_down(context: Context) -> None:
    claimed = await claim(context, room(12))
    good = Answer(
        status=200, headers={}, body=b"yes", truncated=False, timings={"wait": 3.0}, peer="192.0.2.1"
    )
    bad = replace(good, status=500, headers={"retry-after": "120"})
    results = [
        Result(claimed=one, ended_at=NOW, exchange=Exchange(answer=answer))
        for one, answer in zip(claimed, [good] * 6 + [bad] * 6, strict=True)
    ]
    await asyncio.gather(record(context, results[:5]), record(context, results[5:]))
    async with context.database.reading() as db:
        deliveries = (await db.exec(select(Delivery).order_by(col(Delivery.id)))).all()
        attempts = (await db.exec(select(Attempt).order_by(col(Attempt.delivery_id)))).all()
        endpoint = await db.get_one(Endpoint, 1)
    assert [one.state for one in deliveries[:12]] == [DeliveryState.SENT] * 6 + [DeliveryState.PENDING] * 6
    assert {one.lease_owner for one in deliveries} == {None}
    assert [one.outcome for one in attempts] == ["sent"] * 6 + ["bad_status"] * 6
    assert (attempts[0].answer, attempts[0].timings, attempts[0].peer) == (b"yes", {"wait": 3.0}, "192.0.2.1")
    assert (endpoint.opened, endpoint.failures) == (1, 6)
    assert await claim(context, room(12)) == []


async def test_the_more_urgent_goes_first_and_of_equals_what_waited_longest(context: Context) -> None:
    hour = timedelta(hours=1)
    changes: dict[int, dict[str, Any]] = {
        20: {"priority": 0},
        21: {"priority": 0, "due_at": NOW - hour},
        22: {"priority": 2, "due_at": NOW - 2 * hour},
        23: {"priority": 0, "due_at": NOW + hour},
        24: {"due_at": NOW - hour},
    }
    async with context.database.transaction() as db:
        for number, values in changes.items():
            await db.exec(update(Delivery).where(col(Delivery.id) == number).values(**values))
    assert [one.id for one in await claim(context, room(3))] == [21, 20, 24]
    assert [one.id for one in await claim(context, room(2))] == [1, 2]
    assert [one.id for one in await claim(context, room(DELIVERIES))][-1] == 22


async def test_after_a_pause_many_workers_together_keep_to_the_pace(context: Context) -> None:
    async with context.database.transaction() as db:
        await turn(db, to=Sending.PAUSED, per_minute=0, by="ada", now=NOW)
        await turn(db, to=Sending.ON, per_minute=1, by="ada", now=NOW)
    workers = [replace(context, owner=f"elsewhere/worker/{number}/1") for number in range(8)]
    await asyncio.gather(*(sweep(worker) for worker in workers))
    assert len(await claim(context, room(DELIVERIES))) == 1


async def test_what_is_held_is_found_and_changed_by_hand(context: Context) -> None:
    reason = {"code": "paused", "facts": {"action": "hold"}}
    async with context.database.transaction() as db:
        await db.exec(update(Delivery).values(state=DeliveryState.HELD, reason=reason))
        await db.exec(update(Delivery).where(col(Delivery.id) <= 3).values(release_at=NOW))
        wanted = HeldFilter(why="paused", endpoint=1, text="")
        first = await held(db, wanted, None, limit=4)
        rest = await held(db, wanted, first.further, limit=DELIVERIES)
        ids = [row.delivery.id for row in (*first.rows, *rest.rows)]
        assert (ids, first.total, await reasons(db)) == ([*range(1, DELIVERIES + 1)], DELIVERIES, ["paused"])
        dropped = await drop(db, Chosen(all_of=wanted), by="ada", now=NOW)
        assert dropped
        taken_back = await take_back(db, dropped.facts["batch"], by="ada", now=NOW)
        assert taken_back
        assert taken_back.facts == {"count": DELIVERIES}
        assert (await without_receiver(db)).total == 0


async def test_the_tables_are_those_of_the_models(either_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    engine = create_async_engine(either_url)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []
