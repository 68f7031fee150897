"""A trial: a draft judges the mail of the last days beside the live rules, and nothing else happens."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, delete, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.events import Event
from app.integrations.errors import IntegrationError
from app.jobs.compare import compare, told
from app.jobs.context import Context
from app.jobs.draft import draft_of, moment_of, settings_of_trials
from app.jobs.letter import Letter, kept_mails, letter_of
from app.jobs.marks import LIVE
from app.jobs.progress import Progress
from app.jobs.rehearse import rules_with
from app.models import Change, Delivery, GroupMark, Message, Raw, Run, RunState, TrialResult, rulebook
from app.models.mirror import is_no_copy
from app.models.trial import COUNTED, KIND, UNREAD
from app.rules.group import GroupKey, month_of
from app.rules.settings import Settings
from app.rules.side import Side

AT_ONCE = 50  # mails that are read together, and whose results are written in one commit
BYTES = 4 * 1024 * 1024  # of mail that are read together
AT_MOST = 0.4  # seconds that results wait to be written
KEPT = 20  # trials
ROWS = 500  # that are deleted in one commit

Letters = AsyncIterator[tuple[int, Letter | None]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    run_id: int
    live: Side
    draft: Side
    sizes: dict[int, int]  # of the mails, by their ids, in the order in which they came
    endpoints: dict[int, str]
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(COUNTED, 0)))

    @property
    def done(self) -> int:
        return self.counts.total()


async def next_trial(context: Context) -> bool:
    """Run the trial that has waited longest; False when none waits."""
    waiting = select(Run).where(Run.kind == KIND, Run.state == RunState.QUEUED).order_by(col(Run.id)).limit(1)
    async with context.database.reading() as db:
        run = (await db.exec(waiting)).first()
    if run is None or run.id is None:
        return False
    progress = Progress(context, run.id)
    if await progress.begin():
        try:
            await progress.end(await _run(context, run, run.id))
        except asyncio.CancelledError:  # this process ends; the next one begins the trial again
            await progress.leave()
            raise
    return True


async def _run(context: Context, run: Run, run_id: int) -> RunState:
    await _make_room(context, run_id)
    trial = await _prepare(context, run, run_id)
    log.info("trial begun", run=run_id, mails=len(trial.sizes))
    letters = _letters(context, trial)
    cancelled = await _write(context, trial, [])
    while trial.done < len(trial.sizes) and not cancelled:
        cancelled = await _write(context, trial, await _judge_some(trial, letters))
    log.info("trial ended", run=run_id, cancelled=cancelled, **trial.counts)
    return RunState.CANCELLED if cancelled else RunState.DONE


async def _make_room(context: Context, run_id: int) -> None:
    """Forget what an earlier start of this trial found, and the trials that are too old to be kept."""
    await _forget(context, col(TrialResult.run_id) == run_id)
    trials = select(Run.id).where(Run.kind == KIND, col(Run.ended_at).is_not(None))
    async with context.database.reading() as db:
        old = (await db.exec(trials.order_by(col(Run.id).desc()).offset(KEPT - 1))).all()
    await _forget(context, col(TrialResult.run_id).in_(old))
    if old:
        async with context.database.transaction() as db:
            await db.exec(delete(Run).where(col(Run.id).in_(old)))


async def _forget(context: Context, which: ColumnElement[bool]) -> None:
    """Delete results a few at a time, so that no mail waits for the database."""
    some = select(TrialResult.id).where(which).limit(ROWS)
    gone = ROWS
    while gone == ROWS:
        async with context.database.transaction() as db:
            gone = (await db.exec(delete(TrialResult).where(col(TrialResult.id).in_(some)))).rowcount


async def _prepare(context: Context, run: Run, run_id: int) -> _Trial:
    draft, start = draft_of(run), run.created_at - timedelta(days=run.details["days"])
    mails = (
        select(Message.id, Message.size)
        .join(Raw, col(Raw.message_id) == Message.id)
        .where(
            col(Message.stored_at) >= start,
            or_(col(Message.duplicate_of).is_(None), col(Message.insisted)),
        )
        .order_by(col(Message.id))
    )
    async with context.database.reading() as db:
        settings = await settings_of_trials(db)
        earlier = await _marks_at(db, start, settings)
        return _Trial(
            run_id=run_id,
            live=Side(await rules_with(db, None), settings, earlier),
            draft=Side(await rules_with(db, draft), settings, earlier),
            sizes=dict((await db.exec(mails)).all()),  # type: ignore[arg-type]
            endpoints=await rulebook.receiver_names(db, deleted=True),
        )


async def _marks_at(db: AsyncSession, start: datetime, settings: Settings) -> dict[GroupKey, int]:
    """Give the marks that stood when these days began, as far as a mail of these days may meet them."""
    first = select(func.min(Message.internal_at)).where(col(Message.stored_at) >= start)
    arrived = (await db.exec(first)).one() or start
    alive = select(Delivery.id).where(
        col(Delivery.message_id) == col(GroupMark.message_id),
        col(Delivery.rule_id) == col(GroupMark.rule_id),
        col(Delivery.state).in_(LIVE),
        is_no_copy(),
    )
    query = select(GroupMark).where(
        col(GroupMark.marked_at) < start,
        or_(
            col(GroupMark.expires_at) > start,
            and_(col(GroupMark.expires_at).is_(None), col(GroupMark.scope) >= month_of(arrived, settings)),
        ),
        alive.exists(),
    )
    return {_key_of(mark): mark.message_id for mark in (await db.exec(query)).all()}


def _key_of(mark: GroupMark) -> GroupKey:
    return GroupKey(rule_id=mark.rule_id, scope=mark.scope, group=mark.name, expires_at=mark.expires_at)


async def _letters(context: Context, trial: _Trial) -> Letters:
    """Give the mails one after the other; None for one that cannot be read."""
    for ids in _bundles(trial.sizes):
        kept = await kept_mails(context.database, ids)
        for message_id in ids:
            try:
                letter = await letter_of(kept[message_id], context.parser) if message_id in kept else None
            except IntegrationError:
                letter = None
            yield message_id, letter


def _bundles(sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Give the mails in bundles that are few enough, and small enough together."""
    bundle: list[int] = []
    room = BYTES
    for message_id, size in sizes.items():
        if bundle and (len(bundle) == AT_ONCE or size > room):
            yield bundle
            bundle, room = [], BYTES
        bundle.append(message_id)
        room -= size
    if bundle:
        yield bundle


async def _judge_some(trial: _Trial, letters: Letters) -> list[TrialResult]:
    clock = asyncio.get_running_loop().time
    results, end, left = [], clock() + AT_MOST, AT_ONCE
    while left and trial.done < len(trial.sizes) and clock() < end:
        message_id, letter = await anext(letters)
        result = await _judge(trial, message_id, letter)
        results += [result] if result else []
        left -= 1
    return results


async def _judge(trial: _Trial, message_id: int, letter: Letter | None) -> TrialResult | None:
    """Judge a mail twice; before each time everything else has its turn."""
    if letter is None:
        trial.counts[UNREAD] += 1
        return None
    now = moment_of(letter.message)
    await asyncio.sleep(0)
    live = trial.live.judge(letter.mail, message_id, now, insisted=letter.message.insisted)
    await asyncio.sleep(0)
    draft = trial.draft.judge(letter.mail, message_id, now, insisted=letter.message.insisted)
    change = compare(live.judgement, trial.live.rules, draft.judgement, trial.draft.rules)
    trial.counts[change] += 1
    if change is Change.UNCHANGED:
        return None
    return TrialResult(
        run_id=trial.run_id,
        message_id=message_id,
        change=change,
        live=told(live, trial.live.rules, trial.endpoints),
        draft=told(draft, trial.draft.rules, trial.endpoints),
    )


async def _write(context: Context, trial: _Trial, results: Sequence[TrialResult]) -> bool:
    """Write what was found since the last time; True when the trial is to end."""
    async with context.database.transaction() as db:
        run = await db.get(Run, trial.run_id)
        if run is None or run.owner != context.owner or run.state is not RunState.RUNNING:
            return True
        run.total, run.done = len(trial.sizes), trial.done
        run.details = {**run.details, "counts": dict(trial.counts)}
        db.add_all(results)
        cancelled = run.cancelled
    await context.queue.publish(Event.RUN_CHANGED)
    return cancelled
