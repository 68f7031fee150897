"""The receiver's own process: takes webhooks as fast as they come, fails some, and says what it did."""

import asyncio
import random
import re
import sys
import time

FAILS, HANGS = 0.05, 0.01  # shares of all requests
_ID = re.compile(rb"\r\nwebhook-id: *(\S+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SUBJECT = re.compile(rb'"subject": *"chaos (\d+)"')
_YES = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n{"success": true}'
_NO = b"HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n"


class Talk(asyncio.Protocol):
    """One connection. A request that is left hanging takes its connection along."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while whole := self._request():
            self._answer(*whole)

    def _request(self) -> tuple[bytes, bytes] | None:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(rest) < int(length[1]):
            return None
        self._received = rest[int(length[1]) :]
        return head, rest[: int(length[1])]

    def _answer(self, head: bytes, body: bytes) -> None:
        fate = self._chance.random()
        status = 0 if fate < HANGS else 500 if fate < HANGS + FAILS else 200
        path, webhook_id, subject = head.split(b" ", 2)[1], _ID.search(head), _SUBJECT.search(body)
        assert webhook_id
        assert subject
        say(f"{path.decode()} {webhook_id[1].decode()} {subject[1].decode()} {status} {time.monotonic()}")
        if status:
            self._transport.write(_YES if status == 200 else _NO)


async def serve(seed: int) -> None:
    """Serve until standard input ends, which it does with whoever started us."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    chance = random.Random(seed)
    server = await loop.create_server(lambda: Talk(chance), "127.0.0.1", 0, backlog=1024)
    loop.add_reader(sys.stdin, ended.set)
    say(str(server.sockets[0].getsockname()[1]))
    await ended.wait()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
