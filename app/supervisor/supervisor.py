"""Starts children in stages, keeps them running, and stops them in the reverse order."""

import asyncio
import signal
from collections.abc import Coroutine, Sequence

from app.supervisor.child import Child, Keeper
from app.supervisor.say import say

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    """Each stage starts when all of the one before are ready; within a stage all start together."""

    def __init__(self, stages: Sequence[Sequence[Child]]) -> None:
        self._stages = [[Keeper(child) for child in stage] for stage in stages]
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Keep the children running until a signal says stop; all are gone afterwards.

        Raises:
            CannotStart: a child cannot work here.
        """
        loop = asyncio.get_running_loop()
        end: asyncio.Future[None] = loop.create_future()
        for number in STOPPING:
            loop.add_signal_handler(number, _heard, number, end)
        self._spawn(self._start(end), end)
        try:
            await end
        finally:
            await self._stop()

    async def _start(self, end: asyncio.Future[None]) -> None:
        for stage in self._stages:
            for keeper in stage:
                self._spawn(keeper.keep(), end)
            for keeper in stage:
                await keeper.ready.wait()

    def _spawn(self, work: Coroutine[None, None, None], end: asyncio.Future[None]) -> None:
        def note(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) and not end.done():
                end.set_exception(error)

        task = asyncio.create_task(work)
        task.add_done_callback(note)
        self._tasks.append(task)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stage in reversed(self._stages):
            for keeper in reversed(stage):
                await keeper.stop()
        say("stopped")


def _heard(number: signal.Signals, end: asyncio.Future[None]) -> None:
    say(f"PROCESS: {number.name} received")
    if not end.done():
        end.set_result(None)
