"""A connection on which somebody asks for something soon, or that is closed: idle ones would fill us up."""

import asyncio
from ipaddress import ip_address

from uvicorn.protocols.http.h11_impl import H11Protocol

from app.web.throttle import neighbourhood


class Connection(H11Protocol):
    """uvicorn waits for ever for the end of a request's head; we do not."""

    patience = 10.0  # seconds
    most = 100  # open ones of one address
    spares_loopback = True  # where a proxy stands for everybody

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.counted_as = self._place()
        if self._crowded():
            transport.close()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop()

    def _place(self) -> str:
        """Give the address as which this connection counts; empty when it does not count."""
        if self.client is None:
            return ""
        host = self.client[0].partition("%")[0]
        near = ip_address(host.removeprefix("::ffff:")).is_loopback
        return "" if near and self.spares_loopback else neighbourhood(host)

    def _crowded(self) -> bool:
        if not self.counted_as:
            return False
        open_ones = [one for one in self.connections if isinstance(one, Connection)]
        ours = [one for one in open_ones if one.counted_as == self.counted_as]
        return len(ours) > self.most

    def _watch(self) -> None:
        if not self._between_requests():
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.patience, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self._between_requests():
            self.transport.close()

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete
