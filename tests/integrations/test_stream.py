"""The connection under a request: what became of it while nobody looked."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

import httpcore2
import pytest

from app.integrations.errors import Failure
from app.integrations.journey import Journey, current
from app.integrations.network import Gate
from app.integrations.stream import MOST_UNREAD, Stream, connect
from app.integrations.webhook import DeliveryError, Target, Webhooks
from tests.servers import Answer, Sink, eventually_async

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Pair:
    """A connection and its other end, which the test holds."""

    def __init__(self, stream: Stream, other: socket.socket) -> None:
        self.stream, self.other = stream, other

    @property
    def readable(self) -> bool:
        return bool(self.stream.get_extra_info("is_readable"))

    async def converse(self) -> None:
        """One request and its answer."""
        await self.stream.write(b"head")
        await self.stream.write(b"body")
        assert self.other.recv(100) == b"headbody"
        self.other.sendall(b"answer")
        assert await self.stream.read(100) == b"answer"


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    current.set(Journey())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = await connect("127.0.0.1", listener.getsockname()[1])
        other, _ = listener.accept()
        with other:
            other.settimeout(10)
            yield Pair(stream, other)
            await stream.aclose()
    await asyncio.sleep(0)


async def test_an_end_shows_without_a_read(pair: Pair) -> None:
    await pair.converse()
    assert not pair.readable
    pair.other.shutdown(socket.SHUT_WR)
    await eventually_async(lambda: pair.readable)
    assert await pair.stream.read(100) == b""


async def test_a_request_is_not_begun_where_the_receiver_has_just_hung_up(pair: Pair) -> None:
    await pair.converse()
    pair.other.close()
    assert not pair.readable  # the event loop had no turn yet: only the system knows
    with pytest.raises(httpcore2.ConnectionNotAvailable):
        await pair.stream.write(b"head")


async def test_a_request_is_not_begun_after_words_that_nobody_asked_for(pair: Pair) -> None:
    await pair.converse()
    pair.other.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    await eventually_async(lambda: pair.readable)
    with pytest.raises(httpcore2.ConnectionNotAvailable):
        await pair.stream.write(b"head")


async def test_a_head_and_its_body_leave_together_and_several_requests_do_so_apart(pair: Pair) -> None:
    await pair.converse()
    await pair.converse()
    await pair.stream.write(b"head")
    pair.other.setblocking(False)  # noqa: FBT003 - the standard library's own
    with pytest.raises(BlockingIOError):
        pair.other.recv(100)
    pair.other.settimeout(10)
    reading = asyncio.create_task(pair.stream.read(100))  # a request of nothing but a head
    assert await asyncio.to_thread(pair.other.recv, 100) == b"head"
    pair.other.sendall(b"answer")
    assert await reading == b"answer"


async def test_no_more_is_taken_than_somebody_reads(pair: Pair) -> None:
    pair.other.settimeout(0)
    sent = 0
    with suppress(BlockingIOError):
        while True:
            sent += pair.other.send(b"x" * 65_536)
            await asyncio.sleep(0)
    assert sent > MOST_UNREAD
    pair.other.close()
    received = 0
    while piece := await pair.stream.read(10_000):
        assert len(piece) <= 10_000
        received += len(piece)
    assert received == sent  # and nothing of it is lost


async def test_a_torn_connection_gives_what_came_and_then_says_so(pair: Pair) -> None:
    pair.other.sendall(b"part")
    await eventually_async(lambda: pair.readable)
    pair.other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    pair.other.close()
    assert await pair.stream.read(100) == b"part"
    with pytest.raises(httpcore2.ReadError):
        await pair.stream.read(100)


async def test_a_receiver_that_does_not_read_lets_the_writer_wait(pair: Pair) -> None:
    await pair.stream.write(b"head")
    writing = asyncio.create_task(pair.stream.write(b"x" * 16 * 2**20))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not writing.done()
    pair.other.close()
    await writing  # there may still be an answer to read
    with pytest.raises(httpcore2.WriteError):
        await pair.stream.write(b"more")


async def test_what_a_receiver_says_before_the_handshake_is_no_answer(pair: Pair) -> None:
    pair.other.sendall(OK)
    await eventually_async(lambda: pair.readable)
    with pytest.raises(httpcore2.ConnectError, match="before the handshake"):
        await pair.stream.start_tls(ssl.create_default_context(), "127.0.0.1")
    assert current.get().stretch == "tls"


async def test_an_answer_in_plain_never_passes_for_one_over_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        talking = threading.Thread(target=_speak_first, args=(listener,), daemon=True)
        talking.start()
        posting = Webhooks(Gate("127.0.0.1"))
        target = Target(key=1, url=f"https://127.0.0.1:{listener.getsockname()[1]}/", verify=False)
        with pytest.raises(DeliveryError) as failed:
            await posting.post(target, b"{}", {}, 10)
        await posting.aclose()
        talking.join(10)
    assert (failed.value.reason, failed.value.sent) == (Failure.TLS_FAILED, False)


async def test_two_hundred_requests_to_a_receiver_that_hangs_up_after_each_all_arrive(
    sink: Sink, webhooks: Webhooks, target: Target
) -> None:
    """It says nothing of it beforehand: no `connection: close`, as a server that restarts."""
    sink.default = Answer(wire=_answer_and_hang_up)
    for _ in range(200):
        assert (await webhooks.post(target, b"{}", {}, 10)).status == 200
    assert (sink.connections, len(sink.seen)) == (200, 200)


async def test_many_idle_connections_that_end_at_once_cost_no_request(sink: Sink, webhooks: Webhooks) -> None:
    wide = Target(key=1, url=sink.url, max_connections=8)
    sink.default = Answer(wire=_answer_and_hang_up)
    for _ in range(5):
        answers = await asyncio.gather(*(webhooks.post(wide, b"{}", {}, 10) for _ in range(8)))
        assert [answer.status for answer in answers] == [200] * 8
    assert len(sink.seen) == 40


async def test_a_receiver_that_takes_no_request_at_all_is_asked_once(sink: Sink, webhooks: Webhooks) -> None:
    """Only a connection that has answered before is given up for another."""
    sink.default = Answer.raw()
    for _ in range(3):
        with pytest.raises(DeliveryError) as failed:
            await webhooks.post(Target(key=1, url=sink.url), b"{}", {}, 10)
        assert (failed.value.reason, failed.value.sent) == (Failure.CONNECTION_LOST, True)
    assert sink.connections == 3


def _answer_and_hang_up(connection: socket.socket, _: threading.Event) -> None:
    """Answer and end in one packet, so that no request can slip between the two."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    connection.sendall(OK)
    connection.shutdown(socket.SHUT_WR)


def _speak_first(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(10)
        connection.sendall(OK)
        with suppress(OSError):
            while connection.recv(4096):
                pass
