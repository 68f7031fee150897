"""The whole program, started as an operator starts it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx2

from tests.servers.port import free_port
from tests.servers.waiting import eventually

SIGN_IN = re.compile(r"^Sign in: (http://\S+)$", re.MULTILINE)
LAST_WORDS = 150  # lines
START = 60.0  # seconds: two shared cores, and every import for the first time


class Program:
    """`with Program(folder, env) as program:` runs `signal-server run` until the block ends.

    `module` is run instead, with the same arguments, where something is to be broken on purpose; `within`
    is a command that runs another one, elsewhere than in our own surroundings.
    """

    def __init__(
        self,
        data_dir: Path,
        env: Mapping[str, str],
        *arguments: str,
        module: str = "app.cli",
        within: Sequence[str] = (),
    ) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._arguments, self._module, self._within = arguments, module, within
        self._env = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), **env}  # noqa: TID251
        self._lines: list[str] = []

    def __enter__(self) -> Self:
        command = (
            *self._within,
            sys.executable,
            "-m",
            self._module,
            "run",
            "--port",
            str(self.port),
            "--data-dir",
            str(self.data_dir),
        )
        self.process = subprocess.Popen(
            (*command, *self._arguments),
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        eventually(lambda: SIGN_IN.search(self.output) or self.process.poll() is not None, timeout=START)
        if self.process.poll() is not None:
            raise AssertionError(self.output)
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is not None:
            print("".join(self._lines[-LAST_WORDS:]))  # noqa: T201 - pytest shows it beside the failure
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        finally:
            self.process.kill()
            self._reader.join(5)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self._lines.append(line)

    @property
    def output(self) -> str:
        return "".join(self._lines)

    @property
    def sign_in_link(self) -> str:
        found = SIGN_IN.search(self.output)
        assert found, self.output
        return found[1]

    @contextmanager
    def signed_in(self) -> Iterator[httpx2.Client]:
        """A client that has signed in by the printed link."""
        with httpx2.Client(base_url=self.url, follow_redirects=True, timeout=20) as client:
            client.post(self.sign_in_link, headers={"Origin": self.url})
            yield client
