"""Tells the supervisor, through the pipe it left open, that this process works or why it never will."""

import asyncio
import os
from contextlib import suppress

PIPE = "SIGNAL_READY_FD"
READY = "ready"
BEAT = b"."
EVERY = 5.0


class CannotStart(Exception):
    """Something that only a person can mend stands in the way; the text names it."""


async def beat(every: float = EVERY) -> None:
    """Say that this process does its work now, then again and again that its loop still turns.

    Ends when nobody listens; a listener who is slow costs nothing but the beat.
    """
    pipe = os.environ.pop(PIPE, "")
    if not pipe:
        return
    with suppress(OSError), os.fdopen(int(pipe), "wb", buffering=0) as supervisor:
        os.set_blocking(supervisor.fileno(), False)  # a full pipe then takes nothing, and that is all
        supervisor.write(f"{READY}\n".encode())
        while True:
            await asyncio.sleep(every)
            supervisor.write(BEAT)


def refuse(reason: str) -> bool:
    """Say that starting again would not help; False when no supervisor listens and the caller must say it."""
    pipe = os.environ.pop(PIPE, "")
    if not pipe:
        return False
    with suppress(OSError):  # a supervisor that is gone has ended us already
        os.write(int(pipe), reason.encode())
        os.close(int(pipe))
    return True
