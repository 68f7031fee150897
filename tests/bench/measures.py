"""What is measured: starting, a mailbox full of mail, single mails. Each starts the program and stops it."""

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

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
    """Mails that waited: `seconds` from the first poll to the last arrival, `whole` from the command on."""

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
            seconds = (self._sink.seen[mails - 1].at - first_poll(program.output)).total_seconds()
            return Flood(mails, seconds, whole, memory_of(program.process.pid))

    def single(self, mails: int) -> list[float]:
        """Seconds from the arrival in the mailbox to the receiver, for each of some mails."""
        with self._program():
            begin = time.monotonic() + SETTLED
            return [self._one(number, begin + number * EVERY) for number in range(mails)]

    def _one(self, number: int, moment: float) -> float:
        eventually(lambda: time.monotonic() >= moment, timeout=AT_MOST)
        before, delivered_at = len(self._sink.seen), datetime.now(UTC)
        self._mailbox.deliver(USER, matching(FIRST_SINGLE + number))
        eventually(lambda: len(self._sink.seen) > before, timeout=AT_MOST)
        return (self._sink.seen[before].at - delivered_at).total_seconds()

    def _sent(self) -> int:
        with closing(sqlite3.connect(self._data_dir / "signal.db")) as connection:
            query = "SELECT count(*) FROM delivery WHERE state = 'sent'"
            return int(connection.execute(query).fetchone()[0])

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


def first_poll(output: str) -> datetime:
    """When the worker first looked into the mailbox, by its own log."""
    lines = (json.loads(line) for line in output.splitlines() if line.startswith("{"))
    return datetime.fromisoformat(
        next(line["timestamp"] for line in lines if line["event"] == "POLLER: poll started")
    )
