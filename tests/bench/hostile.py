"""Receivers that misbehave, each in its own way, and what that costs the others."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from app.jobs.queue import Queue
from tests.bench.processes import memory_of
from tests.bench.receiver import Receiver
from tests.bench.sending import AT_MOST, Sending
from tests.servers import Answer, Sink, eventually

LIMIT = 2  # seconds that our endpoints give
HANGING, WAITING = 50, 20
ROUNDS, EACH, PAUSE = 60, 5, 0.1  # of what the receiver that is well gets meanwhile
AN_HOUR = 3_600_000
OK = b"HTTP/1.1 200 OK\r\n"

HOSTILE = {
    "hangs": Answer.hang(),
    "sends its head byte by byte": Answer.raw(*(bytes([byte]) for byte in OK * 9), every=0.1, hold=True),
    "says 100 Continue without end": Answer.endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", every=0.01),
    "sends header lines without end": Answer.endless(OK, b"x: y\r\n" * 1000),
    "sends a body without end": Answer.endless(OK + b"\r\n", b"x" * 65_536),
    "sends a body byte by byte": Answer.endless(OK + b"\r\n", b"x", every=0.1),
    "ends before it is done": Answer.raw(OK, tear=True),
    "speaks no HTTP": Answer.endless(b"", b"\x00" * 65_536),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How one hostile receiver's delivery ended, after how many seconds."""

    how: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Seconds from the commit to the receiver that is well, while others hang."""

    median: float
    p99: float
    longest: float


def figures(folder: Path) -> Iterator[tuple[str, str]]:
    with Receiver() as receiver:
        sending = Sending(folder / "hostile", receiver)
        with sending.program():
            before = _worker_memory(sending)
            for cut in _cuts(sending):
                yield f"a receiver that {cut.how}, limit {LIMIT} s: {cut.outcome}", f"{cut.seconds:.2f} s"
            wait = _beside_hanging(sending, receiver)
            figure = f"{wait.median:.2f} / {wait.p99:.2f} / {wait.longest:.2f} s"
            yield f"{HANGING} receivers hang: median / p99 / longest wait of one that is well", figure
            yield "  the worker's memory before / after", f"{before:.0f} / {_worker_memory(sending):.0f} MB"


def _cuts(sending: Sending) -> Iterator[Cut]:
    """Send one delivery to each hostile receiver, all at once."""
    with ExitStack() as stack:
        sinks = {how: stack.enter_context(Sink()) for how in HOSTILE}
        for how, sink in sinks.items():
            sink.default = HOSTILE[how]
        urls = [sink.url for sink in sinks.values()]
        ids = asyncio.run(sending.backlog.fill(urls, 1, limit=LIMIT))
        chosen = f"number = 1 AND endpoint_id IN ({', '.join(map(str, ids))})"
        ended = f"SELECT count(*) FROM attempt WHERE {chosen} AND ended_at IS NOT NULL"
        eventually(lambda: sending.ask(ended) == [(len(ids),)], timeout=AT_MOST)
    rows = sending.ask(
        "SELECT endpoint_id, outcome, unixepoch(ended_at, 'subsec') - unixepoch(started_at, 'subsec')"
        f" FROM attempt WHERE {chosen} ORDER BY endpoint_id"
    )
    for how, (_, outcome, seconds) in zip(HOSTILE, rows, strict=True):
        yield Cut(how=how, outcome=outcome, seconds=seconds)


def _beside_hanging(sending: Sending, receiver: Receiver) -> Wait:
    """Let fifty receivers hang, each with more mail than it has places, and time what another one gets."""
    urls = [receiver.url(AN_HOUR, f"hanging-{number}") for number in range(HANGING)]
    asyncio.run(sending.backlog.fill(urls, WAITING))
    eventually(lambda: len(receiver.seen()) >= HANGING, timeout=AT_MOST)
    committed = asyncio.run(_trickle(sending, receiver))
    eventually(lambda: len(receiver.seen().get("well", [])) >= len(committed), timeout=AT_MOST)
    arrived = sorted(receiver.seen()["well"])
    waits = sorted(there - here for here, there in zip(committed, arrived, strict=True))
    return Wait(median=waits[len(waits) // 2], p99=waits[len(waits) * 99 // 100], longest=waits[-1])


async def _trickle(sending: Sending, receiver: Receiver) -> list[float]:
    """Commit a few deliveries at a time, and ring as T2 does; gives the moment of each."""
    queue = Queue(f"unix://{(sending.data_dir / 'run.lock').read_text().strip()}/redis.sock")
    (well,) = await sending.backlog.fill([receiver.url(10, "well")], 0)
    committed = []
    for _ in range(ROUNDS):
        await sending.backlog.more(well, EACH)
        committed += [time.time()] * EACH
        await queue.deliver()
        await asyncio.sleep(PAUSE)
    await queue.aclose()
    return committed


def _worker_memory(sending: Sending) -> float:
    """Megabytes, parser included."""
    found = memory_of(sending.worker())
    return found.rss / 1024 if found is not None else 0
