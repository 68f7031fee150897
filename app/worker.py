"""The worker: polls, decides, delivers; wakes at the doorbell and looks by itself each second."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from time import monotonic
from typing import Any

import structlog
from arq.connections import RedisSettings
from arq.worker import Worker, func
from redis.exceptions import RedisError

from app.clock import now
from app.config import Config, FirstRun
from app.crash import Crash
from app.integrations.network import Gate
from app.integrations.parser import Parser
from app.integrations.webhook import Webhooks
from app.jobs import progress
from app.jobs.border import Work, guarded
from app.jobs.checker import Checker
from app.jobs.context import Context
from app.jobs.decide import decide_waiting, give_back_own
from app.jobs.deliver import Deliverer
from app.jobs.ingest import ingest
from app.jobs.notify import notify
from app.jobs.owner import owner_of, registered
from app.jobs.poll import TakeIn, broke, due_polls, poll
from app.jobs.queue import DECIDE, DELIVER, POLL, REPLAY, TEST, TRIAL, Queue, decode, encode
from app.jobs.replay import next_replay
from app.jobs.retention import CleanUp
from app.jobs.seed import prepare
from app.jobs.sweep import sweep
from app.jobs.trial import next_trial
from app.models import Database, replay, trial
from app.ready import beat
from app.vault import Vault

TICK = 1.0  # seconds between two looks at what is due
HEARTBEAT = 300.0
DRAIN = 4.0  # seconds for what is under way when we are asked to stop
RECONNECT = 1.0, 60.0  # seconds before the doorbell is listened to again: at first, at most

log = structlog.get_logger()


def run(config: Config, *, take_in: TakeIn = ingest) -> None:
    asyncio.run(_run(config, take_in))


async def _run(config: Config, take_in: TakeIn) -> None:
    async with AsyncExitStack() as stack:
        context = await _open(config, stack)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _stop, number, context.bells.stopping)
        log.info("BG_POLLER: Singleton lock acquired", owner=context.owner)
        await work(context, take_in)
        log.info("worker stops")


def _stop(number: int, stopping: asyncio.Event) -> None:
    event = f"PROCESS: {signal.Signals(number).name} received"  # the words that monitoring looks for
    log.info(event)
    stopping.set()


async def _open(config: Config, stack: AsyncExitStack) -> Context:
    database = Database(config.database, least_free=config.min_free_mb)
    stack.push_async_callback(database.aclose)
    vault = Vault(config.secret_key())
    await prepare(database, FirstRun.load(), vault, now())
    queue = Queue(config.redis_url)
    stack.push_async_callback(queue.aclose)
    await stack.enter_async_context(
        registered(
            database,
            role="worker",
            now=now,
            restarts=config.signal_restarts,
            last_exit=config.signal_last_exit,
            queue_ok=lambda: queue.ok,
        )
    )
    webhooks = Webhooks(Gate.of(config))
    stack.push_async_callback(webhooks.aclose)
    return Context(
        config=config,
        database=database,
        queue=queue,
        vault=vault,
        parser=await stack.enter_async_context(Parser()),
        webhooks=webhooks,
        owner=owner_of("worker"),
        now=now,
        crash=Crash(config.crash_at, config.data_dir),
    )


async def work(context: Context, take_in: TakeIn = ingest) -> None:
    """Do everything until the stopping bell rings; then what is under way ends or is given back."""
    deliverer = Deliverer(context)
    polls, checker = Polls(context, take_in), Checker(context)
    give_back = partial(give_back_own, context)
    loops = [
        _loop("deliver", context.bells.deliver, deliverer.claim_due),
        _loop("decide", context.bells.decide, lambda: _all(decide_waiting, context), failed=give_back),
        _loop("poll", asyncio.Event(), polls.start_due),
        _loop("sweep", asyncio.Event(), lambda: sweep(context)),
        _loop("test", context.bells.test, checker.start_waiting),
        _loop("notify", asyncio.Event(), lambda: notify(context)),
        _loop("clean up", asyncio.Event(), CleanUp(context).when_due),
        _loop(
            "trial",
            context.bells.trial,
            lambda: _all(next_trial, context),
            failed=partial(progress.broke, context, trial.KIND),
        ),
        _loop(
            "replay",
            context.bells.replay,
            lambda: _all(next_replay, context),
            failed=partial(progress.broke, context, replay.KIND),
        ),
        _doorbell(context, polls),
        _heartbeat(),
        beat(),  # last: ready when all the others have begun
    ]
    tasks = [asyncio.create_task(loop) for loop in loops]
    results = asyncio.create_task(deliverer.write_results())
    await context.bells.stopping.wait()
    await _cancel(*tasks)
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN):
            await asyncio.gather(deliverer.drain(), polls.drain(), checker.drain())
    await _cancel(results)


class Polls:
    """The polls of this process: at most one of a mailbox."""

    def __init__(self, context: Context, take_in: TakeIn) -> None:
        self._context, self._take_in = context, take_in
        self._under_way: dict[int, asyncio.Task[None]] = {}

    async def start_due(self) -> None:
        for mailbox_id, run_id in await due_polls(self._context):
            self.start(mailbox_id, run_id)

    def start(self, mailbox_id: int, run_id: int | None) -> None:
        """Start a poll; while one is under way the next request waits in its row."""
        if mailbox_id in self._under_way:
            return
        ids = (self._context, mailbox_id, run_id)
        work = partial(poll, *ids, take_in=self._take_in)
        task = asyncio.create_task(guarded("poll", work, failed=partial(broke, *ids)))
        self._under_way[mailbox_id] = task
        task.add_done_callback(lambda _: self._under_way.pop(mailbox_id, None))

    async def drain(self) -> None:
        await _cancel(*self._under_way.values())  # whatever was not committed is fetched again


async def _loop(name: str, bell: asyncio.Event, turn: Work, *, failed: Work | None = None) -> None:
    """Take a turn whenever the bell rings, and each second in any case."""
    while True:
        bell.clear()
        await guarded(name, turn, failed=failed)
        with suppress(TimeoutError):
            async with asyncio.timeout(TICK):
                await bell.wait()


async def _all(turn: Callable[[Context], Coroutine[Any, Any, bool]], context: Context) -> None:
    while await turn(context):
        pass


async def _heartbeat() -> None:
    while True:
        log.info("HEARTBEAT: alive")
        await asyncio.sleep(HEARTBEAT)


async def _doorbell(context: Context, polls: Polls) -> None:
    """Listen for rings; arq's worker ends when Redis goes away, and is started again, ever more slowly."""
    first, longest = RECONNECT
    pause = 0.0
    while True:
        began = monotonic()
        error = await guarded("doorbell", partial(_listen, context, polls))
        if monotonic() - began > longest:  # it was there
            pause = 0.0
        if error and not pause:
            log.warning("doorbell away", error=error)
        pause = min(2 * pause or first, longest)
        await asyncio.sleep(pause)


async def _listen(context: Context, polls: Polls) -> str:
    """Listen until Redis goes away, and give the name of the error that says so."""

    async def on_poll(ctx: dict[Any, Any], *ids: Any, **_: Any) -> None:  # noqa: ANN401, ARG001 - arq's protocol
        polls.start(*ids)

    def ringing(bell: asyncio.Event) -> Callable[..., Coroutine[Any, Any, None]]:
        async def ring(ctx: dict[Any, Any], *_: Any, **__: Any) -> None:  # noqa: ANN401, ARG001
            bell.set()

        return ring

    bells = context.bells
    rung = {
        DECIDE: bells.decide,
        DELIVER: bells.deliver,
        TRIAL: bells.trial,
        REPLAY: bells.replay,
        TEST: bells.test,
    }
    settings = RedisSettings.from_dsn(context.config.redis_url)
    settings.conn_retries = 0  # arq would log each
    worker = Worker(
        [func(on_poll, name=POLL), *(func(ringing(bell), name=name) for name, bell in rung.items())],
        redis_settings=settings,
        job_serializer=encode,
        job_deserializer=decode,
        poll_delay=0.02,
        max_jobs=50,
        job_timeout=10,
        keep_result=0,
        max_tries=1,
        health_check_interval=10,
        handle_signals=False,
    )
    try:
        await worker.async_run()
    except (RedisError, OSError) as error:
        return type(error).__name__
    finally:
        with suppress(RedisError, OSError):
            await worker.close()
    return ""


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
