"""How fast deliveries that wait are sent: the whole program, one receiver in another process."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.config import Config, FirstRun
from app.jobs.seed import prepare
from app.migrate import upgrade
from app.models import Database, sqlite
from app.vault import Vault
from tests.bench.backlog import Backlog
from tests.bench.processes import Memory, memory_of
from tests.bench.receiver import Receiver
from tests.program import Program
from tests.servers import eventually

AT_MOST = 120.0  # seconds for one measurement
WARM = 0.25  # of the deliveries: those after them show the pace that lasts


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Deliveries a second, from the first claim to the last result and after the warm-up; what they cost."""

    deliveries: int
    whole: float
    warm: float
    cpu: float  # milliseconds of the worker's processor time for each
    memory: Memory | None


def figures(folder: Path) -> Iterator[tuple[str, str]]:
    """What waits, to receivers that answer soon."""
    with Receiver() as receiver:
        sending = Sending(folder / "sending", receiver)
        with sending.program() as program:
            pace = sending.measure(program, endpoints=50, delay=10, each=30, concurrency=8)
            yield from _said("50 receivers that need 10 ms", pace)
            pace = sending.measure(program, endpoints=1, delay=50, each=800, concurrency=16)
            yield from _said("one receiver that needs 50 ms", pace)
            pace = sending.measure(program, endpoints=1, delay=0, each=1500, concurrency=16)
            yield from _said("one receiver that needs none", pace)
            if pace.memory is not None:
                figure = f"{pace.memory.rss / 1024:.0f} / {pace.memory.pss / 1024:.0f} MB"
                yield f"  memory of all {pace.memory.processes} processes afterwards, RSS / PSS", figure


def _said(to: str, pace: Pace) -> Iterator[tuple[str, str]]:
    yield f"{pace.deliveries} deliveries to {to}: a second", f"{pace.whole:.0f}"
    figure = f"{pace.warm:.0f} / {pace.cpu:.1f} ms"
    yield "  after the first quarter / the worker's processor time for each", figure


class Sending:
    """A data directory with deliveries that wait, and the program that sends them while the block runs."""

    def __init__(self, data_dir: Path, receiver: Receiver) -> None:
        self.data_dir = data_dir
        self._receiver = receiver
        data_dir.mkdir()
        self._config = Config(data_dir=data_dir)
        self._vault = Vault(self._config.secret_key())
        upgrade(self._config.database)
        asyncio.run(self._prepare())
        self.backlog = Backlog(data_dir, self._vault)

    def program(self) -> Program:
        env = {"ALLOW_PRIVATE_TARGETS": "127.0.0.1", "LOG_FORMAT": "json"}
        return Program(self.data_dir, env)

    def measure(self, program: Program, *, endpoints: int, delay: int, each: int, concurrency: int) -> Pace:
        """Let deliveries wait for receivers that answer after `delay` milliseconds, and see them all sent."""
        urls = [self._receiver.url(delay, f"{delay}-{number}") for number in range(endpoints)]
        worker = self.worker()
        before, cpu = self._sent(), _processor_time(worker)
        asyncio.run(self.backlog.fill(urls, each, concurrency=concurrency))
        wanted = endpoints * each
        eventually(lambda: self._sent() >= before + wanted, timeout=AT_MOST)
        spent = _processor_time(worker) - cpu
        begun, ends = self._times(before)
        late = ends[int(wanted * WARM) :]
        return Pace(
            deliveries=wanted,
            whole=wanted / (ends[-1] - begun),
            warm=len(late) / (late[-1] - late[0]),
            cpu=1000 * spent / wanted,
            memory=memory_of(program.process.pid),
        )

    async def _prepare(self) -> None:
        database = Database(self._config.database)
        try:
            await prepare(database, FirstRun(), self._vault, datetime.now(UTC))
        finally:
            await database.aclose()

    def worker(self) -> int:
        ((pid,),) = self.ask("SELECT pid FROM process WHERE role = 'worker' AND state = 'ready'")
        return int(pid)

    def _sent(self) -> int:
        ((count,),) = self.ask("SELECT count(*) FROM delivery WHERE state = 'sent'")
        return int(count)

    def _times(self, before: int) -> tuple[float, list[float]]:
        """When the first was claimed, and when each was answered, in their order."""
        rows = self.ask(
            "SELECT unixepoch(started_at, 'subsec'), unixepoch(ended_at, 'subsec') FROM attempt"
            f" ORDER BY id LIMIT -1 OFFSET {before}"
        )
        return min(row[0] for row in rows), sorted(row[1] for row in rows)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        library = sqlite.install()
        with closing(library.connect(self.data_dir / "signal.db", timeout=15)) as connection:
            answer: list[tuple[Any, ...]] = connection.execute(query).fetchall()
        return answer


def _processor_time(pid: int) -> float:
    """Seconds that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
