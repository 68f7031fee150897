"""What the pages of settings share: how a form stands."""

from collections.abc import Mapping
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import LogEvent
from app.rules.verdict import Reason


async def form_state(
    db: AsyncSession, raw: Mapping[str, Any], problems: Mapping[str, Reason] | None, *, event: str
) -> dict[str, Any]:
    """Give the form's values, what is wrong with them, and when they were last saved (the `event`)."""
    return {
        "raw": raw,
        "saved": await LogEvent.latest(db, event),
        "problems": {name: reason.to_json() for name, reason in (problems or {}).items()},
        "focus": next(iter(problems or {}), ""),
        "left_out": [],
    }
