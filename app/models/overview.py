"""What the overview shows: what is stuck, who is at work, what happened."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from sqlalchemy import ColumnElement, ScalarSelect
from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import history
from app.models.delivery import Delivery, DeliveryState
from app.models.endpoint import Endpoint, EndpointState
from app.models.held import by_receiver
from app.models.history import DeliveryFilter, DeliveryRow, MessageFilter, MessageRow
from app.models.log_event import LogEvent
from app.models.mailbox import Mailbox
from app.models.message import Message, MessageState
from app.models.notice import Board
from app.models.process import Process, ProcessState
from app.models.rule import Rule
from app.models.run import POLL, Run
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


@dataclass(frozen=True, slots=True)
class ParkedRow:
    endpoint: Endpoint
    waiting: int  # for it to be taken up again
    held: int  # because of it, until somebody puts them back in the line


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    setting: Setting
    messages: list[MessageRow]
    deliveries: list[DeliveryRow]
    quarantined: list[Message]
    stuck: list[DeliveryRow]
    parked: list[ParkedRow]
    mailboxes: list[MailboxRow]
    processes: list[ProcessRow]
    events: list[LogEvent]
    endpoints: list[Endpoint]
    board: Board
    leads_to: list[str]  # the receivers of one's own to which webhooks go

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
        leads_to=await _leads_to(db),
        messages=(await history.messages(db, MessageFilter(), limit=LATEST)).rows,
        deliveries=(await history.deliveries(db, DeliveryFilter(), now, limit=LATEST)).rows,
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
    return await history.stuck(db, or_(failed, waiting & col(Delivery.needs_attention)), now, limit=STUCK)


async def _leads_to(db: AsyncSession) -> list[str]:
    """Name the receivers of one's own that an active rule, or the mirror, sends to."""
    setting = await Setting.load(db)
    chosen = {setting.mirror_id} if setting.mirror_media and setting.mirror_id else set()
    for rule, version in await Rule.listed(db):
        chosen |= set(version.endpoint_ids) if rule.active else set()
    own = (Endpoint.is_own(), col(Endpoint.id).in_(chosen))
    query = select(Endpoint.name).where(*own).order_by(Endpoint.name)
    return list((await db.exec(query)).all())


async def _parked(db: AsyncSession) -> list[ParkedRow]:
    def number(*which: ColumnElement[bool]) -> ScalarSelect[int]:
        its_own = select(func.count()).select_from(Delivery).where(Delivery.endpoint_id == Endpoint.id)
        return its_own.where(*which).scalar_subquery()

    query = select(
        Endpoint,
        number(Delivery.is_now(DeliveryState.PENDING)),
        number(Delivery.is_now(DeliveryState.HELD), by_receiver()),
    ).where(Endpoint.state == EndpointState.PARKED)
    return [ParkedRow(*row) for row in (await db.exec(query)).all()]


async def _mailboxes(db: AsyncSession) -> list[MailboxRow]:
    mailboxes = (await db.exec(select(Mailbox).order_by(col(Mailbox.id)))).all()
    newest = select(func.max(Run.id)).where(Run.kind == POLL).group_by(col(Run.mailbox_id))
    runs = {run.mailbox_id: run for run in (await db.exec(select(Run).where(col(Run.id).in_(newest)))).all()}
    return [MailboxRow(box, box.state if box.active else "inactive", runs.get(box.id)) for box in mailboxes]


async def _processes(db: AsyncSession, now: datetime) -> list[ProcessRow]:
    found = (await db.exec(select(Process).order_by(col(Process.role), col(Process.started_at).desc()))).all()
    return [ProcessRow(process, _state(process, now)) for process in found]


def _state(process: Process, now: datetime) -> str:
    silent = process.state is ProcessState.READY and process.beat_at < now - SILENCE
    return "silent" if silent else process.state.value
