"""One request's way to the receiver and back: how long each stretch took, and how far it came."""

import time
from contextvars import ContextVar


class Journey:
    """Filled while the request travels: `timings` in milliseconds, `sent` once its body may have left."""

    def __init__(self) -> None:
        self.timings: dict[str, float] = {}
        self.peer = ""
        self.sent = False
        self.stretch = ""
        self._began = 0.0

    def start(self, stretch: str) -> None:
        """End the stretch before it, too; one that is gone on with is counted as a whole."""
        if stretch != self.stretch:
            self.stop()
            self.stretch = stretch
            self._began = time.perf_counter()

    def stop(self) -> None:
        """Note how long the stretch took; also called where it was broken off."""
        if self.stretch:
            self.timings[self.stretch] = round((time.perf_counter() - self._began) * 1000, 1)
            self.stretch = ""


# A connection is made, written to and read by the task whose request needs it: this finds the right journey.
current: ContextVar[Journey] = ContextVar("journey")
