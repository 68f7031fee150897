"""The worker's border: an unexpected error is logged once, with its traceback, and the loop goes on."""

from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

Work = Callable[[], Awaitable[object]]


async def guarded(name: str, work: Work, *, failed: Work | None = None) -> None:
    """Do one unit of work; when it breaks, `failed` says so in its row."""
    with structlog.contextvars.bound_contextvars(task=name):
        try:
            await work()
        except Exception:
            log.exception("unexpected")
            if failed is not None:
                await guarded(f"{name} failed", failed)
