"""Rules as somebody writes them: what is accepted, and every mistake at its place."""

import json
from typing import Any

import pytest

from app.rules.draft import MOST_CONDITIONS, MOST_VALUES, read
from app.rules.presets import PRESETS
from app.rules.rule import Action, Policy, Rule
from app.rules.verdict import Problems, Reason
from app.rules.words import say
from tests.rules.cast import preset
from tests.rules.conditions import asks, group

ENDPOINTS = (1, 2, 7)
CONDITION = asks("subject contains", "lot").to_json()

Raw = dict[str, Any]


def raw(**changes: Any) -> Raw:  # noqa: ANN401 - JSON values
    rule = {"name": "Lots", "endpoint_ids": [7], "conditions": {"mode": "all", "items": [CONDITION]}}
    return rule | changes


def conditions(*items: object, mode: str = "all") -> Raw:
    return raw(conditions={"mode": mode, "items": list(items)})


def one(**changes: Any) -> Raw:  # noqa: ANN401 - JSON values
    """A rule whose only condition is the usual one with something else in it."""
    return conditions(CONDITION | changes)


def problems(value: object) -> Problems:
    rule, found = read(value, endpoints=ENDPOINTS)
    assert (rule is None) is bool(found)
    assert all(say(reason) for reason in found.values())
    return found


def written(rule: Rule) -> Raw:
    """The rule as one would write it again, by way of JSON."""
    again: Raw = json.loads(json.dumps(rule.definition()))
    return {**again, "name": rule.name, "endpoint_ids": list(rule.endpoint_ids)}


def accepted(value: Raw) -> Rule:
    rule, found = read(value, endpoints=ENDPOINTS, rule_id=3, version_id=4)
    assert found == {}
    assert rule is not None
    return rule


@pytest.mark.parametrize("number", range(len(PRESETS)))
def test_the_presets_are_rules_as_anybody_writes_them(number: int) -> None:
    rule = preset(number)
    again, found = read(written(rule), endpoints=ENDPOINTS, rule_id=rule.id, version_id=rule.version_id)
    assert (again, found) == (rule, {})


def test_a_rule_needs_a_name_and_a_condition_alone() -> None:
    assert accepted(raw(endpoint_ids=[])) == Rule(
        id=3, version_id=4, name="Lots", conditions=group("all", asks("subject contains", "lot"))
    )


@pytest.mark.parametrize(
    ("value", "place", "code"),
    [
        ([], "name", "name_missing"),
        (raw(name=" \n"), "name", "name_missing"),
        (raw(name=7), "name", "name_missing"),
        (raw(name="x" * 81), "name", "too_long"),
        (raw(name="a\x00b"), "name", "not_a_text"),
        (raw(name="a\ud800"), "name", "not_a_text"),
        (raw(endpoint_ids=None), "endpoint_ids", "unknown_endpoint"),
        (raw(endpoint_ids=[7, 8]), "endpoint_ids", "unknown_endpoint"),
        (raw(endpoint_ids=["7"]), "endpoint_ids", "unknown_endpoint"),
        (raw(endpoint_ids=[[7]]), "endpoint_ids", "unknown_endpoint"),
        (raw(endpoint_ids=[True]), "endpoint_ids", "unknown_endpoint"),
        (raw(endpoint_ids="7"), "endpoint_ids", "unknown_endpoint"),
        (raw(conditions=None), "conditions", "no_condition"),
        (raw(conditions=[CONDITION]), "conditions", "no_condition"),
        (raw(conditions={"mode": "all", "items": {}}), "conditions", "no_condition"),
        (raw(conditions={"mode": "all", "items": "x"}), "conditions", "no_condition"),
        (conditions(), "conditions", "no_condition"),
        (conditions(CONDITION, mode="some"), "conditions.mode", "unknown_word"),
        (raw(conditions={"items": [CONDITION]}), "conditions.mode", "unknown_word"),
        (
            raw(conditions={"mode": "all", "items": [CONDITION], "negated": 1}),
            "conditions.negated",
            "unknown_word",
        ),
        (conditions(*[CONDITION] * (MOST_CONDITIONS + 1)), "conditions", "too_many"),
        (conditions(CONDITION, 7), "conditions.1", "no_condition"),
        (conditions({"mode": "any", "items": []}), "conditions.0", "no_condition"),
        (conditions({"mode": "x", "items": [CONDITION]}), "conditions.0.mode", "unknown_word"),
        (
            conditions({"mode": "any", "items": [CONDITION, {"mode": "any", "items": [CONDITION]}]}),
            "conditions.0.1",
            "nested_too_deeply",
        ),
        (conditions({"mode": "any", "items": [CONDITION, {}]}), "conditions.0.1.field", "unknown_word"),
        (one(field="body"), "conditions.0.field", "unknown_word"),
        (one(field=["text"]), "conditions.0.field", "unknown_word"),
        (one(operator="like"), "conditions.0.operator", "unknown_word"),
        (one(field="size"), "conditions.0.operator", "unknown_word"),
        (one(operator="present"), "conditions.0.operator", "unknown_word"),
        (one(negated="no"), "conditions.0.negated", "unknown_word"),
        (one(exact=None), "conditions.0.exact", "unknown_word"),
        (one(values=[]), "conditions.0.values", "value_missing"),
        (one(values=["", " \u200b"]), "conditions.0.values", "value_missing"),
        (one(values="lot"), "conditions.0.values", "not_a_list"),
        (one(values=[7]), "conditions.0.values", "not_a_list"),
        (one(values=["lot", "réf"]), "conditions.0.values", "too_many"),
        (one(values=["x" * 501]), "conditions.0.values", "too_long"),
        (one(values=["a\ud800"]), "conditions.0.values", "not_a_text"),
        (one(operator="one_of", values=[str(n) for n in range(201)]), "conditions.0.values", "too_many"),
        (one(operator="matches", values=["("]), "conditions.0.values", "bad_pattern"),
        (one(operator="matches", values=["(?=a)"]), "conditions.0.values", "bad_pattern"),
        (one(operator="matches", values=["x" * 1001]), "conditions.0.values", "pattern_too_long"),
        (one(operator="matches", values=["\ud800"]), "conditions.0.values", "not_a_text"),
        (one(operator="matches", values=["a\x00"]), "conditions.0.values", "not_a_text"),
        (one(operator="matches", values=[""]), "conditions.0.values", "value_missing"),
        (one(operator="matches", values=["a", "b"]), "conditions.0.values", "too_many"),
        (one(operator="matches", values=[None]), "conditions.0.values", "not_a_list"),
        (one(operator="matches", values={}), "conditions.0.values", "not_a_list"),
        (one(field="header"), "conditions.0.header", "bad_header"),
        (one(field="header", header="List Id"), "conditions.0.header", "bad_header"),
        (one(field="header", header="List-Id:"), "conditions.0.header", "bad_header"),
        (one(field="header", header="x" * 81), "conditions.0.header", "bad_header"),
        (one(field="header", header=["x"]), "conditions.0.header", "bad_header"),
        (one(field="size", operator="larger", values=["big"]), "conditions.0.values", "not_a_size"),
        (one(field="size", operator="larger", values=["-1"]), "conditions.0.values", "not_a_size"),
        (one(field="size", operator="smaller", values=["1e3"]), "conditions.0.values", "not_a_size"),
        (one(field="size", operator="smaller", values=["٣"]), "conditions.0.values", "not_a_size"),
        (one(field="link", operator="one_of", values=["mega"]), "conditions.0.values", "unknown_provider"),
        (
            one(field="detector", operator="equals", values=["spam"]),
            "conditions.0.values",
            "unknown_detector",
        ),
        (raw(group="week"), "group", "bad_span"),
        (raw(group="days:0"), "group", "bad_span"),
        (raw(group="days:367"), "group", "bad_span"),
        (raw(group="days:"), "group", "bad_span"),
        (raw(group=["month"]), "group", "bad_span"),
        (raw(group=7), "group", "bad_span"),
        (raw(hold_expires="soon"), "hold_expires", "unknown_word"),
        (raw(priority="urgent"), "priority", "unknown_word"),
        (raw(priority=["\ud800"]), "priority", "unknown_word"),
        (raw(links_required="yes"), "links_required", "unknown_word"),
        (raw(stop=0), "stop", "unknown_word"),
        (raw(offload=None), "offload", "unknown_word"),
        (raw(policy="hold"), "policy", "unknown_word"),
        (raw(policy={"night": "hold"}), "policy", "unknown_word"),
        (raw(policy={"before": "later"}), "policy.before", "unknown_word"),
        (raw(policy={"absence": "send"}), "policy.absence", "unknown_word"),
        (raw(policy={"paused": "send"}), "policy.paused", "unknown_word"),
        (raw(policy={"vacation": "send"}), "policy.vacation", "unknown_word"),
        (raw(urgent_policy={"after": []}), "urgent_policy.after", "unknown_word"),
        (raw(urgent_policy={"vacation": "send"}), "urgent_policy.vacation", "unknown_word"),
        (raw(urgent_policy=False), "urgent_policy", "unknown_word"),
        (raw(template="{"), "template", "template_not_json"),
        (raw(template={"a": 1}), "template", "not_a_text"),
        (raw(template='{"a": "\ud800"}'), "template", "not_a_text"),
        (raw(exclude_keywords="promo"), "exclude_keywords", "not_a_list"),
        (raw(exclude_keywords=[None]), "exclude_keywords", "not_a_list"),
        (raw(exclude_keywords=["\x00"]), "exclude_keywords", "not_a_text"),
        (raw(subject_terms=["x" * 501]), "subject_terms", "too_long"),
        (raw(forbidden_terms=[str(n) for n in range(MOST_VALUES + 1)]), "forbidden_terms", "too_many"),
    ],
)
def test_a_mistake_is_named_at_its_place(value: object, place: str, code: str) -> None:
    assert problems(value)[place].code == code


def test_every_mistake_is_found_at_once() -> None:
    items = [CONDITION | {"field": "x"}, {"mode": "any", "items": [CONDITION | {"values": []}]}]
    wrong = raw(
        name="",
        conditions={"mode": "all", "items": items},
        policy={"before": "later"},
        urgent_policy={"after": "later"},
    )
    assert problems(wrong).keys() == {
        "name",
        "conditions.0.field",
        "conditions.1.0.values",
        "policy.before",
        "urgent_policy.after",
    }
    assert say(problems(wrong)["policy.before"]).startswith("“later” is not one of:")


def test_a_mistake_alone_is_the_only_one_named() -> None:
    assert problems(one(operator="larger")).keys() == {"conditions.0.operator"}
    assert problems(one(field="size", operator="larger", values=["big"])) == {
        "conditions.0.values": Reason("not_a_size", {"value": "big"})
    }


def test_what_is_written_loosely_is_kept_tidily() -> None:
    rule = accepted(
        raw(
            name="  Lots\n du jour ",
            endpoint_ids=[7, 1, 7],
            conditions={
                "mode": "all",
                "items": [
                    CONDITION | {"values": [" lot  42 ", "", "LOT 42"], "header": "x"},
                    CONDITION | {"field": "header", "header": " List-ID ", "operator": "present"},
                    CONDITION | {"operator": "matches", "values": [" lot  42 "], "unknown": 1},
                ],
            },
            exclude_keywords=["Promo", "solde", "PROMO", " ", "Été"],
            template="  ",
            policy=None,
        )
    )
    assert (rule.name, rule.endpoint_ids) == ("Lots du jour", (7, 1))
    assert rule.conditions.items == (
        asks("subject contains", "lot 42"),
        asks("list-id present"),
        asks("subject matches", " lot  42 "),
    )
    assert rule.exclude_keywords == ("Promo", "solde", "Été")
    assert (rule.template, rule.policy, rule.urgent_policy) == ("", Policy(), None)


CAUGHT = asks("subject matches", r"(?P<lot>\d+) (?P<day>\w+)").to_json()
NEGATED = asks("subject not matches", r"(?P<never>x)").to_json()
AWAY = {"mode": "any", "negated": True, "items": [asks("subject matches", r"(?P<gone>x)").to_json()]}


def test_a_template_uses_what_the_patterns_of_its_rule_catch() -> None:
    text = '{"a": "{{#captures.lot}}{{captures.day}}{{/captures.lot}}", "b": "captures.other"}'
    inside = {"mode": "any", "items": [CAUGHT, CONDITION]}
    for items in ([CAUGHT], [CONDITION, inside]):
        assert accepted(conditions(*items) | {"template": text}).template == text


@pytest.mark.parametrize("name", ["lots", "never", "gone"])
@pytest.mark.parametrize("tag", ["{{captures.%s}}", "{{{captures.%s}}}", "{{^captures.%s}}-{{/captures.%s}}"])
def test_a_template_names_no_capture_that_no_pattern_catches(name: str, tag: str) -> None:
    wanted = {"template": json.dumps({"a": ["{{captures.lot}}", tag.replace("%s", name)]})}
    found = problems(conditions(CAUGHT, NEGATED, AWAY) | wanted)
    assert found == {"template": Reason("template_unknown_capture", {"name": name, "known": "lot, day"})}


def test_without_any_capture_none_is_listed() -> None:
    found = problems(raw(template='{"a": "{{captures.lot}}"}'))
    assert say(found["template"]) == "No pattern of this rule catches “lot”"


def test_captures_are_looked_for_once_the_conditions_are_right() -> None:
    broken = conditions(CAUGHT | {"values": ["("]}) | {"template": '{"a": "{{captures.lot}}"}'}
    assert list(problems(broken)) == ["conditions.0.values"]


def test_what_an_exact_condition_tells_apart_is_kept_apart() -> None:
    spellings = ["Lot", "LOT", "Lot", "lôt"]
    exact = accepted(one(operator="one_of", values=spellings, exact=True))
    assert exact.conditions.items == (asks("subject one_of", "Lot", "LOT", "lôt", exact=True),)
    assert accepted(one(operator="one_of", values=spellings)).conditions.items == (
        asks("subject one_of", "Lot"),
    )


def test_conditions_may_leave_everything_out_or_contradict_each_other() -> None:
    both = (asks("subject contains", "lot"), asks("subject not contains", "lot"))
    for whole in (group("all", *both), group("not any", *both), group("all", group("not all", *both))):
        assert accepted(raw(conditions=whole.to_json())).conditions == whole


def test_a_policy_may_be_of_some_gates() -> None:
    rule = accepted(raw(policy={"before": "send", "absence": "drop"}, urgent_policy={}))
    assert rule.policy == Policy(before=Action.SEND, absence=Action.DROP)
    assert rule.urgent_policy == Policy()


def test_as_much_as_is_allowed_is_accepted() -> None:
    half = [CONDITION] * (MOST_CONDITIONS // 2)
    values = ["x" * (500 - len(str(number))) + str(number) for number in range(MOST_VALUES)]
    rule = accepted(
        raw(
            name="x" * 80,
            conditions={"mode": "any", "items": [*half, {"mode": "all", "items": half}]},
            exclude_keywords=values,
            group="days:366",
        )
    )
    assert len(rule.exclude_keywords) == MOST_VALUES
