"""The supervisor's own lines, in the form of app.log's but without what importing that costs."""

import json
import os

from app.clock import now
from app.lines import Lines

LEVELS = ("debug", "info", "warning", "error")


def say(event: str, *, level: str = "info", **facts: object) -> None:
    """Write one line; the facts are our own words and numbers, never a person's."""
    least = os.environ.get("LOG_LEVEL", "")
    if LEVELS.index(level) < LEVELS.index(least if least in LEVELS else "info"):
        return  # a level that is none is the children's to refuse
    line = {"process": "supervisor", **facts, "event": event, "level": level, "timestamp": _now()}
    Lines().write((json.dumps(line) if os.environ.get("LOG_FORMAT") == "json" else _for_people(line)) + "\n")


def _now() -> str:
    return now().isoformat().replace("+00:00", "Z")


def _for_people(line: dict[str, object]) -> str:
    shown = " ".join(f"{key}={line[key]}" for key in line if key not in {"event", "level", "timestamp"})
    return f"{line['timestamp']} [{line['level']!s:<9}] {line['event']!s:<30} {shown}"
