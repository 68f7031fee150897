"""One run: everything is started, mails arrive, processes die, and what came of it is counted."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.children import Memory
from tests.chaos.ground import KEY, furnish
from tests.chaos.ledger import Ledger
from tests.chaos.outcome import Outcome, judge
from tests.chaos.postman import Postman
from tests.chaos.receiver import Receiver
from tests.chaos.trouble import Trouble
from tests.program import Program
from tests.servers import Dovecot, Redis

ROOT = Path(__file__).parents[2]
LOOK = 0.2  # seconds between two looks at how far it is
TAIL = 15.0  # seconds after the last mail in which processes go on dying
STILL = 100.0  # seconds without any movement after which nothing more is expected

Work = Callable[[Callable[[float], bool]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`rate`: mails a second; `every`: seconds between kills, on average; `module`: the program."""

    mails: int
    seed: int
    rate: float = 25.0
    every: float = 1.0
    module: str = "app.cli"
    crash_at: str = ""


def run(plan: Plan, folder: Path) -> Outcome:
    """Do it all in a folder, where database and log stay."""
    with ExitStack() as stack:
        dovecot, redis = stack.enter_context(Dovecot()), stack.enter_context(Redis())
        receiver = stack.enter_context(Receiver(plan.seed))
        postman = Postman(dovecot, mails=plan.mails, seed=plan.seed, rate=plan.rate)
        furnish(folder, dovecot, receiver.urls)
        ledger = Ledger(folder / "signal.db")
        with Program(folder, _env(plan, redis, receiver), module=plan.module) as program:
            memory = Memory(program.process.pid)
            trouble = Trouble(program.process.pid, redis, ledger, seed=plan.seed, every=plan.every)
            with meanwhile(memory.watch):
                _suffer(postman, trouble, ledger)
        (folder / "log").write_text(program.output)
        return judge(
            postman.brought,
            receiver.accepted(),
            seed=plan.seed,
            kills=trouble.kills,
            in_flight=trouble.in_flight,
            rss=memory.peak,
            faults=[*ledger.faults(), *_errors(program.output)],
        )


@contextmanager
def meanwhile(*works: Work) -> Iterator[list[Future[None]]]:
    """Do these in threads until the block ends; each is given what it waits with, which then says stop."""
    end = threading.Event()
    with ThreadPoolExecutor(len(works)) as pool:
        tasks = [pool.submit(work, end.wait) for work in works]
        try:
            yield tasks
        finally:
            end.set()
    for task in tasks:
        task.result()


def _env(plan: Plan, redis: Redis, receiver: Receiver) -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),
        "APP_SECRET_KEY": KEY,
        "REDIS_URL": redis.url,
        "ALLOW_PRIVATE_TARGETS": receiver.address,
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "warning",
        "TESTING": "1",
        "CRASH_AT": plan.crash_at,
    }


def _suffer(postman: Postman, trouble: Trouble, ledger: Ledger) -> None:
    """Let mails arrive amid the trouble, then let what is left come to rest in peace."""
    with meanwhile(trouble.kill, trouble.flush, trouble.stop):
        with meanwhile(postman.bring) as (bringing,):
            bringing.result()
        since = datetime.now(UTC)
        _wait(lambda: ledger.settled(since), ledger, most=TAIL)
    _wait(lambda: ledger.settled(since), ledger)


def _wait(done: Callable[[], bool], ledger: Ledger, *, most: float = float("inf")) -> None:
    """Wait until it is done, or nothing has moved for long, or the time is over."""
    never, began = threading.Event(), time.monotonic()
    moved_at, last = began, ledger.moved()
    while not done():
        never.wait(LOOK)
        now, moved = time.monotonic(), ledger.moved()
        if moved != last:
            moved_at, last = now, moved
        if now - moved_at > STILL or now - began > most:
            return


def _errors(output: str) -> Iterator[str]:
    """What the program itself calls an error."""
    for line in output.splitlines():
        if line.startswith("{") and (said := json.loads(line)).get("level") in {"error", "critical"}:
            yield f"it said: {said.get('event')} {said.get('exception', '')[-500:]}"
