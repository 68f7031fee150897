"""The three counts that must be 0."""

from datetime import UTC, datetime
from typing import Any

from sqlmodel import SQLModel

from app.models import (
    Attempt,
    Database,
    Delivery,
    DeliveryState,
    Endpoint,
    Folder,
    Mailbox,
    Message,
    MessageState,
    Rule,
    RuleVersion,
)
from app.models.invariants import broken_invariants
from tests.web.client import Site

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def add(database: Database, *rows: SQLModel) -> None:
    async with database.transaction() as db:
        for row in rows:
            db.add(row)
            await db.flush()


async def counts(database: Database) -> list[int]:
    async with database.reading() as db:
        return list((await broken_invariants(db)).values())


async def ledger(database: Database) -> None:
    """One folder, one rule, one receiver, and a mail that was decided to go there."""
    await add(
        database,
        Mailbox(
            id=1,
            name="ops",
            host="h",
            port=1,
            username="u",
            password=b"",
            senders=[],
            state_since=NOW,
            poll_at=NOW,
            created_at=NOW,
        ),
        Folder(id=1, mailbox_id=1),
        Rule(id=90, name="any", position=9, created_at=NOW),
        RuleVersion(
            id=90,
            rule_id=90,
            number=1,
            name="any",
            definition={},
            endpoint_ids=[90],
            created_at=NOW,
            created_by="ada",
        ),
        Endpoint(
            id=90,
            name="receiver",
            url="https://receiver.example",
            secret=b"",
            schedule=[],
            created_at=NOW,
        ),
        Message(
            id=1,
            mailbox_id=1,
            folder_id=1,
            uidvalidity=1,
            uid=1,
            size=1,
            internal_at=NOW,
            stored_at=NOW,
            state=MessageState.DECIDED,
            expected_deliveries=1,
        ),
    )


def delivery(state: DeliveryState, **more: Any) -> Delivery:  # noqa: ANN401 - any column
    values: dict[str, Any] = {
        "id": 1,
        "webhook_id": "w1",
        "reason": {"code": "rule_sends", "facts": {}},
    } | more
    return Delivery(
        message_id=1,
        rule_id=90,
        rule_version_id=90,
        endpoint_id=90,
        state=state,
        facts={},
        due_at=NOW,
        created_at=NOW,
        **values,
    )


def attempt() -> Attempt:
    return Attempt(delivery_id=1, endpoint_id=90, generation=1, number=1, owner="o", started_at=NOW)


async def test_an_empty_ledger_keeps_them(site: Site) -> None:
    async with site.signed_in() as browser:
        assert (await browser.get("/api/invariants")).json() == {"I1": 0, "I2": 0, "I3": 0}


async def test_a_uid_without_a_row_breaks_the_first(database: Database) -> None:
    await add(
        database,
        Mailbox(
            id=1,
            name="ops",
            host="h",
            port=1,
            username="u",
            password=b"",
            senders=[],
            state_since=NOW,
            poll_at=NOW,
            created_at=NOW,
        ),
    )
    await add(database, Folder(mailbox_id=1, missing=3), Folder(mailbox_id=1, name="Other", missing=4))
    assert await counts(database) == [7, 0, 0]


async def test_a_decided_mail_without_its_delivery_breaks_the_second(database: Database) -> None:
    await ledger(database)
    assert await counts(database) == [0, 1, 0]
    await add(database, delivery(DeliveryState.PENDING))
    assert await counts(database) == [0, 0, 0]
    await add(database, delivery(DeliveryState.PENDING, id=2, webhook_id="w2", occurrence=1))  # a replay
    assert await counts(database) == [0, 0, 0]


async def test_a_delivery_that_left_without_an_attempt_breaks_the_third(database: Database) -> None:
    await ledger(database)
    await add(database, delivery(DeliveryState.SENT))
    assert await counts(database) == [0, 0, 1]
    await add(database, attempt())
    assert await counts(database) == [0, 0, 0]


async def test_a_delivery_kept_back_without_a_reason_breaks_the_third(database: Database) -> None:
    await ledger(database)
    await add(database, delivery(DeliveryState.DROPPED, reason={}))
    assert await counts(database) == [0, 0, 1]


async def test_a_delivery_kept_back_for_a_reason_keeps_them(database: Database) -> None:
    await ledger(database)
    await add(database, delivery(DeliveryState.HELD))
    assert await counts(database) == [0, 0, 0]
