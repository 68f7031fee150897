"""Tells the supervisor, through the pipe it left open, that this process works or why it never will."""

import os
from contextlib import suppress

PIPE = "SIGNAL_READY_FD"
READY = "ready"


class CannotStart(Exception):
    """Something that only a person can mend stands in the way; the text names it."""


def announce() -> None:
    """Say that this process does its work now; without a supervisor nobody listens."""
    _tell(READY)


def refuse(reason: str) -> bool:
    """Say that starting again would not help; False when no supervisor listens and the caller must say it."""
    return _tell(reason)


def _tell(text: str) -> bool:
    pipe = os.environ.pop(PIPE, "")
    if not pipe:
        return False
    with suppress(OSError):  # a supervisor that is gone has ended us already
        os.write(int(pipe), text.encode())
        os.close(int(pipe))
    return True
