"""A worker that may die at any named point and lives again, on one file: what the state machine drives."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from pydantic import SecretStr
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.config import Config, FirstRun
from app.crash import Crash
from app.integrations.network import Gate
from app.integrations.parser import Parser
from app.integrations.webhook import Webhooks
from app.jobs.context import Context
from app.jobs.decide import decide_waiting
from app.jobs.deliver import Deliverer
from app.jobs.ingest import ingest
from app.jobs.owner import machine, started
from app.jobs.poll import TakeIn, poll
from app.jobs.queue import Queue
from app.jobs.seed import new_endpoint, prepare
from app.jobs.sweep import sweep
from app.models import Database, Delivery, DeliveryState, Endpoint, Rule, Setting
from app.models.invariants import broken_invariants
from app.rules.condition import Group
from app.rules.rule import Rule as RuleValue
from app.vault import Vault
from tests.jobs.conftest import Clock, users
from tests.servers import Dovecot, Redis, Sink

KEY = "a key for tests only"
RECEIVERS = 2


class Died(BaseException):
    """In the place of SIGKILL: nobody catches it."""


@dataclass(frozen=True)
class Doom(Crash):
    """Ends this life at one point; from then on it can do nothing."""

    over: asyncio.Event = field(default_factory=asyncio.Event)

    def point(self, name: str) -> None:
        if self.over.is_set() or name == self.at:
            self.over.set()
            raise Died


class Mortal(Database):
    """A database that the dead cannot reach."""

    def __init__(self, url: str, over: asyncio.Event) -> None:
        super().__init__(url)
        self._over = over

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        if self._over.is_set():
            raise Died
        async with super().transaction() as db:
            yield db
            if self._over.is_set():
                raise Died


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What outlives every worker."""

    folder: Path
    schema: Path
    user: str
    clock: Clock
    dovecot: Dovecot
    redis: Redis
    sink: Sink
    take_in: TakeIn = ingest

    @property
    def url(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder / 'signal.db'}"

    def anew(self, number: int) -> Self:
        """A folder, a mailbox and a clock of its own."""
        folder = self.folder / str(number)
        folder.mkdir()
        return replace(self, folder=folder, user=f"user{next(users)}", clock=Clock())

    async def furnish(self) -> None:
        """A mailbox, two receivers, one rule that sends every mail to both."""
        shutil.copy(self.schema, self.folder / "signal.db")
        database, vault, now = Database(self.url), Vault(KEY), self.clock()
        first_run = FirstRun(
            email_address=self.user,
            email_password=SecretStr(self.dovecot.password),
            imap_server=self.dovecot.host,
            imap_port=self.dovecot.port,
            imap_use_ssl=False,
        )
        await prepare(database, first_run, vault, now)
        async with database.transaction() as db:
            for preset in (await db.exec(select(Rule))).all():
                preset.active = False
            names = [f"{self.sink.url}/{number}" for number in range(RECEIVERS)]
            endpoints = [new_endpoint(name, name, vault, now) for name in names]
            for endpoint in endpoints:
                endpoint.schedule, endpoint.timeout = [5.0] * 500, 5
            db.add_all(endpoints)
            await db.flush()
            rule = await Rule.add(db, position=0, now=now)
            ids = tuple(endpoint.id or 0 for endpoint in endpoints)
            value = RuleValue(
                id=rule.id or 0,
                version_id=0,
                name="Everything",
                conditions=Group(),
                links_required=False,
                endpoint_ids=ids,
            )
            rule.save(db, value, by="ada", now=now)
        await database.aclose()


class Lives:
    """One worker after another on the same file; `deaths` counts them."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.deaths = 0

    async def poll(self, *, dies_at: str = "") -> None:
        await self._live(lambda context: poll(context, 1, take_in=self.around.take_in), dies_at)

    async def decide(self, *, dies_at: str = "") -> None:
        async def all_of_them(context: Context) -> None:
            while await decide_waiting(context):
                pass

        await self._live(all_of_them, dies_at)

    async def deliver(self, *, dies_at: str = "") -> None:
        async def due(context: Context) -> None:
            deliverer = Deliverer(context)
            writing = asyncio.create_task(deliverer.write_results())
            await deliverer.claim_due()
            await deliverer.drain()
            writing.cancel()

        await self._live(due, dies_at)

    async def sweep(self) -> None:
        await self._live(sweep)

    async def rows(self) -> Sequence[Delivery]:
        return await self._ask(lambda db: db.exec(select(Delivery).order_by(col(Delivery.id))))

    async def broken(self) -> dict[str, int]:
        database = Database(self.around.url)
        try:
            async with database.reading() as db:
                return await broken_invariants(db)
        finally:
            await database.aclose()

    async def change(self, change: Callable[[Setting, Sequence[Endpoint]], None]) -> None:
        """As a page would."""
        database = Database(self.around.url)
        async with database.transaction() as db:
            setting = await Setting.load(db)
            change(setting, (await db.exec(select(Endpoint))).all())
            setting.revision += 1
        await database.aclose()

    async def send_again(self) -> None:
        """An operator sees to whatever stays."""
        database = Database(self.around.url)
        stays = (DeliveryState.HELD, DeliveryState.FAILED)
        async with database.transaction() as db:
            for one in (await db.exec(select(Delivery).where(col(Delivery.state).in_(stays)))).all():
                one.send_again(self.around.clock(), "ada")
        await database.aclose()

    async def _ask(self, query: Callable[[AsyncSession], Awaitable[object]]) -> Sequence[Delivery]:
        database = Database(self.around.url)
        try:
            async with database.reading() as db:
                return list((await query(db)).all())  # type: ignore[attr-defined]
        finally:
            await database.aclose()

    async def _live(self, work: Callable[[Context], Awaitable[object]], dies_at: str = "") -> None:
        """Let one worker do one thing, and perhaps die of it; then nothing of it is left but the file."""
        over = asyncio.Event()
        with subprocess.Popen(["sleep", "600"]) as process:  # noqa: ASYNC220 - its number is in the leases
            async with AsyncExitStack() as stack:
                context = await self._context(stack, process.pid, Doom(at=dies_at, over=over))
                doing = asyncio.ensure_future(work(context))
                dying = asyncio.create_task(over.wait())
                await asyncio.wait({doing, dying}, return_when=asyncio.FIRST_COMPLETED)
                everything = asyncio.all_tasks() - {asyncio.current_task()}
                ended = doing.done() and not over.is_set()
                for task in everything:
                    task.cancel()
                await asyncio.gather(*everything, return_exceptions=True)
                if ended:
                    doing.result()
            process.kill()
        self.deaths += over.is_set()

    async def _context(self, stack: AsyncExitStack, pid: int, doom: Doom) -> Context:
        around = self.around
        start = started(pid)
        database, queue = Mortal(around.url, doom.over), Queue(around.redis.url)
        webhooks = Webhooks(Gate(around.sink.address))
        for neighbour in (database, queue, webhooks):
            stack.push_async_callback(neighbour.aclose)
        return Context(
            config=Config(data_dir=around.folder),
            database=database,
            queue=queue,
            vault=Vault(KEY),
            parser=await stack.enter_async_context(Parser()),
            webhooks=webhooks,
            owner=f"{machine()}/worker/{pid}/{start}",
            now=around.clock,
            crash=doom,
        )
