"""Lines for standard output, one write each; one that cannot be written costs nothing but itself."""

import os
from contextlib import suppress


class Lines:
    """A text stream straight to a file descriptor: nothing is held back, so nothing fails later.

    Logging must never stop the work it tells of: a full disk, a closed pipe, no stdout at all lose the line.
    """

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd

    def write(self, text: str) -> int:
        with suppress(OSError):
            os.write(self._fd, text.encode("utf-8", "backslashreplace"))
        return len(text)

    def flush(self) -> None:
        """Nothing waits: for callers that expect a stream."""


def hold_standard_streams() -> None:
    """Let nothing else get the number of a standard stream that was closed: our lines would go into it."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - takes it by position only
