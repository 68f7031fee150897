"""Looks names up without letting a slow name server hold anything but itself."""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from weakref import WeakKeyDictionary

from app.integrations.errors import Failure, IntegrationError

LIMIT = 3.0
MOST_THREADS = 256  # a lookup that hangs keeps its thread until the system gives up
MOST_FOR_A_NAME = 2
MOST_ADDRESSES = 16

LookUp = Callable[[str], Iterable[str]]
Resolve = Callable[[str], Awaitable[tuple[str, ...]]]
_Answer = tuple[str, ...] | OSError | ValueError


async def resolve(host: str) -> tuple[str, ...]:
    """Ask the resolver that all of this event loop shares; the contract is `Resolver.addresses`."""
    return await _shared.setdefault(asyncio.get_running_loop(), Resolver()).addresses(host)


class Resolver:
    """Everybody who asks for a name meanwhile waits for the same lookup; `threads`: all under way."""

    def __init__(self, look_up: LookUp | None = None, *, limit: float = LIMIT) -> None:
        self._look_up = look_up or _ask_the_system
        self.limit = limit
        self.threads = 0
        self._names: dict[str, _Name] = {}

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Give the addresses of a name in the system's order, or the address itself.

        Raises:
            IntegrationError: there are none, or nobody said so in time.
        """
        with contextlib.suppress(ValueError):
            return (str(ipaddress.ip_address(host)),)
        name = self._asked(host)
        answer = name.answer
        await asyncio.wait([answer], timeout=self.limit)
        if not answer.done():
            name.looked_up = False  # in vain: the next to ask may try with a second thread
            raise IntegrationError(Failure.TIMED_OUT, "the name server does not answer")
        said = answer.result()
        if isinstance(said, Exception):
            raise IntegrationError(Failure.NAME_NOT_FOUND, str(said)) from said
        return said

    def _asked(self, host: str) -> "_Name":
        name = self._names.get(host) or _Name()
        if not name.looked_up and name.threads < MOST_FOR_A_NAME:
            if self.threads < MOST_THREADS:
                self._start(host, name)
            elif not name.threads:
                raise IntegrationError(Failure.TIMED_OUT, "too many names are being looked up")
        return name

    def _start(self, host: str, name: "_Name") -> None:
        # A thread for each: the loop's own few would all wait for one dead name server, and hold the exit.
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._work, args=(host, loop), daemon=True, name=f"dns {host[:40]}").start()
        self._names[host] = name
        self.threads += 1
        name.threads += 1
        name.looked_up = True

    def _work(self, host: str, loop: asyncio.AbstractEventLoop) -> None:
        answer: _Answer
        try:
            answer = tuple(dict.fromkeys(self._look_up(host)))[:MOST_ADDRESSES]
        except (OSError, ValueError) as error:
            answer = error
        with contextlib.suppress(RuntimeError):  # the loop is gone, and so is whoever asked
            loop.call_soon_threadsafe(self._tell, host, answer)

    def _tell(self, host: str, answer: _Answer) -> None:
        name = self._names[host]
        name.answer.set_result(answer)
        self.threads -= 1
        name.threads -= 1
        name.looked_up = False
        name.answer = asyncio.get_running_loop().create_future()
        if not name.threads:
            del self._names[host]


class _Name:
    """`answer`: the next one, from whichever thread. `looked_up`: one is at it, and may yet be in time."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self.threads = 0
        self.looked_up = False


def _ask_the_system(host: str) -> Iterable[str]:
    return (str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, Resolver] = WeakKeyDictionary()
