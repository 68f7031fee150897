"""Rules as they are stored."""

import json

import pytest

from app.rules.presets import PRESETS
from app.rules.rule import Action, Policy, Rule
from app.rules.settings import day_names
from app.rules.verdict import Mark, Reason, Step
from tests.rules.cast import ALL, DESABO, LINKS, RECADRAGE


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_comes_back_from_its_definition(rule: Rule) -> None:
    stored = json.loads(json.dumps(rule.definition()))
    again = Rule.from_definition(
        id=rule.id, version_id=rule.version_id, name=rule.name, endpoint_ids=(7,), definition=stored
    )
    assert again == rule


def test_a_definition_that_is_short_has_defaults() -> None:
    rule = Rule.from_definition(
        id=1, version_id=1, name="x", endpoint_ids=(), definition={"detector": "links"}
    )
    assert (rule.policy, rule.urgent_policy, rule.group, rule.stop) == (Policy(), None, "none", False)


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(ValueError, match="later"):
        Policy.from_definition({"before": "later"})


def test_the_presets_are_the_operators_defaults() -> None:
    assert [definition["detector"] for _, definition in PRESETS] == [rule.detector for rule in ALL]
    assert [rule.links_required for rule in ALL] == [True, False, True]
    assert [rule.group for rule in ALL] == ["month", "none", "none"]
    assert [rule.hold_expires for rule in ALL] == ["never", "end_of_day", "never"]
    assert RECADRAGE.policy_for(urgent=True) == Policy(before=Action.DROP, after=Action.DROP)
    assert DESABO.policy_for(urgent=True) == LINKS.policy == Policy()


def test_days_are_read_however_they_are_written() -> None:
    assert day_names([" MonDay ", "tuesday", "lundi", 0, None]) == {"monday", "tuesday"}


def test_a_step_comes_back_from_json() -> None:
    step = Step(Reason("vacation", {"start": "2025-10-01"}), Mark.STOPPED)
    assert Step.from_json(json.loads(json.dumps(step.to_json()))) == step
    assert Reason.from_json(step.reason.to_json()) == step.reason
