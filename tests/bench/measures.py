"""What is measured: starting, a mailbox full of mail, single mails. Each starts the program and stops it."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from tests.bench.mailbox import USER, MailServer
from tests.bench.processes import Memory, memory_of
from tests.letters import matching
from tests.program import Program
from tests.servers import Sink, eventually

AT_MOST = 300.0  # seconds for one measurement
EVERY = 1.37  # seconds between two mails: no multiple of the polling interval, so that all phases are met
SETTLED = 2.0  # seconds after which the first polls are over
FIRST_SINGLE = 100_000  # single mails have lots that no waiting mail had


@dataclass(frozen=True, slots=True)
class Flood:
    """Mails that waited: `seconds` from the worker's start to the last arrival, `whole` from the command."""

    mails: int
    seconds: float
    whole: float
    memory: Memory | None


class Bench:
    """One mailbox, one receiver, one data directory, and the program between them."""

    def __init__(self, mailbox: MailServer, sink: Sink, data_dir: Path) -> None:
        self._mailbox = mailbox
        self._sink = sink
        self._data_dir = data_dir

    def start(self) -> float:
        """Seconds from the command to the first page."""
        started = time.monotonic()
        with self._program() as program:
            httpx2.get(f"{program.url}/login", timeout=AT_MOST).raise_for_status()
            return time.monotonic() - started

    def flood(self, mails: int) -> Flood:
        """Let mails wait, start the program, and take the time until the last of them has arrived."""
        for lot in range(mails):
            self._mailbox.deliver(USER, matching(lot))
        started = time.monotonic()
        with self._program() as program:
            eventually(lambda: len(self._sink.seen) >= mails, timeout=AT_MOST)
            whole = time.monotonic() - started
            eventually(lambda: self._sent() >= mails, timeout=AT_MOST)
            seconds = (self._sink.seen[mails - 1].at - self._worker_began()).total_seconds()
            return Flood(mails, seconds, whole, memory_of(program.process.pid))

    def single(self, mails: int) -> list[float]:
        """Seconds from the arrival in the mailbox to the receiver, for each of some mails."""
        before = len(self._sink.seen)
        with self._program():
            begin = time.monotonic() + SETTLED
            delivered = [self._deliver(number, begin + number * EVERY) for number in range(mails)]
            eventually(lambda: len(self._sink.seen) >= before + mails, timeout=AT_MOST)
        arrived = {seen.json["subject"].split()[-1]: seen.at for seen in self._sink.seen[before:]}
        return [(arrived[lot] - moment).total_seconds() for lot, moment in delivered]

    def _deliver(self, number: int, moment: float) -> tuple[str, datetime]:
        """Deliver one mail at this moment, whatever became of the one before; gives its lot."""
        eventually(lambda: time.monotonic() >= moment, timeout=AT_MOST)
        lot, delivered_at = FIRST_SINGLE + number, datetime.now(UTC)
        self._mailbox.deliver(USER, matching(lot))
        return str(lot), delivered_at

    def _sent(self) -> int:
        ((count,),) = self._ask("SELECT count(*) FROM delivery WHERE state = 'sent'")
        return int(count)

    def _worker_began(self) -> datetime:
        """When the worker had connected to everything and began to look for mail."""
        ((moment,),) = self._ask("SELECT started_at FROM process WHERE role = 'worker' AND state = 'ready'")
        return datetime.fromisoformat(moment).replace(tzinfo=UTC)

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._data_dir / "signal.db")) as connection:
            return connection.execute(query).fetchall()

    def _program(self) -> Program:
        env = {
            "EMAIL_ADDRESS": USER,
            "EMAIL_PASSWORD": self._mailbox.password,
            "IMAP_SERVER": self._mailbox.host,
            "IMAP_PORT": str(self._mailbox.port),
            "IMAP_USE_SSL": "false",
            "EMAIL_POLLING_INTERVAL_SECONDS": "1",
            "WEBHOOK_URL": self._sink.url,
            "ALLOW_PRIVATE_TARGETS": self._sink.address,
            "LOG_FORMAT": "json",
        }
        return Program(self._data_dir, env)
