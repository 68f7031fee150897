"""Routing rules in the predecessor's shape, as rules of ours and back."""

from dataclasses import replace
from typing import Any

import pytest

from app.rules.beginnings import beginnings
from app.rules.condition import Condition, Field, Group, Mode, Operator
from app.rules.decide import decide
from app.rules.routing import Problem, Route, read, write
from app.rules.rule import Action, Priority
from app.rules.settings import Settings
from app.rules.words import say
from tests.rules.cast import LOT_42, MISSION, MONDAY, OFFER, a_mail

URL = "https://hooks.example.com/in"
SUBJECT = {"field": "subject", "operator": "contains", "value": "Lot"}
PLAIN: dict[str, Any] = {"conditions": [SUBJECT], "actions": {"webhook_url": URL}}


def routes(*rules: object) -> tuple[Route, ...]:
    found = read(list(rules))
    assert not isinstance(found, Problem), say(found.reason)
    return found


def with_condition(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - as a program sends it
    return {**PLAIN, "conditions": [SUBJECT | changes]}


def with_action(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**PLAIN, "actions": {"webhook_url": URL} | changes}


def test_what_is_left_out_has_its_default() -> None:
    (route,) = routes(PLAIN)
    assert write(route) == {
        "id": "rule-1",
        "name": "Rule 1",
        "conditions": [SUBJECT | {"case_sensitive": False}],
        "actions": {"webhook_url": URL, "priority": "normal", "stop_processing": False},
    }


def test_a_rule_comes_back_as_it_was_sent() -> None:
    sent = {
        "id": "facture",
        "name": "Factures",
        "conditions": [
            {"field": "sender", "operator": "equals", "value": "ann@example.com", "case_sensitive": False},
            {"field": "body", "operator": "regex", "value": r"n° *\d+", "case_sensitive": True},
        ],
        "actions": {"webhook_url": URL, "priority": "high", "stop_processing": True},
    }
    assert write(routes(sent)[0]) == sent


def test_it_is_a_rule_that_ends_the_search_and_needs_no_link() -> None:
    (route,) = routes(with_action(priority="high"))
    rule = route.rule
    assert (rule.stop, rule.links_required, rule.priority) == (True, False, Priority.HIGH)
    assert (rule.policy.before, rule.policy.after, rule.group) == (Action.HOLD, Action.HOLD, "none")
    assert rule.conditions == Group(
        items=(Condition(field=Field.SUBJECT, operator=Operator.CONTAINS, values=("Lot",)),)
    )


def test_ids_are_given_and_told_apart() -> None:
    named = [PLAIN, PLAIN | {"id": "rule-1"}, PLAIN | {"id": " x "}, PLAIN | {"id": "x"}, PLAIN | {"id": 7}]
    assert [route.external_id for route in routes(*named)] == ["rule-1", "rule-1-2", "x", "x-4", "7"]


def test_an_address_of_make_may_be_short() -> None:
    assert routes(with_action(webhook_url="abc@hook.eu1.make.com"))[0].url == "https://hook.eu1.make.com/abc"


def test_switches_may_be_texts() -> None:
    (route,) = routes(with_action(stop_processing="false"))
    assert not route.stops
    assert routes(with_action(stop_processing=1))[0].stops


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("no rule", "An object is expected"),
        (PLAIN | {"name": "  "}, "Give it a name"),
        (PLAIN | {"name": "x" * 81}, "at most 80"),
        (PLAIN | {"conditions": []}, "needs a condition"),
        (PLAIN | {"conditions": "subject"}, "needs a condition"),
        (PLAIN | {"conditions": ["subject"]}, "An object is expected"),
        (with_condition(field="header"), "field: “header” is not one of sender, subject, body"),
        (with_condition(field=None), "field is missing"),
        (with_condition(operator="starts"), "operator: “starts” is not one of contains, equals, regex"),
        (with_condition(value="  "), "Say what to look for"),
        (with_condition(operator="regex", value="a" * 201), "longer than 200"),
        (with_condition(operator="regex", value="(a"), "cannot be used"),
        (with_condition(operator="regex", value=r"(a)\1"), "cannot be used"),
        (PLAIN | {"actions": None}, "An object is expected"),
        (with_action(webhook_url=" "), "webhook_url is missing"),
        (with_action(webhook_url=3), "webhook_url is missing"),
        (with_action(webhook_url="http://hooks.example.com/in"), "begins with https://"),
        (with_action(webhook_url="https://"), "begins with https://"),
        (with_action(webhook_url="https://["), "begins with https://"),
        (with_action(webhook_url="https://hooks.example.com/a b"), "begins with https://"),
        (with_action(webhook_url="https://hooks.example.com/***"), "masked"),
        (with_action(priority="low"), "priority: “low” is not one of normal, high"),
    ],
)
def test_the_first_mistake_is_named_with_its_rule(rule: object, says: str) -> None:
    found = read([PLAIN, rule, "worse"])
    assert isinstance(found, Problem)
    assert found.number == 2
    assert says in say(found.reason)


@pytest.mark.parametrize(
    ("whole", "says"), [(None, "must be a list"), ({}, "must be a list"), ([PLAIN] * 201, "at most 200")]
)
def test_what_is_no_list_is_refused(whole: object, says: str) -> None:
    found = read(whole)
    assert isinstance(found, Problem)
    assert (found.number, says in say(found.reason)) == (0, True)


@pytest.mark.parametrize(
    "conditions",
    [
        Group(
            mode=Mode.ANY, items=(Condition(field=Field.SUBJECT, operator=Operator.EQUALS, values=("x",)),)
        ),
        Group(items=(Group(items=()),)),
        Group(items=(Condition(field=Field.ATTACHMENT, operator=Operator.PRESENT),)),
        Group(items=(Condition(field=Field.TEXT, operator=Operator.STARTS, values=("x",)),)),
        Group(items=(Condition(field=Field.TEXT, operator=Operator.EQUALS, values=("x",), negated=True),)),
    ],
)
def test_what_the_shape_cannot_say_is_not_said(conditions: Group) -> None:
    (route,) = routes(PLAIN)
    assert write(replace(route, rule=replace(route.rule, conditions=conditions))) is None


def matched(subject: str, text: str, senders: tuple[str, ...] = ()) -> list[str]:
    """Which of the rules to begin with take a mail by ann@example.com."""
    found = routes(*beginnings(URL, senders))
    rules = [replace(route.rule, id=number, stop=False) for number, route in enumerate(found)]
    judgement = decide(mail=a_mail(subject, text), rules=rules, settings=Settings(), marks={}, now=MONDAY)
    return [found[outcome.rule_id].external_id for outcome in judgement.outcomes if outcome.matched]


def test_rules_to_begin_with_can_be_sent_back_and_take_accented_mail() -> None:
    assert matched(LOT_42, MISSION) == ["recadrage"]
    assert matched("Désabonnement", OFFER.replace("Se désabonner", "")) == ["desabo-subject", "desabo-text"]
    assert matched("Planning", OFFER) == ["desabo-text"]
    assert matched("Média Solution - Missions Recadrage - Pilote", MISSION) == []
    assert matched("Bonjour", "rien") == []


def test_rules_to_begin_with_ask_for_the_senders_of_the_mailboxes_while_that_fits() -> None:
    assert matched(LOT_42, MISSION, ("ann@example.com", "bob+x@example.com")) == ["recadrage"]
    assert matched(LOT_42, MISSION, ("annie@example.com",)) == []
    many = tuple(f"somebody.{number}@example.com" for number in range(20))
    assert matched(LOT_42, MISSION, many) == ["recadrage"]
