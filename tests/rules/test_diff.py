"""What differs between two versions of a rule, field by field."""

from dataclasses import replace

import pytest

from app.rules.condition import Condition, Field, Group, Mode, Operator
from app.rules.diff import Difference, aspects, differences
from app.rules.rule import Action, Policy, Priority, Rule
from app.rules.verdict import Reason
from app.rules.words import say
from tests.rules.cast import ALL, DESABO, RECADRAGE

NAMES = {7: "studio", 8: "planning"}
LOT = Condition(field=Field.SUBJECT, operator=Operator.CONTAINS, values=("lot",))
SENDERS = Condition(field=Field.SENDER, operator=Operator.ONE_OF, values=("a@b", "c@d", "e@f"))


def asking(*items: Condition | Group) -> Rule:
    return Rule(id=1, version_id=1, name="x", conditions=Group(items=items))


def read(old: Rule, new: Rule) -> dict[str, tuple[list[str], list[str]]]:
    found = differences(old, new, NAMES)
    return {one.field: (words(one.removed), words(one.added)) for one in found}


def words(said: tuple[Reason | str, ...]) -> list[str]:
    return [one if isinstance(one, str) else say(one) for one in said]


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_does_not_differ_from_itself(rule: Rule) -> None:
    assert differences(rule, replace(rule, id=99, version_id=98), NAMES) == ()


@pytest.mark.parametrize(
    ("field", "value", "removed", "added"),
    [
        ("name", "Lots", ["Recadrage"], ["Lots"]),
        ("endpoint_ids", (7, 8), [], ["planning"]),
        (
            "links_required",
            False,
            ["Without a delivery link it is dropped"],
            ["It goes without a delivery link too"],
        ),
        ("group", "none", ["Each lot goes only once a month"], ["It goes every time"]),
        (
            "policy",
            Policy(),
            [
                "It waits on days of absence, while sending is paused, during vacation",
                "It is dropped before opening, after closing",
            ],
            ["It waits while sending is closed or paused"],
        ),
        (
            "urgent_policy",
            Policy(before=Action.SEND),
            ["Urgent mail is treated like any other"],
            [
                (
                    "Urgent mail waits after closing, on days of absence, while sending is paused, "
                    "during vacation"
                ),
                "Urgent mail goes all the same before opening",
            ],
        ),
        (
            "hold_expires",
            "end_of_day",
            ["It waits for as long as it takes"],
            ["What still waits at the end of the day on which it arrived is dropped"],
        ),
        ("priority", Priority.LOW, ["It goes in its turn"], ["It goes after other mail"]),
        ("stop", False, ["Later rules are not asked"], ["Later rules are asked too"]),
        ("offload", False, ["Its files are copied"], ["Its files are not copied"]),
        ("template", '{"a": 1}', ["It has the usual payload"], ['{"a": 1}']),
        ("exclude_keywords", ("promo",), [], ["promo"]),
        ("subject_terms", ("media solution", "lot", "new"), ["missions recadrage"], ["new"]),
        ("forbidden_terms", RECADRAGE.forbidden_terms[1:], ["annulation"], []),
    ],
)
def test_only_what_was_changed_is_told(
    field: str, value: object, removed: list[str], added: list[str]
) -> None:
    changed = replace(RECADRAGE, **{field: value})  # type: ignore[arg-type]
    assert read(RECADRAGE, changed) == {field: (removed, added)}
    assert read(changed, RECADRAGE) == {field: (added, removed)}


def test_every_field_of_a_rule_is_told_of() -> None:
    told = {"mode" if one == "conditions" else one for one in aspects(RECADRAGE, NAMES)} | {"conditions"}
    assert told == set(RECADRAGE.definition()) | {"name", "endpoint_ids", "mode"}


def test_conditions_are_told_one_by_one() -> None:
    attached = Condition(field=Field.ATTACHMENT, operator=Operator.PRESENT)
    assert read(asking(LOT, SENDERS), asking(LOT, attached)) == {
        "conditions": (["the sender is one of “a@b”, “c@d”, “e@f”"], ["it has an attachment"])
    }


def test_of_a_list_of_values_only_those_that_were_changed_are_told() -> None:
    longer = replace(SENDERS, values=("a@b", "e@f", "g@h"))
    assert read(asking(LOT, SENDERS), asking(LOT, longer)) == {
        "conditions": (["the sender is one of “c@d”"], ["the sender is one of “g@h”"])
    }
    assert read(asking(SENDERS), asking(replace(SENDERS, values=("a@b", "c@d", "e@f", "g@h")))) == {
        "conditions": ([], ["the sender is one of “g@h”"])
    }


def test_values_in_another_order_ask_the_same() -> None:
    assert read(asking(SENDERS), asking(replace(SENDERS, values=("e@f", "c@d", "a@b")))) == {}


def test_conditions_in_another_order_are_told() -> None:
    said = ["the subject contains “lot”", "the sender is one of “a@b”, “c@d”, “e@f”"]
    assert read(asking(LOT, SENDERS), asking(SENDERS, LOT)) == {"conditions": (said, said[::-1])}


def test_how_conditions_count_is_a_field_of_its_own() -> None:
    either = replace(asking(LOT), conditions=Group(items=(LOT,), mode=Mode.ANY, negated=True))
    assert read(asking(LOT), either) == {"mode": (["All of them must hold"], ["None of them may hold"])}


def test_a_group_is_told_as_a_whole() -> None:
    inner = Group(items=(LOT, SENDERS), mode=Mode.ANY)
    removed, added = read(asking(inner), asking(replace(inner, negated=True)))["conditions"]
    assert removed == ["(the subject contains “lot” or the sender is one of “a@b”, “c@d”, “e@f”)"]
    assert added == [f"not {removed[0]}"]


def test_the_fields_come_in_the_order_of_the_form() -> None:
    fields = [one.field for one in differences(RECADRAGE, DESABO, NAMES)]
    assert fields == [one for one in aspects(DESABO, NAMES) if one in fields]
    assert fields[0] == "name"
    assert all(isinstance(one, Difference) for one in differences(RECADRAGE, DESABO, NAMES))
