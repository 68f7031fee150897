"""The four things that are measured; each starts what it needs and stops it."""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
FIRST_SINGLE = 100_000  # the lots of single mails


@dataclass(frozen=True, slots=True)
class Flood:
    """Mails that waited. `seconds` from the first poll to the last arrival, `whole` from the command."""

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

    def starts(self) -> list[float]:
        """Seconds from the command to the first page: with an empty data directory, and once more."""
        return [self._start(), self._start()]

    def flood(self, mails: int) -> Flood:
        """Let mails wait, start the program, and take the time until the last of them has arrived."""
        for lot in range(mails):
            self._mailbox.deliver(USER, matching(lot))
        started = time.monotonic()
        with self._program() as program:
            eventually(lambda: len(self._arrived()) >= mails, timeout=AT_MOST)
            whole = time.monotonic() - started
            eventually(lambda: self._sent() >= mails, timeout=AT_MOST)
            last = max(seen.at for seen in self._sink.seen)
            memory = memory_of(program.process.pid)
            return Flood(mails, (last - first_poll(program.output)).total_seconds(), whole, memory)

    def single(self, mails: int) -> list[float]:
        """Seconds from a mail's arrival in the mailbox to the receiver, for each of some mails."""
        with self._program():
            begin = time.monotonic() + 2.0  # the first polls are over
            return [
                self._one(FIRST_SINGLE + number, begin + number * EVERY) for number in range(mails)
            ]

    def _start(self) -> float:
        started = time.monotonic()
        with self._program() as program:
            httpx2.get(f"{program.url}/login", timeout=AT_MOST).raise_for_status()
            return time.monotonic() - started

    def _one(self, lot: int, moment: float) -> float:
        eventually(lambda: time.monotonic() >= moment, timeout=AT_MOST)
        sent_at = datetime.now(UTC)
        self._mailbox.deliver(USER, matching(lot))
        arrived = eventually(lambda: self._arrived().get(lot), timeout=AT_MOST)
        return (arrived - sent_at).total_seconds()

    def _arrived(self) -> dict[int, datetime]:
        """When each lot reached the receiver first."""
        moments: dict[int, datetime] = {}
        for seen in list(self._sink.seen):
            moments.setdefault(int(seen.json["subject"].rpartition(" ")[2]), seen.at)
        return moments

    def _sent(self) -> int:
        with closing_soon(self._data_dir / "signal.db") as connection:
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
