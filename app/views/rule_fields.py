"""A rule as the fields of a form that nobody sees: what `raw_from` reads again."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.rules.rule import GATES, LISTS
from app.views.rule_form import signed, written

Fields = list[tuple[str, str]]


def fields_of(raw: Mapping[str, Any]) -> Fields:
    """Give every field of the form for a rule as `draft.read` took it."""
    span, _, days = raw["group"].partition(":")
    single = {
        "name": raw["name"],
        "group": span,
        "group_days": days,
        "hold_expires": raw["hold_expires"],
        "priority": raw["priority"],
        "links_required": _flag(raw["links_required"]),
        "stop": _flag(raw["stop"]),
        "offload": _flag(raw["offload"]),
        "template": raw["template"],
        "urgent": "own" if raw["urgent_policy"] else "same",
        **{name: written(raw[name]) for name in LISTS if name in raw},
    }
    return [
        *single.items(),
        *(("endpoint_ids", str(one)) for one in raw["endpoint_ids"]),
        *_policy("policy", raw["policy"]),
        *_policy("urgent_policy", raw["urgent_policy"] or {}),
        *_group("conditions", raw["conditions"]),
    ]


def _policy(place: str, policy: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((f"{place}.{gate}", policy[gate]) for gate in GATES if gate in policy)


def _group(place: str, group: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield f"{place}.mode", signed(group, "mode")
    for number, item in enumerate(group["items"]):
        inner = f"{place}.{number}"
        yield from _group(inner, item) if "items" in item else _condition(inner, item)


def _condition(place: str, item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield f"{place}.field", item["field"]
    yield f"{place}.operator", signed(item, "operator")
    yield f"{place}.header", item["header"]
    yield f"{place}.exact", _flag(item["exact"])
    several = item["operator"] == "one_of"
    yield from ((f"{place}.values", written((one,)) if several else one) for one in item["values"])


def _flag(value: bool) -> str:  # noqa: FBT001 - what a box says
    return "true" if value else "false"
