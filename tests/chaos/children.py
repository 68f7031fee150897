"""The program's processes: who they are, what they hold in memory, and how they are killed."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.bench.processes import PROC, family
from tests.servers.waiting import eventually

PARSER = "app.integrations.parser_process"
PAGE = os.sysconf("SC_PAGE_SIZE")


def children(pid: int) -> Iterator[tuple[str, int]]:
    """The living children of a program by their role, each parser too."""
    for child in family(pid):
        words = _read(child, "cmdline").rstrip(b"\0").decode().split("\0")
        if PARSER in words:
            yield "parser", child
        elif words[-1] in {"web", "worker"}:
            yield words[-1], child


def kill(pid: int) -> None:
    """Kill a process; it is gone when this returns."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: _state(pid) in {"", "Z", "X"})


class Memory:
    """Looks now and then what a program holds, all its processes together; `peak` is in MB."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.peak = 0

    def watch(self, wait: Callable[[float], bool]) -> None:
        while not wait(0.5):
            pages = sum(_resident(child) for child in family(self._pid))
            self.peak = max(self.peak, pages * PAGE // 1024**2)


def _resident(pid: int) -> int:
    words = _read(pid, "statm").split()
    return int(words[1]) if words else 0


def _state(pid: int) -> str:
    return _read(pid, "stat").rpartition(b")")[2].decode().strip()[:1]


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(PROC / str(pid) / name).read_bytes()
    except OSError:  # it ended while we looked
        return b""
