"""Three routing rules to begin with, for programs that find none."""

import re
from collections.abc import Sequence
from typing import Any

from app.rules.routing import LONGEST_PATTERN


def beginnings(url: str, senders: Sequence[str]) -> list[dict[str, Any]]:
    """Give what the presets take, as far as that shape goes; they leave accents to the comparison."""
    pattern = f"^({'|'.join(map(re.escape, senders))})$"
    fits = senders and len(pattern) <= LONGEST_PATTERN  # each mailbox asks for its senders all the same
    known = [("sender", "regex", pattern)] if fits else []
    offer = [("body", "contains", "journée"), ("body", "contains", "tarifs habituels")]
    mission = [("subject", "contains", "média solution"), ("subject", "contains", "missions recadrage")]
    return [
        _beginning("recadrage", "Recadrage", url, [*known, *mission, ("subject", "regex", r"\blot\b")]),
        _beginning(
            "desabo-subject", "DESABO (subject)", url, [*known, ("subject", "regex", "désabonn"), *offer]
        ),
        _beginning(
            "desabo-text",
            "DESABO (text)",
            url,
            [*known, ("body", "regex", r"se désabonner|dropbox\.com/request/"), *offer],
        ),
    ]


def _beginning(
    external_id: str, name: str, url: str, conditions: Sequence[tuple[str, str, str]]
) -> dict[str, Any]:
    return {
        "id": external_id,
        "name": name,
        "conditions": [
            {"field": field, "operator": operator, "value": value, "case_sensitive": False}
            for field, operator, value in conditions
        ],
        "actions": {"webhook_url": url, "priority": "normal", "stop_processing": False},
    }
