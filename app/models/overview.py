"""What the overview shows: what is stuck, who is at work, what happened."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import history
from app.models.delivery import Delivery, DeliveryState
from app.models.endpoint import Endpoint, EndpointState
from app.models.history import DeliveryFilter, DeliveryRow, MessageFilter, MessageRow
from app.models.log_event import LogEvent
from app.models.mailbox import Mailbox
from app.models.message import Message, MessageState
from app.models.notice import Board
from app.models.process import Process, ProcessState
from app.models.run import Run
from app.models.setting import Setting
from app.models.standing import RECENT, SILENCE

LATEST = 8
STUCK = 10
EVENTS = 10


@dataclass(frozen=True, slots=True)
class ProcessRow:
    process: Process
    state: str


@dataclass(frozen=True, slots=True)
class MailboxRow:
    mailbox: Mailbox
    state: str
    run: Run | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    setting: Setting
    messages: list[MessageRow]
    deliveries: list[DeliveryRow]
    quarantined: list[Message]
    stuck: list[DeliveryRow]
    parked: list[tuple[Endpoint, int]]
    mailboxes: list[MailboxRow]
    processes: list[ProcessRow]
    events: list[LogEvent]
    endpoints: list[Endpoint]
    board: Board

    @property
    def demo_receiver(self) -> str:
        """The page on which the demo's receiver shows what it got."""
        return next((urljoin(endpoint.url, "/") for endpoint in self.endpoints if endpoint.demo), "")

    @property
    def wants_no_verification(self) -> list[str]:
        kept = (endpoint for endpoint in self.endpoints if endpoint.state is not EndpointState.DELETED)
        return [endpoint.name for endpoint in kept if not endpoint.verify_tls]

    @property
    def own_mailbox(self) -> bool:
        return any(not row.mailbox.demo for row in self.mailboxes)


async def overview(db: AsyncSession, now: datetime) -> Overview:
    return Overview(
        setting=await Setting.load(db),
        board=await Board.load(db),
        messages=(await history.messages(db, MessageFilter(), limit=LATEST)).rows,
        deliveries=(await history.deliveries(db, DeliveryFilter(), limit=LATEST)).rows,
        quarantined=await _quarantined(db, now),
        stuck=await _stuck(db, now),
        parked=await _parked(db),
        mailboxes=await _mailboxes(db),
        processes=await _processes(db, now),
        endpoints=list((await db.exec(select(Endpoint).order_by(col(Endpoint.id)))).all()),
        events=list((await db.exec(select(LogEvent).order_by(col(LogEvent.id).desc()).limit(EVENTS))).all()),
    )


async def _quarantined(db: AsyncSession, now: datetime) -> list[Message]:
    query = (
        select(Message)
        .where(Message.state == MessageState.QUARANTINED, col(Message.stored_at) >= now - RECENT)
        .order_by(col(Message.id).desc())
        .limit(STUCK)
    )
    return list((await db.exec(query)).all())


async def _stuck(db: AsyncSession, now: datetime) -> list[DeliveryRow]:
    """Give what failed for good, what is held until it is seen to, and what a receiver goes on refusing."""
    failed = (col(Delivery.state) == DeliveryState.FAILED) & (col(Delivery.finished_at) >= now - RECENT)
    waiting = col(Delivery.state).in_([DeliveryState.HELD, DeliveryState.PENDING])
    return await history.stuck(db, or_(failed, waiting & col(Delivery.needs_attention)), limit=STUCK)


async def _parked(db: AsyncSession) -> list[tuple[Endpoint, int]]:
    held = (
        select(func.count())
        .select_from(Delivery)
        .where(Delivery.endpoint_id == Endpoint.id, Delivery.state == DeliveryState.HELD)
        .scalar_subquery()
    )
    return list((await db.exec(select(Endpoint, held).where(Endpoint.state == EndpointState.PARKED))).all())


async def _mailboxes(db: AsyncSession) -> list[MailboxRow]:
    mailboxes = (await db.exec(select(Mailbox).order_by(col(Mailbox.id)))).all()
    newest = select(func.max(Run.id)).where(Run.kind == "poll").group_by(col(Run.mailbox_id))
    runs = {run.mailbox_id: run for run in (await db.exec(select(Run).where(col(Run.id).in_(newest)))).all()}
    return [MailboxRow(box, box.state if box.active else "inactive", runs.get(box.id)) for box in mailboxes]


async def _processes(db: AsyncSession, now: datetime) -> list[ProcessRow]:
    found = (await db.exec(select(Process).order_by(col(Process.role), col(Process.started_at).desc()))).all()
    return [ProcessRow(process, _state(process, now)) for process in found]


def _state(process: Process, now: datetime) -> str:
    silent = process.state is ProcessState.READY and process.beat_at < now - SILENCE
    return "silent" if silent else process.state.value
