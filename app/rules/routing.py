"""Routing rules in the predecessor's shape, as rules of ours and back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.rules import draft, pattern
from app.rules.condition import Condition, Field, Group, Mode, Operator
from app.rules.draft_reader import LONGEST_NAME
from app.rules.make import normalised
from app.rules.rule import Policy, Priority, Rule
from app.rules.text import one_line
from app.rules.verdict import Reason

MOST_RULES = 200
LONGEST_PATTERN = 200
_SHOWN = 60  # characters of a wrong value that a message repeats

FIELDS = {"sender": Field.SENDER, "subject": Field.SUBJECT, "body": Field.TEXT}
OPERATORS = {"contains": Operator.CONTAINS, "equals": Operator.EQUALS, "regex": Operator.MATCHES}
PRIORITIES = {"normal": Priority.NORMAL, "high": Priority.HIGH}
_NO = {"", "0", "false", "no", "off"}  # older pages sent switches as texts
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A rule as a program knows it: it goes to `url`, and to the usual receiver unless it `stops`.

    The first that matches ends the search; it needs no delivery link, and waits outside the window.
    """

    external_id: str
    url: str
    stops: bool
    rule: Rule


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong first, with the number of the rule (0: with the whole)."""

    number: int
    reason: Reason


class _Wrong(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


def read(raw: object) -> tuple[Route, ...] | Problem:
    """Read the whole list, or say what is wrong with it first: then nothing of it counts."""
    if not isinstance(raw, list):
        return Problem(0, Reason("rules_not_a_list"))
    if len(raw) > MOST_RULES:
        return Problem(0, Reason("too_many", {"limit": MOST_RULES}))
    routes: list[Route] = []
    for number, one in enumerate(raw, 1):
        try:
            routes.append(_route(one, number, [route.external_id for route in routes]))
        except _Wrong as wrong:
            return Problem(number, wrong.reason)
    return tuple(routes)


def write(route: Route) -> dict[str, Any] | None:
    """Give the rule in the predecessor's shape; None for one that somebody took beyond it."""
    group = route.rule.conditions
    conditions = [_written(item) for item in group.items]
    if group.negated or group.mode is not Mode.ALL or None in conditions:
        return None
    return {
        "id": route.external_id,
        "name": route.rule.name,
        "conditions": conditions,
        "actions": {
            "webhook_url": route.url,
            "priority": "high" if route.rule.priority is Priority.HIGH else "normal",
            "stop_processing": route.stops,
        },
    }


def _written(item: Condition | Group) -> dict[str, Any] | None:
    if isinstance(item, Group) or item.negated:
        return None
    fields = {field: name for name, field in FIELDS.items()}
    operators = {operator: name for name, operator in OPERATORS.items()}
    if item.field not in fields or item.operator not in operators:
        return None
    return {
        "field": fields[item.field],
        "operator": operators[item.operator],
        "value": item.values[0],
        "case_sensitive": item.exact,
    }


def _route(raw: object, number: int, taken: Sequence[str]) -> Route:
    rule = _object(raw)
    actions = _object(rule.get("actions"))
    conditions = rule.get("conditions")
    if not isinstance(conditions, list) or not conditions:
        raise _Wrong(Reason("no_condition"))
    written = {
        "name": one_line(str(rule.get("name") or f"Rule {number}")),
        "conditions": {"mode": "all", "items": [_condition(_object(one)) for one in conditions]},
        "endpoint_ids": [],
        "links_required": False,
        "policy": Policy().definition(),
        "stop": True,
        "priority": PRIORITIES[_choice("priority", actions.get("priority") or "normal", PRIORITIES)].value,
    }
    value, problems = draft.read(written, endpoints=())
    if value is None:
        raise _Wrong(next(iter(problems.values())))
    return Route(
        external_id=_id(rule.get("id"), number, taken),
        url=_url(actions.get("webhook_url")),
        stops=_flag(actions.get("stop_processing")),
        rule=value,
    )


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Wrong(Reason("not_an_object"))
    return value


def _id(value: object, number: int, taken: Sequence[str]) -> str:
    name = wanted = one_line(str(value or ""))[:LONGEST_NAME] or f"rule-{number}"
    suffix = number
    while name in taken:
        name, suffix = f"{wanted}-{suffix}", suffix + 1
    return name


def _condition(raw: Mapping[str, Any]) -> dict[str, Any]:
    field = _choice("field", raw.get("field"), FIELDS)
    operator = _choice("operator", raw.get("operator"), OPERATORS)
    value = str(raw.get("value") or "").strip()
    if not value:
        raise _Wrong(Reason("value_missing"))
    if operator == "regex":
        _check(value)
    return {
        "field": FIELDS[field].value,
        "operator": OPERATORS[operator].value,
        "values": [value],
        "exact": _flag(raw.get("case_sensitive")),
    }


def _check(value: str) -> None:
    if len(value) > LONGEST_PATTERN:
        raise _Wrong(Reason("pattern_too_long", {"limit": LONGEST_PATTERN}))
    problem = pattern.check(value)
    if problem is not None:
        raise _Wrong(problem)


def _choice(field: str, value: object, choices: Mapping[str, object]) -> str:
    word = str(value or "").strip().lower()
    if word not in choices:
        facts = {"field": field, "value": word[:_SHOWN], "choices": list(choices)}
        raise _Wrong(Reason("unknown_choice", facts))
    return word


def _url(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise _Wrong(Reason("webhook_missing"))
    url = normalised(text) or text
    if "***" in url:
        raise _Wrong(Reason("webhook_masked"))
    if not _is_https(url):
        raise _Wrong(Reason("webhook_not_https"))
    return url


def _is_https(url: str) -> bool:
    try:
        return url.startswith("https://") and bool(urlsplit(url).hostname) and not _UNSEEN.search(url)
    except ValueError:
        return False


def _flag(value: object) -> bool:
    return value.strip().lower() not in _NO if isinstance(value, str) else bool(value)
