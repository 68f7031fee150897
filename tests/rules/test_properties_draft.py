"""What holds of everything that may be written for a rule."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules import pattern
from app.rules.condition import Operator
from app.rules.draft import read
from app.rules.rule import Policy, Rule
from app.rules.words import say
from tests.rules.cast import preset
from tests.rules.drawn import anything, rules

many = settings(deadline=None, max_examples=100)

ENDPOINTS = (1, 2, 7)
KEYS = ("items", "mode", "field", "operator", "values", "header", "negated", "exact", *Policy().definition())
WORDS = ("all", "subject", "header", "contains", "matches", "one_of", "hold", "month", "(", "days:3")
any_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        anything,
        st.sampled_from(WORDS),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), anything), inner, max_size=4),
    ),
    max_leaves=8,
)


def usable(rule: Rule) -> bool:
    caught = any("(?P<n>" in text for condition in rule.conditions.asked() for text in condition.values)
    return (caught or not rule.template) and all(
        pattern.check(text) is None and text
        for condition in every(rule.conditions.to_json())
        if condition["operator"] == Operator.MATCHES
        for text in condition["values"]
    )


def every(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [inner for one in item["items"] for inner in every(one)] if "items" in item else [item]


def written(rule: Rule) -> dict[str, Any]:
    again: dict[str, Any] = json.loads(json.dumps(rule.definition()))
    return {**again, "name": rule.name, "endpoint_ids": list(rule.endpoint_ids)}


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], wrong: object) -> Any:  # noqa: ANN401 - any JSON
    if not path:
        return wrong
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = put(value[path[0]], path[1:], wrong)
    return changed


def is_told(value: object) -> Rule | None:
    rule, problems = read(value, endpoints=ENDPOINTS)
    assert (rule is None) is bool(problems)
    assert all(say(reason) for reason in problems.values())
    json.dumps([reason.to_json() for reason in problems.values()], ensure_ascii=False).encode()
    return rule


@many
@given(rules())
def test_a_rule_that_is_written_again_is_the_same(rule: Rule) -> None:
    again, problems = read(written(rule), endpoints=ENDPOINTS, rule_id=rule.id, version_id=rule.version_id)
    assert (again == rule and not problems) or not usable(rule)


@many
@given(any_json)
def test_whatever_is_written_is_a_rule_or_has_its_mistakes_named(value: object) -> None:
    is_told(value)


@many
@given(st.data(), rules())
def test_whatever_stands_at_one_place_of_a_rule_is_taken_or_refused(data: st.DataObject, rule: Rule) -> None:
    value = written(rule)
    is_told(put(value, data.draw(st.sampled_from(places(value))), data.draw(any_json)))


@many
@given(st.dictionaries(st.sampled_from([*written(preset(0))]), any_json))
def test_whatever_stands_at_every_place_is_taken_or_refused(value: dict[str, Any]) -> None:
    is_told(value)


@many
@given(rules())
def test_what_is_accepted_comes_back_from_where_it_is_kept(rule: Rule) -> None:
    if accepted := is_told(written(rule)):
        kept = json.loads(json.dumps(accepted.definition()))
        again = Rule.from_definition(
            id=0, version_id=0, name=accepted.name, endpoint_ids=accepted.endpoint_ids, definition=kept
        )
        assert again == accepted
