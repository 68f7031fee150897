"""The one place that asks what time it is; all else is told."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
