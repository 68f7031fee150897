"""A rule as a form: its fields are named by the paths that `draft.read` names its problems by."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

from app.rules.draft import MOST_CONDITIONS
from app.rules.rule import GATES, LISTS
from app.rules.text import whole_number
from app.views import fields

NOT = "not_"

_MOST_ITEMS = 2 * MOST_CONDITIONS  # conditions and groups that are looked at; `draft.read` takes fewer
_PLACE = re.compile(r"conditions\.([0-9]{1,3})\.(?:([0-9]{1,3})\.)?(field|operator|values|header|exact|mode)")
_FLAGS = {"true": True, "false": False}

Item = dict[str, Any]


def raw_from(form: FormData) -> dict[str, Any]:
    """Read a form into what `draft.read` takes. It says nothing of mistakes: they are kept as they came."""
    texts = _Texts(form)
    raw: dict[str, Any] = {
        "name": texts.one("name"),
        "endpoint_ids": [_endpoint(text) for text in texts.all("endpoint_ids")],
        "conditions": _group(texts.one("conditions.mode") or "all", _items(form)),
        "group": _span(texts.one("group") or "none", texts.one("group_days")),
        "hold_expires": texts.one("hold_expires") or "never",
        "priority": texts.one("priority") or "normal",
        "policy": texts.policy("policy"),
        "urgent_policy": texts.policy("urgent_policy") if texts.one("urgent") == "own" else None,
        "links_required": texts.flag("links_required", default="true"),
        "stop": texts.flag("stop", default="false"),
        "offload": texts.flag("offload", default="false"),  # an empty box is not sent
        "template": texts.one("template"),
    }
    return raw | {key: listed(texts.one(key)) for key in LISTS if key in form}


def listed(text: str) -> list[str]:
    """Read a list: one text a line, or several in one line with commas between them."""
    lines = text.split("\n") if "\n" in text else text.split(",")
    return [line.strip() for line in lines if line.strip()]


def written(values: list[str] | tuple[str, ...]) -> str:
    """Write a list so that `listed` reads it again."""
    alone = len(values) == 1 and "," in values[0]
    return "\n".join(values) + ("\n" if alone else "")


def signed(item: Mapping[str, Any], key: str) -> str:
    """Give a condition's operator, or a group's mode, as the form's lists name it."""
    return (NOT if item.get("negated") else "") + str(item.get(key, ""))


class _Texts:
    def __init__(self, form: FormData) -> None:
        self._form = form

    def one(self, name: str) -> str:
        return fields.text(self._form, name)

    def all(self, name: str) -> list[str]:
        return [fields.cleaned(value) for value in self._form.getlist(name)]

    def flag(self, name: str, *, default: str) -> bool | str:
        text = self.one(name) or default
        return _FLAGS.get(text, text)

    def policy(self, place: str) -> dict[str, str]:
        given = {gate: self.one(f"{place}.{gate}") for gate in GATES}
        return {gate: action for gate, action in given.items() if action}


def _endpoint(text: str) -> int | str:
    """Its number; what is none is kept, to be refused."""
    found = whole_number(text)
    return text if found is None else found


def _span(group: str, days: str) -> str:
    return f"days:{days.strip()}" if group == "days" else group


def _items(form: FormData) -> list[Item]:
    """Gather what belongs to each condition and group, in the order of their numbers."""
    rows: dict[tuple[int, ...], dict[str, list[str]]] = {}
    for name, value in form.multi_items():
        place = _PLACE.fullmatch(name)
        if place is None:
            continue
        path = tuple(int(number) for number in place.groups()[:2] if number)
        if path in rows or len(rows) < _MOST_ITEMS:
            rows.setdefault(path, {}).setdefault(place[3], []).append(fields.cleaned(value))
    return _nested(rows)


def _nested(rows: Mapping[tuple[int, ...], dict[str, list[str]]]) -> list[Item]:
    items: dict[int, Item] = {}
    for (number, *inner), given in sorted(rows.items()):
        if inner:
            group = items.setdefault(number, _group("all", []))
            if "items" in group:
                group["items"].append(_condition(given))
        elif "mode" in given:
            items[number] = _group(given["mode"][0], [])
        else:
            items[number] = _condition(given)
    return list(items.values())


def _group(mode: str, items: list[Item]) -> Item:
    return {"mode": mode.removeprefix(NOT), "negated": mode.startswith(NOT), "items": items}


def _condition(given: Mapping[str, list[str]]) -> Item:
    operator = given.get("operator", [""])[0]
    values = given.get("values", [])
    if operator.removeprefix(NOT) == "one_of":
        values = [one for value in values for one in listed(value)]
    return {
        "field": given.get("field", [""])[0],
        "operator": operator.removeprefix(NOT),
        "negated": operator.startswith(NOT),
        "values": values,
        "header": given.get("header", [""])[0],
        "exact": given.get("exact", [""])[0] == "true",
    }
