"""Keeps what is worth keeping of a receiver's answer, and no more of it than fits."""

import asyncio
from dataclasses import dataclass

import httpcore2

from app.integrations.journey import Journey

BODY_LIMIT = 64 * 1024
BODY_TIME = 2.0  # for what follows the status line: the answer itself is already there
HEADER_COUNT = 32
HEADER_LENGTH = 1024
_SECRET_HEADERS = {"set-cookie", "set-cookie2", "authorization", "www-authenticate", "proxy-authenticate"}
BROKEN = (httpcore2.NetworkError, httpcore2.ProtocolError)  # all that becomes of a connection
_FIRST_HEADERS = ("retry-after", "location", "content-type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the receiver said. Header names are lower-case; `truncated`: the body is not all of it."""

    status: int
    headers: dict[str, str]
    body: bytes
    truncated: bool
    timings: dict[str, float]
    peer: str


async def read_answer(response: httpcore2.Response, journey: Journey, deadline: float) -> Answer:
    """Read what there is of the body; the status stands even when the rest never comes."""
    journey.peer = _peer(response) or journey.peer
    journey.start("read")
    pieces: list[bytes] = []
    whole = False
    try:
        async with asyncio.timeout_at(min(deadline, asyncio.get_running_loop().time() + BODY_TIME)):
            whole = await _read(response, pieces)
    except (TimeoutError, *BROKEN):
        whole = False
    finally:
        await response.aclose()
    journey.stop()
    return Answer(
        status=response.status,
        headers=_kept(response.headers),
        body=b"".join(pieces)[:BODY_LIMIT],
        truncated=not whole,
        timings=journey.timings,
        peer=journey.peer,
    )


def switched(journey: Journey) -> Answer:
    """101 Switching Protocols: a final status that the HTTP library does not hand over."""
    journey.stop()
    return Answer(
        status=101, headers={}, body=b"", truncated=True, timings=journey.timings, peer=journey.peer
    )


async def _read(response: httpcore2.Response, pieces: list[bytes]) -> bool:
    length = 0
    async for chunk in response.aiter_stream():
        pieces.append(chunk)
        length += len(chunk)
        if length > BODY_LIMIT:
            return False
    return True


def _kept(sent: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers worth keeping: no secrets, not too many, and those that decide something first."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in sent:
        name, value = raw_name.decode("ascii").lower(), _text(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    names = [*(name for name in _FIRST_HEADERS if name in headers), *headers]
    wanted = [name for name in dict.fromkeys(names) if name not in _SECRET_HEADERS]
    return {name[:HEADER_LENGTH]: headers[name][:HEADER_LENGTH] for name in wanted[:HEADER_COUNT]}


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _peer(response: httpcore2.Response) -> str:
    stream = response.extensions.get("network_stream")
    address = stream.get_extra_info("server_addr") if stream is not None else None
    return str(address[0]) if address else ""
