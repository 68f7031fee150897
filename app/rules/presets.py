"""The three rules that every empty database gets, in their order."""

from typing import Any

from app.rules.condition import Condition, Field, Group, Operator
from app.rules.rule import DESABO, RECADRAGE, Action, Policy, Rule


def detected(name: str) -> Condition:
    return Condition(field=Field.DETECTOR, operator=Operator.EQUALS, values=(name,))


def _preset(name: str, condition: Condition, **settings: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - fields of a rule
    rule = Rule(id=0, version_id=0, name=name, conditions=Group(items=(condition,)), **settings)
    return name, rule.definition()


PRESETS = (
    _preset(
        "Recadrage",
        detected(RECADRAGE),
        group="month",
        policy=Policy(before=Action.DROP, after=Action.DROP),
        stop=True,
    ),
    _preset(
        "DESABO",
        detected(DESABO),
        links_required=False,
        policy=Policy(before=Action.SEND, after=Action.DROP),  # an offer of the day
        urgent_policy=Policy(),
        hold_expires="end_of_day",
        stop=True,
    ),
    _preset("Any other mail with a delivery link", Condition(field=Field.LINK, operator=Operator.PRESENT)),
)
