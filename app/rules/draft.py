"""A rule as somebody wrote it: every mistake is found, and named at the place where it was made."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from app.rules import pattern, template
from app.rules.condition import OPERATORS, Condition, Field, Group, Mode, Operator
from app.rules.draft_reader import NOT_KEPT, DraftReader
from app.rules.links import PROVIDERS
from app.rules.rule import DETECTORS, GATES, LISTS, Action, Policy, Priority, Rule
from app.rules.text import normalise
from app.rules.verdict import Problems, Reason

LONGEST_VALUE = 500
MOST_VALUES = 200
MOST_CONDITIONS = 50
DEEPEST = 2  # groups in each other: the whole, and the ones in it
LONGEST_SPAN = 366  # days that a group may last

_HEADER = re.compile(r"[!-9;-~]{1,80}")
_DAYS = re.compile(r"days:([0-9]{1,3})")
_SIZE = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,3})?")


def read(
    value: object, *, endpoints: Collection[int], rule_id: int = 0, version_id: int = 0
) -> tuple[Rule | None, Problems]:
    """Read what `Rule.definition()` gives, with `name` and `endpoint_ids`, from somebody who may be wrong.

    A problem's key is the path to its place, such as `conditions.0.values`; with one there is no rule.
    """
    reading, raw = _Reading(), value if isinstance(value, Mapping) else {}
    conditions = reading.conditions(raw.get("conditions"))
    rest: dict[str, Any] = {
        "name": reading.name(raw.get("name")),
        "endpoint_ids": reading.endpoint_ids(raw.get("endpoint_ids", []), endpoints),
        "group": reading.group(raw.get("group", "none")),
        "hold_expires": reading.word("hold_expires", raw.get("hold_expires", "never"), _EXPIRIES),
        "priority": reading.word("priority", raw.get("priority", "normal"), tuple(Priority)),
        "policy": reading.policy("policy", raw.get("policy", {})),
        "urgent_policy": reading.policy("urgent_policy", raw.get("urgent_policy")),
        "template": reading.template(raw.get("template", "")),
        **{key: reading.flag(key, raw.get(key, default)) for key, default in _FLAGS.items()},
        **{key: reading.texts(key, raw[key]) for key in LISTS if key in raw},
    }
    reading.captures(rest["template"], conditions)
    if reading.problems or conditions is None:
        return None, reading.problems
    rest["priority"] = Priority(rest["priority"])
    rest["policy"] = rest["policy"] or Policy()
    return Rule(id=rule_id, version_id=version_id, conditions=conditions, **rest), {}


_EXPIRIES = ("never", "end_of_day")
_FLAGS = {"links_required": True, "stop": False, "offload": True}


def texts(value: object, *, exact: bool = False) -> tuple[str, ...] | Reason:
    """A list of texts; empty ones are left out, as are those that compare as an earlier one does."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        return Reason("not_a_list")
    found: dict[str, str] = {}
    for text in (" ".join(one.split()) for one in value if normalise(one)):
        found.setdefault(text if exact else normalise(text), text)
    if any(NOT_KEPT.search(text) for text in found.values()):
        return Reason("not_a_text")
    if len(found) > MOST_VALUES:
        return Reason("too_many", {"limit": MOST_VALUES})
    if any(len(text) > LONGEST_VALUE for text in found.values()):
        return Reason("too_long", {"limit": LONGEST_VALUE})
    return tuple(found.values())


class _Reading(DraftReader):
    """Reads a rule's parts; the place comes first in every method."""

    def __init__(self) -> None:
        super().__init__()
        self._left = MOST_CONDITIONS

    def endpoint_ids(self, value: object, known: Collection[int]) -> tuple[int, ...]:
        ids = value if isinstance(value, list | tuple) else (None,)
        if not all(isinstance(one, int) and one is not True and one in known for one in ids):
            self._refuse("endpoint_ids", "unknown_endpoint")
            return ()
        return tuple(dict.fromkeys(ids))

    def group(self, value: object) -> str:
        text = value if isinstance(value, str) else ""
        days = _DAYS.fullmatch(text)
        if text not in {"none", "month"} and not (days and 1 <= int(days[1]) <= LONGEST_SPAN):
            self._refuse("group", "bad_span", limit=LONGEST_SPAN)
        return text

    def word(self, place: str, value: object, known: Collection[str]) -> str:
        if value not in known:
            self._refuse(place, "unknown_word", value=_shown(value), choices=[str(word) for word in known])
        return str(value)

    def flag(self, place: str, value: object) -> bool:
        if not isinstance(value, bool):
            self._refuse(place, "unknown_word", value=_shown(value), choices=["true", "false"])
        return value is True

    def policy(self, place: str, value: object) -> Policy | None:
        if value is None:
            return None
        if not isinstance(value, Mapping) or not set(value) <= set(GATES):
            self._refuse(place, "unknown_word", value=_shown(value), choices=list(GATES))
            return None
        actions = {gate: self._action(f"{place}.{gate}", gate, action) for gate, action in value.items()}
        return None if self.problems else Policy.from_definition(actions)

    def _action(self, place: str, gate: str, value: object) -> str:
        # only the window lets a rule send all the same (D14)
        known = tuple(Action) if gate in {"before", "after"} else (Action.HOLD, Action.DROP)
        return self.word(place, value, known)

    def template(self, value: object) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or NOT_KEPT.search(value):
            self._refuse("template", "not_a_text")
            return ""
        text = value.strip()
        problem = template.check(text) if text else None
        if problem is not None:
            self.problems.setdefault("template", problem)
        return text

    def captures(self, text: str, conditions: Group | None) -> None:
        """A template may use what a pattern can catch, once both can be read."""
        if not text or conditions is None or "template" in self.problems:
            return
        patterns = (one.values[0] for one in conditions.asked() if one.operator is Operator.MATCHES)
        known = list(dict.fromkeys(name for one in patterns for name in pattern.captures(one)))
        unknown = next((name for name in template.captures(text) if name not in known), None)
        if unknown is not None:
            self._refuse("template", "template_unknown_capture", name=unknown, **_listed(known))

    def texts(self, place: str, value: object, *, exact: bool = False) -> tuple[str, ...]:
        found = texts(value, exact=exact)
        if isinstance(found, Reason):
            self.problems.setdefault(place, found)
            return ()
        return found

    def conditions(self, value: object) -> Group | None:
        if not isinstance(value, Mapping) or not value.get("items"):
            self._refuse("conditions", "no_condition")
            return None
        return self._conditions("conditions", value, DEEPEST)

    def _conditions(self, place: str, value: Mapping[str, Any], depth: int) -> Group | None:
        if not depth:
            self._refuse(place, "nested_too_deeply", limit=DEEPEST)
            return None
        given = value.get("items")
        if not isinstance(given, list | tuple) or not given:
            self._refuse(place, "no_condition")
            return None
        mode = self.word(f"{place}.mode", value.get("mode"), tuple(Mode))
        negated = self.flag(f"{place}.negated", value.get("negated", False))
        items = [self._item(f"{place}.{number}", item, depth) for number, item in enumerate(given)]
        whole = tuple(item for item in items if item is not None)
        return None if self.problems else Group(mode=Mode(mode), items=whole, negated=negated)

    def _item(self, place: str, value: object, depth: int) -> Condition | Group | None:
        if not isinstance(value, Mapping):
            self._refuse(place, "no_condition")
            return None
        if "items" in value:
            return self._conditions(place, value, depth - 1)
        self._left -= 1
        if self._left < 0:
            self._refuse("conditions", "too_many", limit=MOST_CONDITIONS)
            return None
        return self._condition(place, value)

    def _condition(self, place: str, value: Mapping[str, Any]) -> Condition | None:
        field = self.word(f"{place}.field", value.get("field"), tuple(Field))
        known = OPERATORS.get(field, tuple(Operator))  # type: ignore[call-overload]
        operator = self.word(f"{place}.operator", value.get("operator"), known)
        if field not in OPERATORS or operator not in known:
            return None
        exact = self.flag(f"{place}.exact", value.get("exact", False))
        given = value.get("values", [])
        values = self._values(f"{place}.values", Field(field), Operator(operator), given, exact=exact)
        header = value.get("header", "") if field == Field.HEADER else ""
        if field == Field.HEADER and not (isinstance(header, str) and _HEADER.fullmatch(header.strip())):
            self._refuse(f"{place}.header", "bad_header")
            return None
        return Condition(
            field=Field(field),
            operator=Operator(operator),
            values=values,
            header=header.strip().lower(),
            negated=self.flag(f"{place}.negated", value.get("negated", False)),
            exact=exact,
        )

    def _values(
        self, place: str, field: Field, operator: Operator, given: object, *, exact: bool
    ) -> tuple[str, ...]:
        if operator is Operator.PRESENT:
            return ()
        if operator is Operator.MATCHES:
            return self._pattern(place, given)
        values = self.texts(place, given, exact=exact)
        if not values:
            self._refuse(place, "value_missing")
        elif len(values) > 1 and operator is not Operator.ONE_OF:
            self._refuse(place, "too_many", limit=1)
        elif wrong := next((one for one in values if not _FITS.get(field, bool)(one)), None):
            self._refuse(place, _WRONG[field], value=_shown(wrong))
        return values

    def _pattern(self, place: str, given: object) -> tuple[str, ...]:
        """A pattern is taken as it is: its blanks may mean something."""
        if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
            self._refuse(place, "not_a_list")
            return ()
        patterns = tuple(filter(None, given))
        if not patterns:
            self._refuse(place, "value_missing")
        elif len(patterns) > 1:
            self._refuse(place, "too_many", limit=1)
        elif NOT_KEPT.search(patterns[0]):
            self._refuse(place, "not_a_text")
        elif problem := pattern.check(patterns[0]):
            self.problems.setdefault(place, problem)
        return patterns


def _listed(known: list[str]) -> dict[str, str]:
    return {"known": ", ".join(known)} if known else {}


def _shown(value: object) -> str:
    return NOT_KEPT.sub("?", str(value)[:40])


_FITS: dict[Field, Callable[[str], object]] = {
    Field.SIZE: _SIZE.fullmatch,
    Field.LINK: {provider.name for provider in PROVIDERS}.__contains__,
    Field.DETECTOR: DETECTORS.__contains__,
}
_WRONG = {
    Field.SIZE: "not_a_size",
    Field.LINK: "unknown_provider",
    Field.DETECTOR: "unknown_detector",
}
