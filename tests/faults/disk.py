"""A disk that remembers every write and every sync, fails when told to, and loses its power at any moment."""

import ctypes
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.faults import sqlite_files as c

WRITE, TRUNCATE, SYNC, DELETE = "write", "truncate", "sync", "delete"
LASTING = ("", "-wal")  # of the database's files; the third is shared memory, made anew after a crash


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that SQLite asked of a file; `at` is an offset, or the new size."""

    kind: str
    path: str
    at: int = 0
    data: bytes = b""


class Disk:
    """`with Disk(database) as disk:` around every connection to a database: the real library and file.

    `fault` is asked before each step whether it goes wrong, and with which of SQLite's codes.
    """

    def __init__(self, database: Path) -> None:
        self.database = database
        self._watched = {f"{database}{ending}" for ending in LASTING}
        self.before = {path: Path(path).read_bytes() for path in self._watched if Path(path).exists()}
        self.steps: list[Step] = []
        self.refused: list[Step] = []
        self.fault: Callable[[Step], int] = _none
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(c.replaced(opened=self._opened, deleted=self._deleted))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def fill_up(self, *, after: int = 0) -> None:
        """From now on, or after so many steps more, no file grows."""
        last = len(self.steps) + after
        self.fault = lambda step: self._full(step) if len(self.steps) >= last else c.OK

    def fail_now_and_then(self, chance: random.Random, share: float) -> None:
        """Let some writes and syncs fail, as a dying disk does."""
        codes = {WRITE: c.IOERR_WRITE, SYNC: c.IOERR_FSYNC}
        self.fault = lambda step: codes.get(step.kind, c.OK) if chance.random() < share else c.OK

    def mend(self) -> None:
        self.fault = _none

    def _full(self, step: Step) -> int:
        grows = step.kind == WRITE and step.at + len(step.data) > Path(step.path).stat().st_size
        return c.FULL if grows else c.OK

    def _opened(self, path: str, methods: c.Methods) -> c.Methods:
        ours = c.copy_of(methods)
        if path not in self._watched:
            return ours
        real = [c.apart(one) for one in (methods.write, methods.truncate, methods.sync)]
        real_write, real_truncate, real_sync = real

        def write(file: Any, data: int, length: int, at: int) -> int:  # noqa: ANN401 - a pointer
            step = Step(WRITE, path, at, ctypes.string_at(data, length))
            return self._take(step, lambda: real_write(file, data, length, at))

        def truncate(file: Any, size: int) -> int:  # noqa: ANN401
            return self._take(Step(TRUNCATE, path, size), lambda: real_truncate(file, size))

        def sync(file: Any, flags: int) -> int:  # noqa: ANN401
            return self._take(Step(SYNC, path), lambda: real_sync(file, flags))

        ours.write, ours.truncate, ours.sync = c.Write(write), c.Truncate(truncate), c.Sync(sync)
        return ours

    def _take(self, step: Step, do: Callable[[], int]) -> int:
        code = self.fault(step)
        if code != c.OK:
            self.refused.append(step)
            return code
        code = do()
        if code == c.OK:
            self.steps.append(step)
        return code

    def _deleted(self, path: str) -> None:
        if path in self._watched:
            self.steps.append(Step(DELETE, path))


def after_power_loss(disk: Disk, moment: int, chance: random.Random) -> dict[str, bytes]:
    """What the files hold when the power went after so many steps.

    What was synced is there. Of the rest each write is there, or is not, or only its beginning.
    """
    lasting = {path: bytearray(content) for path, content in disk.before.items()}
    unsynced: dict[str, list[Step]] = {}
    for step in disk.steps[:moment]:
        if step.kind == SYNC:
            _apply(lasting, unsynced.pop(step.path, []))
        else:
            unsynced.setdefault(step.path, []).append(step)
    for steps in unsynced.values():
        _apply(lasting, [part for step in steps for part in _left(step, chance)])
    return {path: bytes(content) for path, content in lasting.items()}


def _left(step: Step, chance: random.Random) -> list[Step]:
    fate = chance.choice(("whole", "lost", "torn"))
    if fate == "torn" and step.kind == WRITE:
        return [Step(WRITE, step.path, step.at, step.data[: chance.randrange(len(step.data))])]
    return [step] if fate == "whole" else []


def _apply(files: dict[str, bytearray], steps: Sequence[Step]) -> None:
    for step in steps:
        if step.kind == DELETE:
            files.pop(step.path, None)
            continue
        content = files.setdefault(step.path, bytearray())
        if step.kind == TRUNCATE:
            del content[step.at :]
        else:
            content.extend(bytes(max(0, step.at - len(content))))
            content[step.at : step.at + len(step.data)] = step.data


def _none(_step: Step) -> int:
    return c.OK
