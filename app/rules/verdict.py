"""What was decided, and why: values that are stored, shown and logged alike."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


class Verdict(StrEnum):
    DELIVER = "deliver"
    HOLD = "hold"
    IGNORE = "ignore"
    DUPLICATE = "duplicate"


class Mark(StrEnum):
    PASSED = "passed"
    STOPPED = "stopped"
    NOTED = "noted"
    UNMET = "unmet"


@dataclass(frozen=True, slots=True)
class Reason:
    """A code with its facts; `words.say` makes the sentence. Facts hold JSON values only."""

    code: str
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "facts": self.facts}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        return cls(value["code"], dict(value["facts"]))


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an explanation; the deciding one is marked as stopped."""

    reason: Reason
    mark: Mark

    def to_json(self) -> dict[str, Any]:
        return {**self.reason.to_json(), "mark": self.mark.value}


Problems = dict[str, Reason]  # what is wrong with something that was written, by its place
