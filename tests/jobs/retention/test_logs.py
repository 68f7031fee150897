"""Logs go, the clean-up keeps its own, and it disturbs nobody."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import GenerativeSelect

from app.jobs.context import Context
from app.jobs.retention import CLEANED, EVERY, CleanUp, clean
from app.models import (
    Attempt,
    Database,
    Delivery,
    DeliveryState,
    Effect,
    EffectKind,
    EndpointTest,
    LogEvent,
    Notice,
    NoticeKind,
    Run,
    RunState,
    Session,
    SignInToken,
    Size,
)
from app.models.retention import old_attempts, old_bodies, old_sources
from app.rules.retention import Kind
from tests.jobs.retention.ledger import NOW, OLD, YOUNG, a_sent_mail, rows, sources
from tests.views.cast import (
    Cast,
    a_message,
)


def _poll(cast: Cast, at: datetime, box: int = 0, **given: Any) -> Run:  # noqa: ANN401 - columns
    ended = {"mailbox_id": cast.mailboxes[box].id, "state": RunState.DONE, "ended_at": at}
    return Run(requested_by="ada", created_at=at, **ended | given)


def _notice(at: datetime, **given: Any) -> Notice:  # noqa: ANN401 - columns
    kind = NoticeKind.MAILBOX_FAILING
    return Notice(kind=kind, subject="missions", reason={"code": "timed_out", "facts": {}}, at=at, **given)


def _later(context: Context, days: int) -> Context:
    return replace(context, now=lambda: NOW + timedelta(days=days))


async def test_old_logs_go_and_the_latest_of_each_kind_stays(context: Context, cast: Cast) -> None:
    async with context.database.transaction() as db:
        events = [LogEvent(at=OLD, event=event) for event in ("paused", "paused", "rule saved")]
        polls = [_poll(cast, OLD), _poll(cast, OLD), _poll(cast, OLD, 1), _poll(cast, NOW, 1)]
        waiting = _poll(cast, OLD, state=RunState.QUEUED, ended_at=None)
        trial = _poll(cast, OLD, kind="trial")
        notices = [
            _notice(OLD, seen_at=OLD, mailed_at=OLD),
            _notice(OLD, seen_at=OLD),
            _notice(OLD, mailed_at=OLD),
        ]
        effects = [
            Effect(kind=EffectKind.SEEN, reference=name, payload={}, due_at=OLD, done_at=done)
            for name, done in (("done", OLD), ("open", None), ("fresh", NOW))
        ]
        for one in (*events, *polls, waiting, trial, *notices, *effects):
            db.add(one)
            await db.flush()
    assert (await clean(context, pause=0))[Kind.LOGS] == 1 + 3 + 1 + 1
    left = [event.id for event in await rows(context, LogEvent) if event.event != CLEANED]
    assert left == [events[1].id, events[2].id]
    # of the first mailbox the one that has not begun is the latest
    assert {run.id for run in await rows(context, Run)} == {polls[3].id, waiting.id, trial.id}
    assert {notice.id for notice in await rows(context, Notice)} == {notices[1].id, notices[2].id}
    assert {effect.reference for effect in await rows(context, Effect)} == {"open", "fresh"}


async def test_links_and_sessions_that_ended_go(context: Context) -> None:
    async with context.database.transaction() as db:
        for name, end in (("old", OLD), ("fresh", NOW)):
            db.add(SignInToken(token_hash=name, username="ada", created_at=OLD, expires_at=end))
            db.add(Session(token_hash=name, username="ada", created_at=OLD, seen_at=OLD, expires_at=end))
        db.add(SignInToken(token_hash="for ever", username="ada", created_at=OLD))
    await clean(context, pause=0)
    assert {token.token_hash for token in await rows(context, SignInToken)} == {"fresh", "for ever"}
    assert [session.token_hash for session in await rows(context, Session)] == ["fresh"]


async def test_old_tests_of_a_receiver_go(context: Context, cast: Cast) -> None:
    async with context.database.transaction() as db:
        for name, end in (("old", OLD), ("young", YOUNG), ("open", None)):
            one = cast.endpoints[0].id or 0
            db.add(
                EndpointTest(
                    endpoint_id=one, webhook_id=name, requested_by="ada", requested_at=OLD, ended_at=end
                )
            )
    await clean(context, pause=0)
    assert {test.webhook_id for test in await rows(context, EndpointTest)} == {"young", "open"}


async def test_a_day_has_one_line_and_one_size(context: Context, cast: Cast) -> None:
    for _ in range(2):
        async with context.database.transaction() as db:
            await a_message(db, cast, "old", at=OLD)
        await clean(context, pause=0)
    (event,) = await rows(context, LogEvent)
    assert (event.event, event.facts["sources"], event.facts["count"]) == (CLEANED, 2, 2)
    (size,) = await rows(context, Size)
    assert size.day == NOW.date()
    assert size.size > 100_000
    async with context.database.transaction() as db:
        await a_message(db, cast, "old", at=OLD)
    await clean(_later(context, 1), pause=0)
    assert len(await rows(context, Size)) == len(await rows(context, LogEvent)) == 2


async def test_a_clock_that_runs_ahead_for_a_moment_empties_nothing(context: Context, cast: Cast) -> None:
    async with context.database.transaction() as db:
        young = await a_sent_mail(db, cast, YOUNG)
    await clean(context, pause=0)
    for days in (3650, 1):
        await clean(_later(context, days), pause=0)
    assert await sources(context) == {young.message_id}
    assert [row.body for row in await rows(context, Delivery)] == [young.body]
    assert len(await rows(context, Attempt)) == 1


async def test_after_a_long_time_off_it_cleans_up_a_day_later(context: Context, cast: Cast) -> None:
    async with context.database.transaction() as db:
        await a_sent_mail(db, cast, YOUNG)
    removed = [await clean(_later(context, days), pause=0) for days in (0, 30, 30, 31)]
    assert [one[Kind.SOURCES] for one in removed] == [0, 0, 0, 1]


async def test_it_runs_now_and_then(context: Context, cast: Cast) -> None:
    moments = [NOW, NOW + EVERY / 2, NOW + EVERY, NOW - EVERY]
    left = []
    now = [NOW]
    clean_up = CleanUp(replace(context, now=lambda: now[0]))
    for moment in moments:
        async with context.database.transaction() as db:
            await a_message(db, cast, "old", at=OLD - timedelta(days=1))
        now[0] = moment
        await clean_up.when_due()
        left.append(len(await sources(context)))
    assert left == [0, 1, 0, 0]  # a clock that was set back keeps nobody from it


async def test_the_clean_up_looks_at_no_young_row(database: Database) -> None:
    """Most of the time there is nothing to do: that must not read what is kept (SQLite tells its plan)."""
    plans = await _plans(database)
    assert plans
    assert not [step for step in plans if step.startswith("SCAN")]


async def _plans(database: Database) -> Sequence[str]:
    state = DeliveryState.SENT
    queries: list[GenerativeSelect] = [old_sources(OLD, after=1)]
    queries += [old_bodies(state, OLD, OLD), old_attempts(state, OLD, OLD)]
    async with database.reading() as db:
        connection = await db.connection()
        bound: dict[str, Any] = {"dialect": connection.dialect, "compile_kwargs": {"literal_binds": True}}
        plans = [f"EXPLAIN QUERY PLAN {query.limit(1).compile(**bound)}" for query in queries]
        return [step for plan in plans for step in (await connection.exec_driver_sql(plan)).scalars(3)]
