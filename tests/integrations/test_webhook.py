"""Posting to a receiver that answers."""

import asyncio

import pytest

from app.integrations.errors import Failure
from app.integrations.webhook import DeliveryError, Target, Webhooks
from tests.servers import Answer, Sink, eventually_async

HEADERS = {"content-type": "application/json", "webhook-id": "msg_1"}


async def test_the_receiver_gets_exactly_what_was_given(
    sink: Sink, webhooks: Webhooks, target: Target
) -> None:
    body = '{"subject": "Média"}'.encode()
    await webhooks.post(target, body, HEADERS, 10)
    (seen,) = sink.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/hook", body)
    assert HEADERS.items() <= seen.headers.items()
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["user-agent"] == "signal-server"
    assert seen.headers["host"] == f"127.0.0.1:{sink.port}"


async def test_the_answer_comes_back_with_its_times(sink: Sink, webhooks: Webhooks, target: Target) -> None:
    sink.default = Answer(status=201, body=b'{"success": true}', headers={"X-Thing": "one"})
    answer = await webhooks.post(target, b"{}", HEADERS, 10)
    assert (answer.status, answer.body, answer.truncated) == (201, b'{"success": true}', False)
    assert answer.headers["x-thing"] == "one"
    assert answer.peer == "127.0.0.1"
    assert set(answer.timings) == {"dns", "connect", "send", "wait", "read"}


async def test_a_second_request_uses_the_same_connection(
    sink: Sink, webhooks: Webhooks, target: Target
) -> None:
    await webhooks.post(target, b"{}", HEADERS, 10)
    again = await webhooks.post(target, b"{}", HEADERS, 10)
    assert sink.connections == 1
    assert "connect" not in again.timings
    assert again.peer == "127.0.0.1"


@pytest.mark.parametrize("status", [204, 301, 307, 400, 410, 422, 429, 500, 503])
async def test_every_status_is_an_answer(sink: Sink, webhooks: Webhooks, target: Target, status: int) -> None:
    sink.default = Answer(status=status, body=b"")
    assert (await webhooks.post(target, b"{}", HEADERS, 10)).status == status


async def test_a_redirect_is_not_followed(sink: Sink, webhooks: Webhooks, target: Target) -> None:
    elsewhere = f"http://127.0.0.1:{sink.port}/elsewhere"
    sink.default = Answer(status=307, headers={"location": elsewhere})
    answer = await webhooks.post(target, b"{}", HEADERS, 10)
    assert (answer.status, answer.headers["location"]) == (307, elsewhere)
    assert [seen.path for seen in sink.seen] == ["/hook"]


async def test_secrets_in_the_answer_are_not_kept(sink: Sink, webhooks: Webhooks, target: Target) -> None:
    sink.default = Answer(headers={"Set-Cookie": "a=b", "WWW-Authenticate": "Basic", "X-Thing": "one"})
    kept = (await webhooks.post(target, b"{}", HEADERS, 10)).headers
    assert "x-thing" in kept
    assert not {"set-cookie", "www-authenticate"} & kept.keys()


async def test_of_many_long_headers_some_are_kept_short_and_the_deciding_ones_first(
    sink: Sink, webhooks: Webhooks, target: Target
) -> None:
    many = {f"x-{number}": "y" * 1500 for number in range(40)}
    sink.default = Answer(status=503, headers={**many, "Retry-After": "120"})
    kept = (await webhooks.post(target, b"{}", HEADERS, 10)).headers
    assert len(kept) == 32
    assert kept["retry-after"] == "120"
    assert max(len(value) for value in kept.values()) == 1024


async def test_a_long_answer_is_cut(sink: Sink, webhooks: Webhooks, target: Target) -> None:
    sink.default = Answer(body=b"x" * 1_000_000)
    answer = await webhooks.post(target, b"{}", HEADERS, 10)
    assert (answer.status, len(answer.body), answer.truncated) == (200, 64 * 1024, True)


async def test_a_compressed_answer_stays_as_it_came(sink: Sink, webhooks: Webhooks, target: Target) -> None:
    sink.default = Answer(body=b"\x1f\x8b not really", headers={"content-encoding": "gzip"})
    assert (await webhooks.post(target, b"{}", HEADERS, 10)).body == b"\x1f\x8b not really"


async def test_a_receiver_that_hangs_holds_up_no_other(sink: Sink, webhooks: Webhooks) -> None:
    sink.answers.append(Answer.hang())
    slow = Target(key="slow", url=sink.url, max_connections=1)
    hanging = asyncio.create_task(webhooks.post(slow, b"{}", HEADERS, 10))
    await eventually_async(lambda: sink.seen)
    answer = await webhooks.post(Target(key="quick", url=sink.url), b"{}", HEADERS, 10)
    assert answer.status == 200
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging


async def test_an_endpoint_has_no_more_connections_than_it_may(sink: Sink, webhooks: Webhooks) -> None:
    sink.default = Answer(delay=0.02)
    narrow = Target(key=1, url=sink.url, max_connections=2)
    await asyncio.gather(*(webhooks.post(narrow, b"{}", HEADERS, 10) for _ in range(10)))
    assert sink.connections == 2


async def test_a_changed_endpoint_gets_new_connections(
    sink: Sink, webhooks: Webhooks, target: Target
) -> None:
    await webhooks.post(target, b"{}", HEADERS, 10)
    changed = Target(key=target.key, url=sink.url + "/other")
    await webhooks.post(changed, b"{}", HEADERS, 10)
    assert sink.connections == 2
    assert [seen.path for seen in sink.seen] == ["/hook", "/hook/other"]


async def test_what_is_on_its_way_when_the_endpoint_goes_still_arrives(
    sink: Sink, webhooks: Webhooks, target: Target
) -> None:
    sink.default = Answer(delay=0.1)
    posting = asyncio.create_task(webhooks.post(target, b"{}", HEADERS, 10))
    await eventually_async(lambda: sink.seen)
    await webhooks.aclose()
    assert (await posting).status == 200


async def test_a_connection_that_the_receiver_closed_meanwhile_is_not_used(
    sink: Sink, webhooks: Webhooks, target: Target
) -> None:
    ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    sink.answers.append(Answer.raw(ok))
    assert (await webhooks.post(target, b"{}", HEADERS, 10)).status == 200
    await eventually_async(lambda: sink.talking == 0)
    assert (await webhooks.post(target, b"{}", HEADERS, 10)).status == 200
    assert sink.connections == 2


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\0b"])
async def test_a_header_that_would_be_two_is_never_sent(
    sink: Sink, webhooks: Webhooks, target: Target, value: str
) -> None:
    with pytest.raises(DeliveryError) as refused:
        await webhooks.post(target, b"{}", {"x-thing": value}, 10)
    assert refused.value.reason is Failure.PROTOCOL_ERROR
    assert refused.value.permanent
    assert not refused.value.sent
    assert sink.seen == []
