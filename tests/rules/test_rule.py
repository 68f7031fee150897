"""Rules as they are stored."""

import json

import pytest

from app.rules.rule import Action, Policy, Priority, Rule
from app.rules.settings import day_names
from app.rules.verdict import Mark, Reason, Step
from tests.rules.cast import ALL, DESABO, LINKS, RECADRAGE, preset
from tests.rules.conditions import asks, group


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_comes_back_from_its_definition(rule: Rule) -> None:
    stored = json.loads(json.dumps(rule.definition()))
    again = Rule.from_definition(
        id=rule.id, version_id=rule.version_id, name=rule.name, endpoint_ids=(7,), definition=stored
    )
    assert again == rule


def test_a_definition_that_is_short_has_defaults() -> None:
    rule = Rule.from_definition(
        id=1, version_id=1, name="x", endpoint_ids=(), definition={"conditions": {"mode": "all", "items": []}}
    )
    assert (rule.policy, rule.urgent_policy, rule.group, rule.stop) == (Policy(), None, "none", False)


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(ValueError, match="later"):
        Policy.from_definition({"before": "later"})


def test_the_presets_are_the_operators_defaults() -> None:
    assert [set(rule.detectors) for rule in ALL] == [{"recadrage"}, {"desabonnement_journee_tarifs"}, set()]
    assert [rule.links_required for rule in ALL] == [True, False, True]
    assert [rule.group for rule in ALL] == ["month", "none", "none"]
    assert [rule.hold_expires for rule in ALL] == ["never", "end_of_day", "never"]
    assert RECADRAGE.policy_for(urgent=True) == Policy(before=Action.DROP, after=Action.DROP)
    assert DESABO.policy_for(urgent=True) == LINKS.policy == Policy()


def test_the_detectors_of_a_rule_are_those_it_asks_for_not_those_it_leaves_out() -> None:
    recadrage, offers = (asks("detector equals", *rule.detectors) for rule in (RECADRAGE, DESABO))
    spared = asks("detector not equals", "recadrage")
    for whole, wanted in (
        (group("all", recadrage, group("any", offers)), RECADRAGE.detectors | DESABO.detectors),
        (group("any", spared, offers), DESABO.detectors),
        (group("all", LINKS.conditions, group("not any", recadrage)), frozenset()),
        (group("not all", recadrage), frozenset()),
    ):
        assert preset(2, conditions=whole.to_json()).detectors == wanted


def test_what_is_urgent_comes_first_in_the_queue() -> None:
    assert sorted(Priority, key=lambda priority: priority.rank) == ["high", "normal", "low"]


def test_days_are_read_however_they_are_written() -> None:
    assert day_names([" MonDay ", "tuesday", "lundi", 0, None]) == {"monday", "tuesday"}


def test_a_reason_comes_back_from_json() -> None:
    step = Step(Reason("vacation", {"start": "2025-10-01"}), Mark.STOPPED)
    assert Reason.from_json(json.loads(json.dumps(step.to_json()))) == step.reason
