"""A believable day, as rows: mails of every kind, deliveries in every state."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import (
    Database,
    DeliveryState,
    Link,
    LogEvent,
    Message,
    MessageState,
    Process,
)
from app.rules.verdict import Verdict
from tests.views.cast import (
    SENDS,
    Cast,
    a_decision,
    a_delivery,
    a_message,
    add_surroundings,
    an_attempt,
    reason,
    step,
)
from tests.views.ignored import add_ignored, add_unread


async def seed(database: Database, now: datetime) -> Cast:
    """Fill a migrated, prepared database with a day's work."""
    cast = Cast(now)
    async with database.transaction() as db:
        await add_surroundings(db, cast)
        await _add_mails(db, cast)
        _add_worker(db, cast)
    return cast


async def _add_mails(db: AsyncSession, cast: Cast) -> None:
    mails, deliveries = cast.messages, cast.deliveries
    for number in range(27, 33):
        old = await a_message(
            db, cast, f"Média Solution – Missions Recadrage – Lot {number}", at=cast.ago(days=33 - number)
        )
        await an_attempt(db, await a_delivery(db, cast, old))
    mails["late"] = await a_message(
        db,
        cast,
        "Média Solution – Missions Recadrage – Lot 33",
        at=cast.ago(hours=11),
        verdict=Verdict.IGNORE,
        reason=reason("after_window", opens="09h00", closes="19h00", now="20h12", action="drop"),
    )
    deliveries["dropped"] = await a_delivery(
        db,
        cast,
        mails["late"],
        state=DeliveryState.DROPPED,
        body=None,
        attempts=0,
        reason=mails["late"].reason,
    )
    await add_ignored(db, cast)
    await add_unread(db, cast)
    await _add_held(db, cast)
    await _add_set_aside(db, cast)
    await _add_retried(db, cast)
    mails["matching"] = await a_message(
        db, cast, "Média Solution – Missions Recadrage – Lot 42", at=cast.ago(minutes=3)
    )
    await _explain(db, cast, mails["matching"])
    deliveries["sent"] = await a_delivery(db, cast, mails["matching"])
    await an_attempt(db, deliveries["sent"])


async def _add_held(db: AsyncSession, cast: Cast) -> None:
    mails, deliveries = cast.messages, cast.deliveries
    mails["urgent"] = await a_message(
        db,
        cast,
        "URGENCE – Désabonnement journée – tarifs habituels",
        at=cast.ago(minutes=95),
        verdict=Verdict.HOLD,
        sender="planning@example.com",
        reason=reason(
            "before_window",
            opens="09h00",
            closes="19h00",
            now="08h12",
            action="hold",
            release_at=(cast.now + timedelta(minutes=38)).isoformat(),
        ),
    )
    deliveries["held"] = await a_delivery(
        db,
        cast,
        mails["urgent"],
        rule=1,
        state=DeliveryState.HELD,
        body=None,
        attempts=0,
        finished_at=None,
        reason=mails["urgent"].reason,
        release_at=cast.now + timedelta(minutes=38),
        expires_at=cast.now + timedelta(hours=10),
    )


async def _add_set_aside(db: AsyncSession, cast: Cast) -> None:
    mails = cast.messages
    mails["broken"] = await a_message(
        db,
        cast,
        "Média Solution – Missions Recadrage – Lot 39",
        at=cast.ago(minutes=50),
        parsed=False,
        verdict=None,
        state=MessageState.QUARANTINED,
        reason=reason("parser_killed", tries=3),
        decide_tries=3,
    )
    mails["duplicate"] = await a_message(
        db,
        cast,
        "Média Solution – Missions Recadrage – Lot 32",
        at=cast.ago(minutes=42),
        verdict=Verdict.DUPLICATE,
        reason=reason("group_duplicate", group="lot 32", scope="2026-11", message_id=6),
    )
    mails["refused"] = await a_message(
        db, cast, "Média Solution – Missions Recadrage – Lot 40", at=cast.ago(minutes=31)
    )
    await _add_tries(db, cast)


async def _add_retried(db: AsyncSession, cast: Cast) -> None:
    mails, deliveries = cast.messages, cast.deliveries
    mails["retried"] = await a_message(
        db, cast, "Dépôt de fichiers : maquettes d'automne", at=cast.ago(minutes=12)
    )
    deliveries["pending"] = await a_delivery(
        db,
        cast,
        mails["retried"],
        rule=2,
        endpoint=1,
        state=DeliveryState.PENDING,
        finished_at=None,
        attempts=2,
        due_at=cast.now + timedelta(minutes=40),
        reason=reason("timed_out"),
        may_have_arrived=True,
    )
    for number, outcome in ((1, "connection_lost"), (2, "timed_out")):
        await an_attempt(
            db,
            deliveries["pending"],
            number,
            at=cast.ago(minutes=12 - 5 * (number - 1)),
            outcome=outcome,
            status=None,
            answer=None,
            answer_headers={},
            may_have_arrived=True,
            timings={"dns": 3.0, "connect": 21.4, "tls": 55.0, "send": 1.2, "wait": 29_912.0},
        )


async def _add_tries(db: AsyncSession, cast: Cast) -> None:
    refusal = {"status": 422, "message": "Lot inconnu"}
    failed = await a_delivery(
        db,
        cast,
        cast.messages["refused"],
        state=DeliveryState.FAILED,
        attempts=4,
        needs_attention=True,
        reason=reason("receiver_refused", **refusal),
        finished_at=cast.ago(minutes=1),
    )
    cast.deliveries["failed"] = failed
    for number, minutes in ((1, 31), (2, 30.9), (3, 26), (4, 1)):
        await an_attempt(
            db,
            failed,
            number,
            at=cast.ago(minutes=minutes),
            outcome="receiver_refused",
            status=422,
            answer=b'{"success": false, "message": "Lot inconnu"}',
        )


async def _explain(db: AsyncSession, cast: Cast, message: Message) -> None:
    """Add what the rules said of the mail that matches, and its links."""
    recadrage = [
        step("matched_recadrage", rule="recadrage", delivery_time="18h30", urgent=False, links=1),
        step("group_free", group="lot 42", scope="2026-11"),
        step("no_absence", day="thursday"),
        step("sending_on"),
        step("no_vacation"),
        step("inside_window", opens="09h00", closes="19h00", now="14h27"),
        step("links_found"),
        step("rule_sends", "stopped", endpoints=[1], receivers=1),
    ]
    message.steps = [step("no_reply_prefix"), step("rule_ends_search", "noted", rule="recadrage")]
    db.add(a_decision(cast, message, verdict=Verdict.DELIVER, reason=SENDS, steps=recadrage))
    for position, (url, upload) in enumerate(
        (
            ("https://www.dropbox.com/scl/fo/7k2m9q4x1z/lot-42?dl=0", False),
            ("https://www.dropbox.com/request/q8w3e1r5", True),
        )
    ):
        db.add(
            Link(
                message_id=message.id or 0, position=position, provider="dropbox", raw_url=url, upload=upload
            )
        )


def _add_worker(db: AsyncSession, cast: Cast) -> None:
    db.add(
        Process(
            owner="elsewhere/worker/1/1",
            role="worker",
            machine="elsewhere",
            pid=1,
            started_at=cast.ago(minutes=42),
            beat_at=cast.now,
            restarts=2,
            last_exit="SIGKILL",
        )
    )
    for minutes, level, event, subject, facts in (
        (190, "warning", "mailbox fails", "archives", {"reason": "timed_out", "detail": ""}),
        (186, "info", "mailbox answers again", "archives", {}),
        (43, "warning", "process died", "worker", {}),
        (42, "warning", "process restarted", "worker", {"last_exit": "SIGKILL", "restarts": 2}),
    ):
        db.add(LogEvent(at=cast.ago(minutes=minutes), level=level, event=event, subject=subject, facts=facts))
