"""A rule's conditions as rows of a form: what each row offers, and adding and removing rows."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from app.rules.condition import OPERATORS, Field, Operator
from app.rules.rule import DETECTORS
from app.views.rule_form import NOT, signed, written

ROOT = "conditions"
MODES = ("all", "any", "not_any", "not_all")

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One condition. `kind` says which control its values have."""

    place: str
    field: str
    operator: str
    operators: tuple[str, ...]
    kind: str
    values: tuple[str, ...]
    header: str
    exact: bool

    @property
    def text(self) -> str:
        """What the control holds; texts of a list that became one line stand in it together."""
        return written(self.values) if self.kind == "lines" else ", ".join(self.values)


@dataclass(frozen=True, slots=True)
class Rows:
    """A group of conditions, of which `mode` says how many must hold."""

    place: str
    mode: str
    members: tuple["Row | Rows", ...]


def rows_of(conditions: Mapping[str, Any], place: str = ROOT) -> Rows:
    """Show what `raw_from` read, or what a rule's definition holds."""
    members = [
        rows_of(item, f"{place}.{number}") if "items" in item else _row(item, f"{place}.{number}")
        for number, item in enumerate(conditions["items"])
    ]
    return Rows(place, signed(conditions, "mode"), tuple(members))


def changed(conditions: Mapping[str, Any], wish: str) -> tuple[Item, str]:
    """Do what a button asks (`add:conditions.1`, `group:conditions`, `remove:conditions.1.0`).

    Gives the place that the reader will want to fill in next, if there is one; a wish for what is not there
    changes nothing. Rows are made to fit the fields that they are about.
    """
    verb, _, place = wish.partition(":")
    whole: Item = deepcopy(dict(conditions))
    _fit(whole["items"])
    path = _path(place)
    if verb == "remove" and path:
        return _removed(whole, path)
    group = _found(whole, path) if path is not None and verb in _NEW else None
    if group is None or "items" not in group:
        return whole, ""
    group["items"].append(_NEW[verb]())
    inner = ".0" if verb == "group" else ""
    return whole, f"{place}.{len(group['items']) - 1}{inner}"


def _fit(items: list[Item]) -> None:
    """Give a row whose field is another one now what that field's controls show at first."""
    for item in items:
        known = [operator.value for operator in OPERATORS.get(item.get("field", ""), ())]
        if "items" in item:
            _fit(item["items"])
        elif known and item["operator"] not in known:
            item["operator"] = known[0]
        if item.get("field") == Field.DETECTOR and not set(item["values"]) & set(DETECTORS):
            item["values"] = [DETECTORS[0]]


def _fresh_condition() -> Item:
    return {"field": Field.SUBJECT.value, "operator": Operator.CONTAINS.value, "negated": False, "values": []}


def _fresh_group() -> Item:
    return {"mode": "any", "negated": False, "items": [_fresh_condition()]}


_NEW = {"add": _fresh_condition, "group": _fresh_group}


def _path(place: str) -> list[int] | None:
    """The numbers of a place; None for what is none."""
    root, *numbers = place.split(".")
    if root != ROOT or not all(one.isascii() and one.isdigit() and len(one) < 4 for one in numbers):
        return None
    return [int(one) for one in numbers]


def _found(item: Item, path: Sequence[int]) -> Item | None:
    for number in path:
        items = item.get("items", [])
        if number >= len(items):
            return None
        item = items[number]
    return item


def _removed(whole: Item, path: list[int]) -> tuple[Item, str]:
    *above, number = path
    group = _found(whole, above)
    items = group.get("items", []) if group else []
    if number >= len(items):
        return whole, ""
    del items[number]
    if not items and above:
        return _removed(whole, above)
    place = ".".join([ROOT, *map(str, above), str(max(number - 1, 0))])
    return whole, place if items else ""


def _row(item: Mapping[str, Any], place: str) -> Row:
    field = item.get("field", "")
    known = [operator.value for operator in OPERATORS.get(field, tuple(Operator))]
    operator = signed(item, "operator")
    bare = operator.removeprefix(NOT)
    return Row(
        place=place,
        field=field,
        operator=operator,
        operators=tuple(word for one in known for word in (one, NOT + one)),
        kind=_kind(field, bare if bare in known else known[0]),
        values=tuple(item.get("values", ())),
        header=item.get("header", ""),
        exact=item.get("exact", False),
    )


def _kind(field: str, operator: str) -> str:
    """Name the control in which values are entered."""
    if operator == Operator.PRESENT:
        return "none"
    if field in {Field.DETECTOR, Field.SIZE}:
        return field
    several = operator == Operator.ONE_OF
    if field == Field.LINK:
        return "providers"
    if field == Field.MAILBOX and (several or operator == Operator.EQUALS):
        return "mailboxes" if several else "mailbox"
    if operator == Operator.MATCHES:
        return "pattern"
    return "lines" if several else "line"
