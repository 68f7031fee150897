"""Supervisors of small stand-in children (`python -m tests.stand_ins SCENARIO`), and how to watch them."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from app.ready import CannotStart
from app.supervisor.child import Child
from app.supervisor.supervisor import Supervisor

PATIENCE = 30.0  # seconds until a condition that never comes true fails its test

START = "import asyncio, os, signal, sys, time; from app.ready import beat, refuse; EVERY = 0.1"
POLITE = f"""{START}
def end(*_):
    print('{{"event": "ended", "child": "%s"}}' % sys.argv[1], flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
facts = (sys.argv[1], os.environ["SIGNAL_RESTARTS"], os.environ["SIGNAL_LAST_EXIT"])
print('{{"event": "began", "child": "%s", "restarts": "%s", "last_exit": "%s"}}' % facts, flush=True)
asyncio.run(beat(EVERY))
"""
STUBBORN = f"{START}; signal.signal(signal.SIGTERM, signal.SIG_IGN); asyncio.run(beat(EVERY))"
BROKEN = "raise SystemExit(3)"
REFUSING = f"{START}; refuse('IMAP_PORT: must be a number'); sys.exit(2)"
HOLDING = """import os, subprocess, sys; pipe = int(os.environ["SIGNAL_READY_FD"])
code = "import time; time.sleep(4)"
child = [sys.executable, "-c", code]
subprocess.Popen(child, pass_fds=[pipe], start_new_session=True, stdout=subprocess.DEVNULL)
sys.exit(3)
"""
PARENT = f"""{START}; import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print('{{"event": "grandchild", "pid": %d}}' % child.pid, flush=True)
asyncio.run(beat(EVERY))
"""
CAUGHT = f"""{START}
async def live():
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, time.sleep, 600)
    await beat(EVERY)
asyncio.run(live())
"""
MUTE = "import time; time.sleep(600)"


def stand_in(name: str, code: str, *, once: bool = False, grace: float = 3.0, silence: float = 60.0) -> Child:
    argv = (sys.executable, "-c", code, name)
    return Child(name=name, argv=argv, once=once, grace=grace, silence=silence)


async def at_once() -> bool:
    return True


def mute(name: str) -> Child:
    """One that is asked whether it is ready, as Redis is, and says nothing itself."""
    return Child(name=name, argv=(sys.executable, "-c", MUTE), ready=at_once, silence=1.0)


SCENARIOS: Mapping[str, Callable[[], list[list[Child]]]] = {
    "three": lambda: [[stand_in("first", POLITE)], [stand_in("second", POLITE), stand_in("third", POLITE)]],
    "stubborn": lambda: [[stand_in("stubborn", STUBBORN, grace=0.2)]],
    "broken": lambda: [[stand_in("broken", BROKEN)]],
    "holding": lambda: [[stand_in("broken", HOLDING)]],
    "absent": lambda: [[Child(name="broken", argv=("/no/such/program",))]],
    "refusing": lambda: [
        [stand_in("first", POLITE)],
        [stand_in("second", POLITE), stand_in("refusing", REFUSING)],
    ],
    "parent": lambda: [[stand_in("parent", PARENT)]],
    "beating": lambda: [[mute("mute"), stand_in("beating", CAUGHT, silence=1.5)]],
    "once": lambda: [[stand_in("once", "", once=True)], [stand_in("second", POLITE)]],
    "failing": lambda: [[stand_in("once", BROKEN, once=True)], [stand_in("second", POLITE)]],
}


def main() -> None:
    try:
        asyncio.run(Supervisor(SCENARIOS[sys.argv[1]]()).run())
    except CannotStart as reason:
        sys.exit(f"refused: {reason}")


class Watched:
    """A started program and the lines it has said so far."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.text: list[str] = []
        self.lines: list[dict[str, Any]] = []  # those of the text that are JSON
        self.errors = ""
        self._over = False
        self._reading = asyncio.create_task(self._read())
        self._said = asyncio.Condition()

    @property
    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    async def until(self, event: str, *, times: int = 1, **facts: object) -> dict[str, Any]:
        """Wait until it has said this so many times; gives the last of these lines."""

        def found() -> list[dict[str, Any]]:
            wanted = {"event": event, **facts}
            return [line for line in self.lines if wanted.items() <= line.items()]

        async with asyncio.timeout(PATIENCE), self._said:
            await self._said.wait_for(lambda: len(found()) >= times or self._over)
        assert len(found()) >= times, f"{event} {facts} was not said: {self.lines}"
        return found()[times - 1]

    async def ended(self) -> int:
        """Wait for its end and its last words; gives the exit code."""
        async with asyncio.timeout(PATIENCE):
            await self._reading
            if self.process.stderr is not None and not self.process.stderr.at_eof():
                self.errors = (await self.process.stderr.read()).decode()
            return await self.process.wait()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.text.append(line.decode().rstrip())
            with suppress(ValueError):
                self.lines.append(json.loads(line))
            async with self._said:
                self._said.notify_all()
        self._over = True
        async with self._said:
            self._said.notify_all()


@asynccontextmanager
async def started(*arguments: str, **env: str) -> AsyncIterator[Watched]:
    """Run a Python module with JSON lines; it is stopped afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, "LOG_FORMAT": "json", **env},  # noqa: TID251 - a child's
        cwd=Path(__file__).parents[1],
    )
    watched = Watched(process)
    try:
        yield watched
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await watched.ended()


async def gone(*pids: int) -> None:
    """Wait until none of these processes is there any more, or only as a zombie."""
    async with asyncio.timeout(PATIENCE):
        while any(_runs(pid) for pid in pids):  # noqa: ASYNC110 - not our children: nobody tells us
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    main()
