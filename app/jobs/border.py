"""The worker's border: an unexpected error is logged once, with its traceback, and the loop goes on."""

from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


async def guarded(name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Do one unit of work; what it left undone is found again by the sweep."""
    with structlog.contextvars.bound_contextvars(task=name):
        try:
            await work()
        except Exception:
            log.exception("unexpected")
