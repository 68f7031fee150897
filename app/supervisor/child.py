"""One child process: how it is started, when it counts as ready, what happens when it dies."""

import asyncio
import ctypes
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from app.ready import PIPE, CannotStart
from app.supervisor.pulse import Pulse
from app.supervisor.say import say

ASK_EVERY = 0.05
LONGEST_PAUSE = 60.0
LONGEST_WHEN_KILLED = 4.0  # it would have started: mail waits for it
SETTLED_AFTER = 60.0
TELLS_WITHIN = 1.0  # for the last words of a dead child, whose pipe another process may hold open
NOT_STARTED = 127  # as a shell says it
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What to run. Without `ready` the child says itself when it is, by app.ready."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] | None = None
    before: Callable[[], Awaitable[None]] | None = None  # done before each start
    once: bool = False  # ready when it has ended well; not started again
    grace: float = 3.0  # seconds from SIGTERM to SIGKILL
    silence: float = 60.0  # seconds without a beat, of one that beats, until it is killed


class Keeper:
    """Keeps one child running until it is told to stop."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.ready = asyncio.Event()
        self._process: Process | None = None
        self._restarts = 0
        self._last_exit = ""
        self._failures = 0

    async def keep(self) -> None:
        """Start the child, and again whenever it dies.

        Raises:
            CannotStart: the child said why it never will run, or a `once` child failed.
        """
        while True:
            started = time.monotonic()
            code = await self._live()
            if self.child.once:
                self._finish(code)
                return
            pause = self.pause(time.monotonic() - started, killed=code < 0)
            self.ready.clear()
            self._last_exit = _name(code)
            self._restarts += 1
            facts = {"child": self.child.name, "exit": self._last_exit, "restart_in": pause}
            say("child died", level="warning", **facts)
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """End the child and whatever it started, by SIGTERM and, when its grace is over, SIGKILL."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.child.grace)
        await _end_group(process.pid)
        await process.wait()

    async def _live(self) -> int:
        """Run the child once; gives its exit code."""
        if self.child.before is not None:
            await self.child.before()
        try:
            process, pipe = await self._start()
        except OSError as error:  # no memory, no process left, the program is gone: all of it may pass
            say("child not started", level="error", child=self.child.name, error=str(error))
            return NOT_STARTED
        pulse = Pulse()
        told = asyncio.create_task(pulse.listen(pipe))
        waiting = asyncio.create_task(self._wait_ready(process.pid, pulse))
        watching = asyncio.create_task(self._watch(process.pid, pulse, told))
        try:
            code = await process.wait()
        finally:
            waiting.cancel()
            watching.cancel()
        await _end_group(process.pid)
        await asyncio.wait({told}, timeout=TELLS_WITHIN)
        if told.done() and told.result():
            raise CannotStart(told.result())
        told.cancel()
        return code

    async def _start(self) -> tuple[Process, int]:
        pipe, childs_end = os.pipe()
        os.set_blocking(pipe, False)
        env = {
            **os.environ,
            **self.child.env,
            "SIGNAL_RESTARTS": str(self._restarts),
            "SIGNAL_LAST_EXIT": self._last_exit,
            PIPE: str(childs_end),
        }
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.child.argv,
                stdin=DEVNULL,
                env=env,
                pass_fds=(childs_end,),
                start_new_session=True,  # Ctrl-C reaches us alone
                preexec_fn=_die_with_us,
            )
        except BaseException:
            os.close(pipe)
            raise
        finally:
            os.close(childs_end)
        return self._process, pipe

    async def _wait_ready(self, pid: int, pulse: Pulse) -> None:
        began = time.monotonic()
        if self.child.once:
            return
        if self.child.ready is None:
            await pulse.ready.wait()  # what it says instead is read when it has ended
        else:
            while not await self.child.ready():
                await asyncio.sleep(ASK_EVERY)
        self.ready.set()
        say("child ready", child=self.child.name, pid=pid, seconds=round(time.monotonic() - began, 2))

    async def _watch(self, pid: int, pulse: Pulse, told: asyncio.Task[str]) -> None:
        """Kill a child that is there but does nothing any more, stopped or caught in its loop."""
        seconds = await pulse.silence(self.child.silence)
        if told.done():
            return  # it closed the pipe, and beats no longer
        say("child silent", level="error", child=self.child.name, pid=pid, seconds=round(seconds, 1))
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)

    def _finish(self, code: int) -> None:
        if code != 0:
            message = f"{self.child.name} failed: {_name(code)}"
            raise CannotStart(message)
        self.ready.set()

    def pause(self, uptime: float, *, killed: bool = False) -> float:
        """Give the seconds to wait: none for a child that had been ready, otherwise 1 growing to 60.

        One that somebody `killed` while it started waits 4 at most.
        """
        if self.ready.is_set():
            self._failures = 0
            return max(0.0, 1.0 - uptime)  # one start a second at most
        self._failures = 1 if uptime >= SETTLED_AFTER else self._failures + 1
        longest = LONGEST_WHEN_KILLED if killed else LONGEST_PAUSE
        return min(2.0 ** (self._failures - 1), longest)


def _die_with_us() -> None:
    """Let the kernel end the child when the supervisor dies (Linux; elsewhere it would live on)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


async def _end_group(group: int) -> None:
    """Kill what a child left running, and bury it: as process 1 of a container nobody else would."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    with suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG) == (0, 0):  # noqa: ASYNC222 - does not wait
            await asyncio.sleep(ASK_EVERY)


def _name(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"
