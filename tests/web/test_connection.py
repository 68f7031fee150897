"""What arrives is not always HTTP, and not always in a hurry."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.config import Config
from app.web.connection import Connection
from app.web.server import settings
from tests.servers.port import free_port
from tests.web.client import Served, Site

AMBIGUOUS = [
    "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost : x\r\n\r\n",
    "GET /health HTTP/1.1\r\n\r\n",
    "GET /health\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: x\r\nLong: " + "x" * 20_000,
    "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
]
ASK = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
DETOURS = [
    "/./api/invariants",
    "/login/../api/invariants",
    "/static/..%2fapi/invariants",
    "/api/invariants;/login",
    "*",
]


async def test_a_head_that_may_mean_two_things_is_refused(site: Site) -> None:
    for head in AMBIGUOUS:
        assert (await send(site.config.port, head)).startswith(b"HTTP/1.1 400"), head


async def test_no_spelling_of_a_path_gets_around_the_gate(site: Site) -> None:
    for path in DETOURS:
        answer = await send(site.config.port, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert answer.split()[1] in {b"303", b"401", b"404"}, path
        assert b"I1" not in answer


async def test_who_connects_and_says_nothing_is_hung_up_on(tmp_path: Path) -> None:
    with hasty(tmp_path) as port:
        assert await send(port, "") == b""


async def test_who_never_ends_a_head_is_hung_up_on(tmp_path: Path) -> None:
    with hasty(tmp_path) as port:
        assert await send(port, "GET / HTTP/1.1\r\nHost: x\r\n", drip="a: b\r\n") == b""


async def test_who_asks_is_answered_and_may_ask_again(tmp_path: Path) -> None:
    ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with hasty(tmp_path) as port:
        answer = await send(port, ask + ask + "GET / HTTP/1.1\r\n")
    assert answer.count(b"HTTP/1.1 200") == 2


async def test_one_address_holds_so_many_connections_and_no_more(tmp_path: Path) -> None:
    with hasty(tmp_path, Narrow) as port:
        async with half_sent(port, Narrow.most) as held:
            assert await send(port, "") == b""
            assert (await ended(*held[0])).startswith(b"HTTP/1.1 200")
            assert (await send(port, ASK)).startswith(b"HTTP/1.1 200")


async def test_a_proxy_on_this_machine_may_hold_more(tmp_path: Path) -> None:
    with hasty(tmp_path, Wide) as port:
        async with half_sent(port, Wide.most + 1) as held:
            assert all([(await ended(*one)).startswith(b"HTTP/1.1 200") for one in held])


@asynccontextmanager
async def half_sent(port: int, count: int) -> AsyncIterator[list[tuple[StreamReader, StreamWriter]]]:
    """Connections on which the last line of the head is still to come."""
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    try:
        for _, writer in held:
            writer.write(ASK.removesuffix("\r\n").encode())
        yield held
    finally:
        for _, writer in held:
            writer.close()
            await writer.wait_closed()


async def ended(reader: StreamReader, writer: StreamWriter) -> bytes:
    writer.write(b"\r\n")
    return await asyncio.wait_for(reader.read(), 15)


async def send(port: int, head: str, *, drip: str = "") -> bytes:
    """Say this, go on dripping, and give what is answered until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode("latin-1"))
    answer = asyncio.create_task(reader.read())
    while drip and not answer.done():
        writer.write(drip.encode())
        await asyncio.wait([answer], timeout=0.02)
    try:
        return await asyncio.wait_for(answer, 15)
    finally:
        writer.close()


class Hasty(Connection):
    patience = 0.1


class Wide(Connection):
    most = 3
    patience = 60.0  # longer than the test's


class Narrow(Wide):
    spares_loopback = False


@contextmanager
def hasty(folder: Path, http: type[Connection] = Hasty) -> Iterator[int]:
    """A server whose connections are such, by default hasty ones; gives the port it is on."""
    app = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("hello"))])
    config = settings(app, Config.load(host="127.0.0.1", port=free_port(), data_dir=folder))
    config.http, config.timeout_keep_alive = http, 1
    with Served(uvicorn.Server(config)):
        yield config.port
