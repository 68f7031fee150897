"""Conditions together: which groups hold, how the explanation tells it, and what patterns catch."""

from itertools import product

import pytest

from app.rules.condition import Condition, Group
from app.rules.matching import Answer
from app.rules.verdict import Mark
from app.rules.words import say
from tests.rules.cast import DESABO, LOT_42, MISSION, OFFER, a_mail
from tests.rules.conditions import answer, answer_to, asks, group

YES, NO = asks("subject contains", "lot"), asks("subject contains", "rien")
MAIL = a_mail(LOT_42, MISSION)
RECADRAGE, OFFERS = asks("detector equals", "recadrage"), asks("detector equals", *DESABO.detectors)


def lines(found: Answer) -> list[tuple[int, str, str]]:
    """Depth, code and mark of every line."""
    return [(step.reason.facts.get("depth", 0), step.reason.code, step.mark.value) for step in found.steps]


@pytest.mark.parametrize(
    "items", [items for count in (1, 2, 3) for items in product((YES, NO), repeat=count)]
)
def test_a_group_holds_as_its_mode_and_its_sign_say(items: tuple[Condition, ...]) -> None:
    held = [item is YES for item in items]
    for mode, holds in {
        "all": all(held),
        "any": any(held),
        "not all": not all(held),
        "not any": not any(held),
    }.items():
        assert (answer_to(MAIL, group(mode, *items)).against is None) is holds
        assert (answer(MAIL, YES, group(mode, *items)).against is None) is holds


def test_a_group_of_nothing_holds_when_all_of_it_must() -> None:
    empty = {mode: answer_to(MAIL, group(mode)) for mode in ("all", "any", "not all", "not any")}
    assert [mode for mode, found in empty.items() if found.against is None] == ["all", "not any"]


def test_every_condition_is_told_in_its_order_also_behind_one_that_does_not_hold() -> None:
    found = answer(MAIL, YES, NO, asks("size larger", "0"), asks("subject ends", "rien"))
    assert lines(found) == [
        (0, "condition_met", "passed"),
        (0, "condition_unmet", "stopped"),
        (0, "condition_met", "passed"),
        (0, "condition_unmet", "unmet"),
    ]
    assert found.against == found.steps[1].reason


def test_any_of_several_is_told_under_a_line_of_its_own() -> None:
    assert lines(answer_to(MAIL, group("any", NO, YES))) == [
        (0, "any_of", "passed"),
        (1, "condition_unmet", "unmet"),
        (1, "condition_met", "passed"),
    ]
    found = answer_to(MAIL, group("any", NO, NO))
    assert lines(found) == [
        (0, "any_of", "stopped"),
        (1, "condition_unmet", "unmet"),
        (1, "condition_unmet", "unmet"),
    ]
    assert found.against == found.steps[0].reason


def test_a_group_within_stands_beside_the_conditions_around_it() -> None:
    found = answer(MAIL, YES, group("any", NO, YES), group("all", YES, NO), group("not any", YES), YES)
    assert lines(found) == [
        (0, "condition_met", "passed"),
        (0, "any_of", "passed"),
        (1, "condition_unmet", "unmet"),
        (1, "condition_met", "passed"),
        (0, "all_of", "stopped"),
        (1, "condition_met", "passed"),
        (1, "condition_unmet", "unmet"),
        (0, "not_any_of", "unmet"),
        (1, "condition_met", "passed"),
        (0, "condition_met", "passed"),
    ]


def test_a_group_within_a_group_that_has_a_line_is_one_deeper() -> None:
    found = answer_to(MAIL, group("not all", YES, group("any", NO, group("all", YES))))
    assert lines(found) == [
        (0, "not_all_of", "stopped"),
        (1, "condition_met", "passed"),
        (1, "any_of", "passed"),
        (2, "condition_unmet", "unmet"),
        (2, "all_of", "passed"),
        (3, "condition_met", "passed"),
    ]


def test_an_explanation_has_no_line_that_cannot_be_said() -> None:
    found = answer(MAIL, group("any", NO, RECADRAGE), group("not all", asks("x-spam not present")), OFFERS)
    assert [say(step.reason) for step in found.steps] == [
        "At least one of these:",
        f"No: Subject contains “rien”; seen: “{LOT_42}”",
        "Recadrage mission with the delivery time 16h30; delivery links: 1",
        "Not all of these:",
        "x-spam is not there",
        (
            "No DESABO offer: missing “journée” in the text, “tarifs habituels” in the text, "
            "“se désabonner” or an upload request"
        ),
    ]


def test_the_first_detector_that_is_met_says_what_the_mail_is() -> None:
    both = a_mail(LOT_42, f"{MISSION}\n{OFFER}")
    assert answer(both, RECADRAGE, OFFERS).detector == "recadrage"
    assert answer_to(both, group("any", OFFERS, RECADRAGE)).detector == "desabonnement_journee_tarifs"
    assert answer(both, group("any", NO, RECADRAGE), OFFERS).finding.delivery_time == "16h30"
    assert answer(MAIL, YES).detector is None


def test_a_detector_that_is_not_wanted_says_nothing_of_the_mail() -> None:
    unwanted = asks("detector not equals", "recadrage")
    assert [step.mark for step in answer(MAIL, unwanted).steps] == [Mark.STOPPED]
    assert answer(MAIL, unwanted).detector is None
    (step,) = answer(MAIL, unwanted).steps
    assert say(step.reason).startswith("It is a recadrage mission, and the rule “Any other mail")
    assert answer(a_mail("Lots", OFFER), unwanted).against is None
    for whole in (group("not all", RECADRAGE, NO), group("all", YES, group("not all", RECADRAGE, NO))):
        assert answer_to(MAIL, whole).against is None
        assert answer_to(MAIL, whole).detector is None


def caught(subject: str, *items: Condition | Group) -> dict[str, str]:
    found = answer(a_mail(subject), *items)
    assert found.against is None
    return found.captures


def pattern(text: str, **more: bool) -> Condition:
    return asks("subject matches", text, **more)


@pytest.mark.parametrize(
    ("subject", "wanted", "captures"),
    [
        ("Facture N° 12-B", r"facture n° (?P<number>[\w-]+)", {"number": "12-B"}),
        ("De Zoé Ménard", "de (?P<who>zoe menard)", {"who": "Zoé Ménard"}),
        ("De Zoé Ménard", "de (?P<who>zoé ménard)", {"who": "Zoé Ménard"}),
        ("e\u0301e\u0301e\u0301 de Zoe\u0301!", r"de (?P<who>\w+)", {"who": "Zoe\u0301"}),
        ("e\u0301 (?) Lot 7, Zoe\u0301", r"lot (?P<n>\d), (?P<who>zoé)", {"n": "7", "who": "Zoe\u0301"}),
        ("\u200b\u200bRéf\u00a0: 7", r"réf\s:\s(?P<ref>\d)", {"ref": "7"}),
        ("œuvre de Cœur d’Or", r"de (?P<title>.+)", {"title": "Cœur d’Or"}),
        ("ﬁn du ﬁlm", r"du (?P<title>film)", {"title": "ﬁlm"}),
        ("🙂🙂 lot 9", r"lot (?P<n>\d)", {"n": "9"}),
        ("lot 9", r"lot (?P<n>\d)(?P<letter>[a-z])?", {"n": "9"}),  # what caught nothing has no name
        ("lot 9", r"lot (\d)", {}),
        ("lot 9", r"(?P<n>\w+) (?P<n>\d)", {"n": "lot"}),  # the first of one name
        ("Numéro 12", r"(?P<numéro>\d+)", {"numéro": "12"}),
        ("Élodie", r"(?<nom>[a-zà-öø-ÿ]+)", {"nom": "Élodie"}),
        ("x" * 900, "(?P<all>x+)", {"all": "x" * 500}),
    ],
)
def test_what_a_named_group_caught_is_kept_as_it_came(
    subject: str, wanted: str, captures: dict[str, str]
) -> None:
    assert caught(subject, pattern(wanted)) == captures


def test_an_exact_pattern_catches_too() -> None:
    assert caught("De Zoé, à\u00a0Évry", pattern(r"De (?P<who>Zoé), à\s(?P<where>É\S+)", exact=True)) == {
        "who": "Zoé",
        "where": "Évry",
    }


def test_all_patterns_catch_and_the_last_has_the_last_word() -> None:
    number, word = pattern(r"(?P<x>\d+)"), pattern(r"(?P<x>[a-z]+) (?P<y>\d)")
    assert caught("lot 42", number, word) == {"x": "lot", "y": "4"}
    assert caught("lot 42", word, number) == {"x": "42", "y": "4"}


def test_only_what_makes_a_rule_hold_is_caught() -> None:
    lot = pattern(r"lot (?P<n>\d+)")
    never = asks("subject contains", "jamais")
    assert caught("lot 42", group("any", never, lot)) == {"n": "42"}
    assert caught("lot 42", group("any", group("all", lot, never), pattern("lot"))) == {}
    assert caught("lot 42", group("not all", lot, never)) == {}
    assert caught("lot 42", asks("subject not matches", r"(?P<n>\d{3})")) == {}
    assert answer(a_mail("lot 42"), asks("subject not matches", r"(?P<n>\d)")).captures == {}


def test_a_pattern_asks_each_of_several_texts_until_one_fits() -> None:
    mail = a_mail(recipients=("ann@example.com", "lot-42@example.com", "lot-43@example.com"))
    found = answer(mail, asks("recipient matches", r"lot-(?P<n>\d+)@"))
    assert (found.captures, found.steps[0].reason.facts["saw"]) == ({"n": "42"}, "lot-42@example.com")


def test_a_group_comes_back_from_json() -> None:
    whole = group("not any", YES, group("all", RECADRAGE, asks("received not ends", "x", exact=True)))
    assert Group.from_json(whole.to_json()) == whole
