"""How httpcore reaches the network: names resolved once, judged, and the judged address connected to."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpcore2

from app.integrations.errors import Failure, IntegrationError, failure_of
from app.integrations.journey import Journey, current
from app.integrations.network import Gate
from app.integrations.resolver import resolve

CONNECT_LIMIT = 5.0


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """TLS asks for the name as before: only the address is ours. `plain`: the request is not encrypted."""

    def __init__(self, gate: Gate, *, plain: bool) -> None:
        self._gate = gate
        self._plain = plain
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(  # type: ignore[override]  # of its options httpcore passes none but these
        self, host: str, port: int, **_: object
    ) -> httpcore2.AsyncNetworkStream:
        journey = current.get()
        journey.start("dns")
        addresses = await resolve(host, port)
        journey.stop()
        for address in addresses:  # one bad answer condemns the name
            self._gate.judge(address, port, plain=self._plain)
        journey.start("connect")
        stream = await self._first(addresses, port, journey)
        journey.stop()
        return _Stream(stream)

    async def connect_unix_socket(self, *_: object, **__: object) -> httpcore2.AsyncNetworkStream:
        raise IntegrationError(Failure.PRIVATE_ADDRESS, "a socket of this machine", permanent=True)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _first(
        self, addresses: Sequence[str], port: int, journey: Journey
    ) -> httpcore2.AsyncNetworkStream:
        failure = IntegrationError(Failure.NAME_NOT_FOUND, "the name has no address")
        for address in addresses:
            journey.peer = address
            try:
                async with asyncio.timeout(
                    CONNECT_LIMIT / len(addresses)
                ):  # one that is deaf leaves the others time
                    stream = await self._network.connect_tcp(address, port)
            except TimeoutError:
                failure = IntegrationError(Failure.TIMED_OUT, f"{address} does not answer")
            except httpcore2.ConnectError as error:
                failure = _failure(error)
            else:
                await self._refuse_ourselves(stream, address, port)
                return stream
        raise failure

    async def _refuse_ourselves(self, stream: httpcore2.AsyncNetworkStream, address: str, port: int) -> None:
        """A connection to any address of this machine comes from that address, however public it is."""
        ours = stream.get_extra_info("client_addr")
        if ours and ours[0] == address and not self._gate.allows(address, port):
            await stream.aclose()
            raise IntegrationError(Failure.PRIVATE_ADDRESS, f"{address} is this machine", permanent=True)


class _Stream(httpcore2.AsyncNetworkStream):
    """A connection that is closed when its handshake is broken off: httpcore forgets it when cancelled."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream

    async def start_tls(self, *given: Any, **named: Any) -> httpcore2.AsyncNetworkStream:  # noqa: ANN401
        try:
            return await self._stream.start_tls(*given, **named)
        except BaseException:
            await self._stream.aclose()
            raise

    async def read(self, *given: Any, **named: Any) -> bytes:  # noqa: ANN401
        return await self._stream.read(*given, **named)

    async def write(self, *given: Any, **named: Any) -> None:  # noqa: ANN401
        await self._stream.write(*given, **named)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _failure(error: BaseException) -> IntegrationError:
    """Dig out the system's error, which says what happened: anyio wraps it, and httpcore wraps that."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return IntegrationError(failure_of(cause), str(cause))
        cause = cause.__cause__ or cause.__context__
    return IntegrationError(Failure.UNREACHABLE, str(error))
