"""Is all well? The one sentence of the status strip, the worst news first."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlmodel import and_, col, func, not_, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.database import storage_trouble
from app.models.decision import Decision
from app.models.delivery import UNFINISHED, Delivery, DeliveryState
from app.models.endpoint import Endpoint, EndpointState
from app.models.mailbox import Mailbox, MailboxState
from app.models.message import Message, MessageState
from app.models.process import Process, ProcessState
from app.models.run import POLL, Run, RunState
from app.models.setting import Sending, Setting
from app.models.switch import Switch, switch

SILENCE = timedelta(seconds=20)  # a process beats every five seconds
RECENT = timedelta(days=7)  # what failed longer ago is history, not news
SHOWN = timedelta(seconds=20)  # how long the strip tells how a poll ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    arrived: int
    verdicts: list[tuple[str, int]]  # what became of them, the commonest first
    sent: int
    held: int
    release_at: datetime | None  # when the next of them goes by itself
    dropping: int  # of them, unless somebody releases them
    drops_at: datetime | None  # the first of these
    waiting: int  # pending and sending
    failed: int
    quarantined: int
    refused: int  # being tried again although the receiver refuses
    blocked: int  # held until somebody sees to it
    owed: int  # mails that a rule without receiver took

    @property
    def kept(self) -> int:
        """Say how much stands on the Held page: deliveries, and mails without receiver."""
        return self.held + self.owed

    @property
    def staying(self) -> int:
        """Say how many are held and not about to be dropped."""
        return self.held - self.dropping

    @property
    def stuck(self) -> int:
        return self.failed + self.quarantined + self.blocked


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`word` names the sentence in standing.html; the rest are its facts."""

    word: str
    tone: str  # good, wait, bad, or none where there is nothing to tell
    counts: Counts
    mailboxes: int
    runs: list[tuple[Run, str]]  # with their mailboxes
    switch: Switch
    mailbox: Mailbox | None = None
    endpoint: str = ""
    since: datetime | None = None
    next_at: datetime | None = None

    @property
    def polling(self) -> bool:
        return any(run.ended_at is None for run, _ in self.runs)


async def standing(db: AsyncSession, now: datetime) -> Standing:
    setting = await Setting.load(db)
    counts = await count(db, day_start(setting, now), now)
    turned = await switch(db, setting, left=counts.waiting, now=now)
    mailboxes = list((await db.exec(select(Mailbox).where(Mailbox.active).order_by(col(Mailbox.id)))).all())
    worst = (
        _storage_trouble(db)
        or await _worker_trouble(db, now)
        or _mailbox_trouble(mailboxes)
        or _pause(turned)
        or await _delivery_trouble(db, turned, counts)
        or {"word": "well", "tone": "good", "next_at": counts.release_at}
    )
    return Standing(
        counts=counts,
        mailboxes=len(mailboxes),
        runs=await recent_runs(db, now),
        switch=turned,
        **worst,  # type: ignore[arg-type]
    )


def day_start(setting: Setting, now: datetime) -> datetime:
    """Give the midnight with which the operator's day began."""
    return datetime.combine(now.astimezone(setting.tz).date(), time.min, setting.tz)


async def count(db: AsyncSession, start: datetime, now: datetime) -> Counts:
    verdicts = await _verdicts(db, start)
    states = await _states(db)
    dropping, drops_at = await _dropping(db)
    week = now - RECENT
    return Counts(
        arrived=sum(verdicts.values()),
        verdicts=sorted(verdicts.items(), key=lambda pair: -pair[1]),
        sent=await _number(db, Delivery.state == DeliveryState.SENT, col(Delivery.finished_at) >= start),
        held=states.get(DeliveryState.HELD, 0),
        release_at=await _next_release(db),
        dropping=dropping,
        drops_at=drops_at,
        waiting=states.get(DeliveryState.PENDING, 0) + states.get(DeliveryState.SENDING, 0),
        failed=await _number(db, Delivery.state == DeliveryState.FAILED, col(Delivery.finished_at) >= week),
        quarantined=await _quarantined(db, week),
        refused=await _number(db, Delivery.state == DeliveryState.PENDING, col(Delivery.needs_attention)),
        blocked=await _number(db, Delivery.is_now(DeliveryState.HELD), col(Delivery.needs_attention)),
        owed=await _owed(db),
    )


async def recent_runs(db: AsyncSession, now: datetime) -> list[tuple[Run, str]]:
    """Give the polls under way, and those that ended a moment ago."""
    query = (
        select(Run, Mailbox.name)
        .join(Mailbox, col(Mailbox.id) == Run.mailbox_id)
        .where(
            Run.kind == POLL,
            or_(col(Run.state).in_([RunState.QUEUED, RunState.RUNNING]), col(Run.ended_at) >= now - SHOWN),
        )
        .order_by(col(Run.id).desc())
        .limit(3)
    )
    return list((await db.exec(query)).all())


def _storage_trouble(db: AsyncSession) -> dict[str, object] | None:
    """Without a place to write to nobody can even say that he lives, so this comes before all others."""
    trouble = storage_trouble(db)
    return {"word": f"database_{trouble}", "tone": "bad"} if trouble else None


async def _worker_trouble(db: AsyncSession, now: datetime) -> dict[str, object] | None:
    query = select(Process).where(Process.role == "worker").order_by(col(Process.beat_at).desc())
    workers = (await db.exec(query)).all()
    if not workers:
        return {"word": "no_worker", "tone": "none"}
    alive = [one for one in workers if one.state is ProcessState.READY and one.beat_at >= now - SILENCE]
    if not alive:
        return {"word": "worker_silent", "tone": "bad", "since": workers[0].beat_at}
    return None


def _mailbox_trouble(mailboxes: list[Mailbox]) -> dict[str, object] | None:
    if not mailboxes:
        return {"word": "no_mailbox", "tone": "none"}
    for state, word in ((MailboxState.REFUSED, "mailbox_refused"), (MailboxState.FAILING, "mailbox_failing")):
        for mailbox in mailboxes:
            if mailbox.state is state:
                facts = {"mailbox": mailbox, "since": mailbox.state_since, "next_at": mailbox.poll_at}
                return {"word": word, "tone": "bad"} | facts
    return None


def _pause(turned: Switch) -> dict[str, object] | None:
    """Nothing that is stuck can be helped while nothing may leave, so this comes first."""
    return None if turned.sending is Sending.ON else {"word": turned.word, "tone": "wait"}


async def _delivery_trouble(db: AsyncSession, turned: Switch, counts: Counts) -> dict[str, object] | None:
    if counts.stuck:
        return {"word": "stuck", "tone": "bad"}
    parks = select(Endpoint.name).where(Endpoint.state == EndpointState.PARKED).limit(1)
    parked = (await db.exec(parks)).first()
    if parked is not None:
        return {"word": "endpoint_parked", "tone": "wait", "endpoint": parked}
    if turned.word == "resuming":
        return {"word": "resuming", "tone": "busy"}
    if counts.refused:
        return {"word": "refusals", "tone": "wait"}
    if counts.owed:
        return {"word": "owed", "tone": "wait"}
    ready = select(Process.owner).where(Process.state == ProcessState.READY)
    deaf = ready.where(col(Process.queue_ok).is_(False)).limit(1)
    return {"word": "queue_away", "tone": "wait"} if (await db.exec(deaf)).first() else None


async def _verdicts(db: AsyncSession, start: datetime) -> dict[str, int]:
    query = (
        select(Message.state, Message.verdict, func.count())
        .where(col(Message.stored_at) >= start)
        .group_by(col(Message.state), col(Message.verdict))
    )
    found: dict[str, int] = {}
    for state, verdict, number in (await db.exec(query)).all():
        word = str(verdict if verdict and state == MessageState.DECIDED else state)
        found[word] = found.get(word, 0) + number
    return found


async def _states(db: AsyncSession) -> dict[str, int]:
    query = select(Delivery.state, func.count()).where(col(Delivery.state).in_(UNFINISHED))
    return dict((await db.exec(query.group_by(col(Delivery.state)))).all())


async def _next_release(db: AsyncSession) -> datetime | None:
    leaving = and_(Delivery.is_now(DeliveryState.HELD), not_(Delivery.is_dropping()))
    return (await db.exec(select(func.min(Delivery.release_at)).where(leaving))).one()


async def _dropping(db: AsyncSession) -> tuple[int, datetime | None]:
    query = select(func.count(), func.min(Delivery.expires_at)).where(Delivery.is_dropping())
    return (await db.exec(query)).one()


async def _quarantined(db: AsyncSession, since: datetime) -> int:
    query = select(func.count()).where(
        Message.state == MessageState.QUARANTINED, col(Message.stored_at) >= since
    )
    return (await db.exec(query)).one()


async def _owed(db: AsyncSession) -> int:
    mails = select(func.count(func.distinct(Decision.message_id))).where(Decision.owed())
    return (await db.exec(mails)).one()


async def _number(db: AsyncSession, *conditions: object) -> int:
    return (await db.exec(select(func.count()).select_from(Delivery).where(*conditions))).one()  # type: ignore[arg-type]
