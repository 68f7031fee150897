"""Posting to receivers that fail, hang, lie, or are not who they say."""

import asyncio
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import trustme

from app.integrations.errors import Failure
from app.integrations.network import Gate
from app.integrations.trust import Trust
from app.integrations.webhook import DeliveryError, Target, Webhooks
from tests.servers import Answer, Sink, eventually_async, free_port

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n"
LIMIT = 0.4


async def failure(webhooks: Webhooks, target: Target, limit: float = LIMIT) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        await webhooks.post(target, b"{}", {}, limit)
    return failed.value


async def test_nobody_listening_is_refused_and_nothing_was_sent() -> None:
    port = free_port()
    posting = Webhooks(Gate("127.0.0.1"))
    error = await failure(posting, Target(key=1, url=f"http://127.0.0.1:{port}/"))
    await posting.aclose()
    assert (error.reason, error.sent, error.peer) == (Failure.REFUSED, False, "127.0.0.1")
    assert "connect" in error.timings


async def test_an_unknown_name_is_not_found() -> None:
    posting = Webhooks(Gate())
    error = await failure(posting, Target(key=1, url="https://hook.invalid/"), 10)
    await posting.aclose()
    assert (error.reason, error.sent) == (Failure.NAME_NOT_FOUND, False)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer.hang(), Failure.TIMED_OUT),
        (Answer.reset(), Failure.CONNECTION_LOST),
        (Answer.raw(), Failure.CONNECTION_LOST),
        (Answer.raw(OK[:20]), Failure.CONNECTION_LOST),
        (Answer.raw(OK[:20], tear=True), Failure.CONNECTION_LOST),
        (Answer.raw(OK[:20], hold=True), Failure.TIMED_OUT),
        (Answer.raw(*(bytes([byte]) for byte in OK), every=0.05), Failure.TIMED_OUT),
        (Answer.endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", every=0.01), Failure.TIMED_OUT),
        (Answer.raw(b"garbage\r\n\r\n"), Failure.PROTOCOL_ERROR),
        (Answer.raw(b"\x00\x01\x02\r\n\r\n"), Failure.PROTOCOL_ERROR),
        (Answer.raw(b"HTTP/1.1 banana\r\n\r\n"), Failure.PROTOCOL_ERROR),
        (Answer.raw(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), Failure.PROTOCOL_ERROR),
        (Answer.raw(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"), Failure.PROTOCOL_ERROR),
        (Answer.endless(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 100_000), Failure.PROTOCOL_ERROR),
        (Answer.endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000), Failure.PROTOCOL_ERROR),
    ],
)
async def test_without_a_status_the_request_may_have_arrived(
    sink: Sink, webhooks: Webhooks, target: Target, *, answer: Answer, reason: Failure
) -> None:
    sink.default = answer
    error = await failure(webhooks, target)
    assert error.reason is reason
    assert error.sent
    assert error.peer == "127.0.0.1"
    assert {"connect", "send", "wait"} <= error.timings.keys()


@pytest.mark.parametrize(
    "answer",
    [
        Answer.raw(OK + b"part", hold=True),
        Answer.raw(OK + b"part", tear=True),
        Answer.raw(OK + b"part"),
        Answer.raw(OK, *([b"p", b"a", b"r", b"t"] * 10), every=0.2),
        Answer.raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\nXXX", hold=True),
    ],
)
async def test_with_a_status_the_answer_stands_whatever_becomes_of_its_body(
    sink: Sink, webhooks: Webhooks, target: Target, answer: Answer
) -> None:
    sink.default = answer
    said = await webhooks.post(target, b"{}", {}, 1.0)
    assert (said.status, said.truncated) == (200, True)
    assert b"part".startswith(said.body[:4])


@pytest.mark.parametrize("headers", [b"", b"upgrade: x\r\nconnection: upgrade\r\n"])
async def test_a_receiver_that_switches_protocols_has_answered_101(
    sink: Sink, webhooks: Webhooks, target: Target, headers: bytes
) -> None:
    sink.answers.append(Answer.raw(b"HTTP/1.1 101 Switching Protocols\r\n" + headers + b"\r\n", hold=True))
    said = await webhooks.post(target, b"{}", {}, 10)
    assert (said.status, said.body, said.truncated) == (101, b"", True)
    assert {"connect", "send", "wait"} <= said.timings.keys()
    assert (await webhooks.post(target, b"{}", {}, 10)).status == 200
    assert sink.connections == 2


async def test_an_endless_answer_is_cut_and_the_connection_closed(
    sink: Sink, webhooks: Webhooks, target: Target
) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    sink.answers.append(Answer.endless(head, b"3e8\r\n" + b"x" * 1000 + b"\r\n"))
    said = await webhooks.post(target, b"{}", {}, 10)
    assert (said.status, len(said.body), said.truncated) == (200, 64 * 1024, True)
    assert (await webhooks.post(target, b"{}", {}, 10)).status == 200
    assert sink.connections == 2


class Flood:
    """Sends a piece without end, and counts how much of it was taken off its hands."""

    def __init__(self, head: bytes, piece: bytes) -> None:
        self.sent = 0
        self._head, self._piece = head, piece

    def __call__(self, connection: socket.socket, closing: threading.Event) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        connection.sendall(self._head)
        while not closing.is_set():
            self.sent += connection.send(self._piece)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        pytest.param(OK.replace(b"20", b"99999999999"), b"x" * 65_536, id="body"),
        pytest.param(
            OK.replace(b"content-length: 20", b"content-encoding: gzip"), b"\x00" * 65_536, id="zip"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 10_000, id="header lines"),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 65_536, id="one header line"),
        pytest.param(b"", b"garbage" * 10_000, id="no HTTP"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n", b"x: y\r\n" * 10_000, id="early hints"),
    ],
)
async def test_of_a_flood_little_is_read(
    sink: Sink, webhooks: Webhooks, target: Target, *, head: bytes, piece: bytes
) -> None:
    flood = Flood(head, piece)
    sink.answers.append(Answer(wire=flood))
    with suppress(DeliveryError):
        said = await webhooks.post(target, b"{}", {}, 10)
        assert len(said.body) == 64 * 1024
    await eventually_async(lambda: sink.talking == 0)  # it was hung up on
    assert flood.sent < 8 * 2**20  # which is what the system's own buffers take


async def test_a_request_that_waits_for_a_connection_was_not_sent(sink: Sink, webhooks: Webhooks) -> None:
    sink.default = Answer.hang()
    narrow = Target(key=1, url=sink.url, max_connections=1)
    first = asyncio.create_task(webhooks.post(narrow, b"{}", {}, 2))
    await eventually_async(lambda: sink.seen)
    error = await failure(webhooks, narrow, 0.2)
    assert (error.reason, error.sent) == (Failure.TIMED_OUT, False)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_after_failures_the_endpoint_still_has_all_its_connections(
    sink: Sink, webhooks: Webhooks
) -> None:
    narrow = Target(key=1, url=sink.url, max_connections=2)
    sink.answers.extend([Answer.hang()] * 4)
    await asyncio.gather(*(failure(webhooks, narrow) for _ in range(4)))
    sink.answers.clear()
    answers = await asyncio.gather(*(webhooks.post(narrow, b"{}", {}, 10) for _ in range(6)))
    assert [answer.status for answer in answers] == [200] * 6


async def test_tls_is_verified_by_name(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    with served(authority.issue_cert("localhost", "127.0.0.1")) as sink:
        posting = Webhooks(Gate("127.0.0.1, ::1"), trust=Trust(lambda: trusting))
        answer = await posting.post(
            Target(key=1, url=sink.url.replace("127.0.0.1", "localhost")), b"{}", {}, 10
        )
        await posting.aclose()
    assert answer.status == 200
    assert "tls" in answer.timings


@pytest.mark.parametrize(
    "certificate",
    [
        pytest.param(lambda ours: ours.issue_cert("elsewhere.example"), id="wrong name"),
        pytest.param(lambda _: trustme.CA().issue_cert("127.0.0.1"), id="unknown authority"),
        pytest.param(
            lambda ours: ours.issue_cert("127.0.0.1", not_after=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
            id="expired",
        ),
    ],
)
async def test_a_receiver_that_cannot_prove_its_name_gets_nothing(
    authority: trustme.CA, trusting: ssl.SSLContext, certificate: object
) -> None:
    assert callable(certificate)
    with served(certificate(authority)) as sink:
        posting = Webhooks(Gate("127.0.0.1"), trust=Trust(lambda: trusting))
        error = await failure(posting, Target(key=1, url=sink.url), 10)
        assert (error.reason, error.sent, sink.seen) == (Failure.TLS_FAILED, False, [])
        assert "certificate" in error.detail.lower()
        # Only where the owner has said so.
        answer = await posting.post(Target(key=2, url=sink.url, verify=False), b"{}", {}, 10)
        await posting.aclose()
    assert answer.status == 200


async def test_a_receiver_without_tls_is_not_spoken_to_in_plain(sink: Sink, webhooks: Webhooks) -> None:
    error = await failure(webhooks, Target(key=1, url=sink.url.replace("http:", "https:")), 10)
    assert (error.reason, error.sent, sink.seen) == (Failure.TLS_FAILED, False, [])


async def test_a_handshake_that_never_ends_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the system accepts, nobody speaks
        posting = Webhooks(Gate("127.0.0.1"))
        silence = Target(key=1, url=f"https://127.0.0.1:{silent.getsockname()[1]}/")
        error = await failure(posting, silence, 2)
        await posting.aclose()
    assert (error.reason, error.sent) == (Failure.TIMED_OUT, False)
    assert "tls" in error.detail


@contextmanager
def served(certificate: trustme.LeafCert) -> Iterator[Sink]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with Sink(context=context) as sink:
        yield sink
