"""How httpcore reaches the network: names resolved once, judged, and the judged address connected to."""

import asyncio
from collections.abc import Sequence

import httpcore2

from app.integrations.errors import Failure, IntegrationError, failure_of
from app.integrations.journey import Journey, current
from app.integrations.network import Gate, private
from app.integrations.resolver import Resolve
from app.integrations.stream import Stream, connect

CONNECT_LIMIT = 5.0


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """TLS asks for the name as before: only the address is ours. `plain`: the request is not encrypted."""

    def __init__(self, gate: Gate, resolve: Resolve, *, plain: bool) -> None:
        self._gate = gate
        self._resolve = resolve
        self._plain = plain

    async def connect_tcp(  # type: ignore[override]  # of its options httpcore passes none but these
        self, host: str, port: int, **_: object
    ) -> Stream:
        journey = current.get()
        journey.start("dns")
        addresses = await self._resolve(host)
        journey.stop()
        for address in addresses:  # one bad answer condemns the name
            self._gate.judge(address, port, plain=self._plain)
        journey.start("connect")
        stream = await self._first(addresses, port, journey)
        journey.stop()
        return stream

    async def connect_unix_socket(self, *_: object, **__: object) -> httpcore2.AsyncNetworkStream:
        raise IntegrationError(Failure.PRIVATE_ADDRESS, "a socket of this machine", permanent=True)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _first(self, addresses: Sequence[str], port: int, journey: Journey) -> Stream:
        failure = IntegrationError(Failure.NAME_NOT_FOUND, "the name has no address")
        for address in addresses:
            journey.peer = address
            try:
                # one that is deaf leaves the others time
                async with asyncio.timeout(CONNECT_LIMIT / len(addresses)):
                    stream = await connect(address, port)
            except TimeoutError:
                failure = IntegrationError(Failure.TIMED_OUT, f"{address} does not answer")
            except OSError as error:
                failure = IntegrationError(failure_of(error), str(error))
            else:
                await self._refuse_ourselves(stream, address, port)
                return stream
        raise failure

    async def _refuse_ourselves(self, stream: Stream, address: str, port: int) -> None:
        """A connection to any address of this machine comes from that address, however public it is."""
        ours = stream.get_extra_info("client_addr")
        if not ours or ours[0] != address:
            return
        try:
            self._gate.refuse_ours(port)
            if not self._gate.allows(address, port):
                raise private(address, port)
        except IntegrationError:
            await stream.aclose()
            raise
