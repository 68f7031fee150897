"""A receiver that costs next to nothing, in a process of its own: `/N/…` is answered after N milliseconds."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any, Self

import httpx2

OK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n{"success": true}'


class Receiver:
    """`with Receiver() as receiver: receiver.url(50), receiver.seen()`."""

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = int(listener.getsockname()[1])
        command = [sys.executable, "-m", "tests.bench.receiver", str(listener.fileno())]
        self._process = subprocess.Popen(command, pass_fds=(listener.fileno(),))
        listener.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def url(self, milliseconds: int, name: object) -> str:
        return f"http://127.0.0.1:{self.port}/{milliseconds}/{name}"

    def seen(self) -> dict[str, list[float]]:
        """When each request arrived (seconds since the epoch), by the name in its address."""
        seen: dict[str, list[float]] = httpx2.get(f"http://127.0.0.1:{self.port}/seen", timeout=30).json()
        return seen


class _Conversation(asyncio.Protocol):
    """One connection, one request at a time, which is all that our pools send."""

    seen: dict[str, list[float]]

    def __init__(self, seen: dict[str, list[float]]) -> None:
        self.seen = seen
        self._unread = b""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own signature
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        head, found, rest = self._unread.partition(b"\r\n\r\n")
        if not found or len(rest) < _length(head):
            return
        self._unread = b""
        path = head.split(b" ", 2)[1].decode()
        if path == "/seen":
            self._write(_json(self.seen))
            return
        _, milliseconds, name = path.split("/", 2)
        self.seen.setdefault(name, []).append(time.time())
        if milliseconds == "0":
            self._write(OK)
        else:
            asyncio.get_running_loop().call_later(int(milliseconds) / 1000, self._write, OK)

    def _write(self, answer: bytes) -> None:
        self._transport.write(answer)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _json(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


async def _serve(descriptor: int) -> None:
    seen: dict[str, list[float]] = {}
    loop = asyncio.get_running_loop()
    listener = socket.socket(fileno=descriptor)
    server = await loop.create_server(lambda: _Conversation(seen), sock=listener)
    parent = os.getppid()
    async with server:
        while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells a process that it was orphaned
            await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
