"""Two endpoints in a process of their own, and everything they were sent."""

import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

PATHS = ("/one", "/two")


@dataclass(frozen=True, slots=True)
class Taken:
    """One request; `status` is what it was answered with, 0 for nothing at all."""

    path: str
    webhook_id: str
    lot: int
    status: int
    at: float


class Receiver:
    """`with Receiver(seed) as receiver: receiver.urls, receiver.taken`."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.taken: list[Taken] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.chaos.receiver_process", str(self._seed)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        port = int(self._process.stdout.readline())
        self.urls = [f"http://127.0.0.1:{port}{path}" for path in PATHS]
        self.address = f"127.0.0.1/32:{port}"  # for ALLOW_PRIVATE_TARGETS
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)
        self._reader.join(5)

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                path, webhook_id, lot, status, at = line.split()
                self.taken.append(Taken(path, webhook_id, int(lot), int(status), float(at)))

    def accepted(self) -> Mapping[tuple[int, str], list[Taken]]:
        """Everything that was answered with a yes, by mail and endpoint, in the order of arrival."""
        found: dict[tuple[int, str], list[Taken]] = defaultdict(list)
        for taken in list(self.taken):
            if taken.status == 200:
                found[taken.lot, taken.path].append(taken)
        return found
