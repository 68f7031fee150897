"""One request's way to the receiver and back: how long each stretch took, and how far it came."""

import time
from contextvars import ContextVar
from typing import Any

_STRETCHES = {
    "connection.start_tls": "tls",
    "http11.send_request_body": "send",
    "http11.receive_response_headers": "wait",
}


class Journey:
    """Filled while the request travels: `timings` in milliseconds, `sent` once its body may have left."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {}
        self.peer = ""
        self.sent = False
        self.stretch = ""
        self._began = 0.0

    def start(self, stretch: str) -> None:
        self.stretch = stretch
        self._began = time.perf_counter()

    def stop(self) -> None:
        """Note how long the stretch took; also called where it was broken off."""
        if self.stretch:
            self.timings[self.stretch] = round((time.perf_counter() - self._began) * 1000, 1)
            self.stretch = ""

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        """Listen to what httpcore tells its trace extension."""
        name, moment = event.rsplit(".", 1)
        stretch = _STRETCHES.get(name)
        if stretch is None:
            return
        if moment == "started":
            self.sent = self.sent or stretch == "send"
            self.start(stretch)
        elif moment == "complete":
            self.stop()


# The connection is made by the task whose request needs it, so this finds the right journey.
current: ContextVar[Journey] = ContextVar("journey")
