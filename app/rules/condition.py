"""What a rule asks of a mail: conditions, and groups of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class Field(StrEnum):
    SENDER = "sender"
    RECIPIENT = "recipient"
    SUBJECT = "subject"
    TEXT = "text"
    HEADER = "header"
    MAILBOX = "mailbox"
    ATTACHMENT = "attachment"
    LINK = "link"
    SIZE = "size"
    DETECTOR = "detector"


class Operator(StrEnum):
    CONTAINS = "contains"
    EQUALS = "equals"
    STARTS = "starts"
    ENDS = "ends"
    MATCHES = "matches"
    ONE_OF = "one_of"
    PRESENT = "present"
    LARGER = "larger"
    SMALLER = "smaller"


class Mode(StrEnum):
    ALL = "all"
    ANY = "any"


_OF_TEXT = (
    Operator.CONTAINS,
    Operator.EQUALS,
    Operator.STARTS,
    Operator.ENDS,
    Operator.MATCHES,
    Operator.ONE_OF,
)

OPERATORS: dict[Field, tuple[Operator, ...]] = {
    Field.SENDER: _OF_TEXT,
    Field.RECIPIENT: _OF_TEXT,
    Field.SUBJECT: _OF_TEXT,
    Field.TEXT: _OF_TEXT,
    Field.HEADER: (*_OF_TEXT, Operator.PRESENT),
    Field.MAILBOX: _OF_TEXT,
    Field.ATTACHMENT: (Operator.PRESENT,),
    Field.LINK: (Operator.PRESENT, Operator.ONE_OF),
    Field.SIZE: (Operator.LARGER, Operator.SMALLER),
    Field.DETECTOR: (Operator.EQUALS,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One question. Only `one_of` has several values, `present` has none; a size is in megabytes.

    `exact` compares case and accents too; `header` names the header for that field alone.
    """

    field: Field
    operator: Operator
    values: tuple[str, ...] = ()
    header: str = ""
    negated: bool = False
    exact: bool = False

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            field=Field(value["field"]),
            operator=Operator(value["operator"]),
            values=tuple(value.get("values", ())),
            header=value.get("header", ""),
            negated=value.get("negated", False),
            exact=value.get("exact", False),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "field": self.field.value,
            "operator": self.operator.value,
            "values": list(self.values),
            "header": self.header,
            "negated": self.negated,
            "exact": self.exact,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Conditions and further groups of which all, or any, must hold; an empty one of all always does."""

    mode: Mode = Mode.ALL
    items: tuple["Condition | Group", ...] = ()
    negated: bool = False

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            mode=Mode(value["mode"]),
            items=tuple(item_from_json(item) for item in value["items"]),
            negated=value.get("negated", False),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "mode": self.mode.value,
            "items": [item.to_json() for item in self.items],
            "negated": self.negated,
        }

    def asked(self) -> Iterator[Condition]:
        """Every condition in it that asks for something, whatever the depth, in reading order."""
        for item in () if self.negated else self.items:
            if isinstance(item, Group):
                yield from item.asked()
            elif not item.negated:
                yield item


def item_from_json(value: Mapping[str, Any]) -> Condition | Group:
    return Group.from_json(value) if "items" in value else Condition.from_json(value)
