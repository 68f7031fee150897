"""The worker's border: an unexpected error is logged once, with its traceback, and the loop goes on."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from app.models.trouble import trouble_of

log = structlog.get_logger()

Work = Callable[[], Awaitable[object]]
Given = TypeVar("Given")


async def guarded(
    name: str, work: Callable[[], Awaitable[Given]], *, failed: Work | None = None
) -> Given | None:
    """Do one unit of work and give what it gave; when it breaks, `failed` says so in its row."""
    with structlog.contextvars.bound_contextvars(task=name):
        try:
            return await work()
        except Exception as error:
            trouble = trouble_of(error)
            if trouble is None:
                log.exception("unexpected")
            else:
                log.warning("database in trouble", trouble=trouble, error=str(getattr(error, "orig", error)))
            if failed is not None:
                await guarded(f"{name} failed", failed)
            return None
