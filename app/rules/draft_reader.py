"""What the readers of drafts have in common: a mistake is noted at the place where it was made."""

import re
from typing import Any

from app.rules.verdict import Problems, Reason

LONGEST_NAME = 80
NOT_KEPT = re.compile("[\x00\ud800-\udfff]")  # by no database


class DraftReader:
    """Takes a value or notes what is wrong with it; only the first mistake of a place counts."""

    def __init__(self) -> None:
        self.problems: Problems = {}

    def _refuse(self, place: str, code: str, **facts: Any) -> None:  # noqa: ANN401 - JSON values
        self.problems.setdefault(place, Reason(code, facts))

    def name(self, value: object) -> str:
        name = " ".join(value.split()) if isinstance(value, str) else ""
        if not name:
            self._refuse("name", "name_missing")
        elif NOT_KEPT.search(name):
            self._refuse("name", "not_a_text")
        elif len(name) > LONGEST_NAME:
            self._refuse("name", "too_long", limit=LONGEST_NAME)
        return name
