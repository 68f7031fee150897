"""Looks names up without letting a slow name server hold anything but itself."""

import asyncio
import contextlib
import ipaddress
import socket
import threading

from app.integrations.errors import Failure, IntegrationError

LIMIT = 3.0
MOST_AT_ONCE = 64  # lookups that hang keep their thread until the system gives up
MOST_ADDRESSES = 16

_running = threading.BoundedSemaphore(MOST_AT_ONCE)


async def resolve(host: str, port: int, limit: float = LIMIT) -> tuple[str, ...]:
    """The addresses of a name in the system's order, or the address itself."""
    with contextlib.suppress(ValueError):
        return (str(ipaddress.ip_address(host)),)
    if not _running.acquire(blocking=False):
        raise IntegrationError(Failure.TIMED_OUT, "too many names are being looked up")
    found: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
    # A thread for each lookup: the loop's own few would all wait for one dead name server, and hold the exit.
    threading.Thread(target=_look_up, args=(host, port, found), daemon=True, name=f"dns {host[:40]}").start()
    try:
        async with asyncio.timeout(limit):
            return await found
    except TimeoutError as error:
        raise IntegrationError(Failure.TIMED_OUT, "the name server does not answer") from error


def _look_up(host: str, port: int, found: asyncio.Future[tuple[str, ...]]) -> None:
    answer: tuple[str, ...] | IntegrationError
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answer = tuple(dict.fromkeys(str(entry[4][0]) for entry in answers))[:MOST_ADDRESSES]
    except (OSError, UnicodeError) as error:
        answer = IntegrationError(Failure.NAME_NOT_FOUND, str(error))
    finally:
        _running.release()
    with contextlib.suppress(RuntimeError):  # the loop is gone, and so is whoever asked
        found.get_loop().call_soon_threadsafe(_tell, found, answer)


def _tell(found: asyncio.Future[tuple[str, ...]], answer: tuple[str, ...] | IntegrationError) -> None:
    if found.done():
        return
    if isinstance(answer, IntegrationError):
        found.set_exception(answer)
    else:
        found.set_result(answer)
