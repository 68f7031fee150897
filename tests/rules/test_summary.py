"""What a rule says of itself, as it is read on the list and under the form."""

from typing import Any

import pytest

from app.rules.condition import Condition, Field, Group, Mode, Operator
from app.rules.rule import Action, Policy, Priority, Rule
from app.rules.summary import asked, summary
from app.rules.words import say
from tests.rules.cast import DESABO, LINKS, RECADRAGE, preset

STUDIO = {7: "studio", 8: "planning"}


def told(rule: Rule) -> str:
    return ". ".join(say(reason) for reason in summary(rule, STUDIO)) + "."


def asking(*items: Condition | Group, **group: Any) -> Rule:  # noqa: ANN401 - any field of a group
    return Rule(id=1, version_id=1, name="x", conditions=Group(items=items, **group), endpoint_ids=(7,))


def a(field: Field, operator: Operator, *values: str, **more: Any) -> Condition:  # noqa: ANN401
    return Condition(field=field, operator=operator, values=values, **more)


LOT = a(Field.SUBJECT, Operator.CONTAINS, "lot")


def test_the_presets_say_what_they_do() -> None:
    assert told(RECADRAGE) == (
        "Takes mail if it is a recadrage mission. Sends it to studio. Without a delivery link it is dropped. "
        "Each lot goes only once a month. It waits on days of absence, while sending is paused, during "
        "vacation. It is dropped before opening, after closing. Later rules are not asked."
    )
    assert told(DESABO) == (
        "Takes mail if it is a DESABO offer. Sends it to studio. It waits on days of absence, while sending "
        "is paused, during vacation. It is dropped after closing. It goes all the same before opening. "
        "Urgent mail waits while sending is closed or paused. What still waits at the end of the day on "
        "which it arrived is dropped. Later rules are not asked."
    )
    assert told(LINKS) == (
        "Takes mail if it has a delivery link. Sends it to studio. "
        "It waits while sending is closed or paused."
    )


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (LOT, "the subject contains “lot”"),
        (a(Field.TEXT, Operator.STARTS, "Été", exact=True), "the text begins with “Été”, to the letter"),
        (a(Field.SENDER, Operator.ONE_OF, "a@b", "c@d"), "the sender is one of “a@b”, “c@d”"),
        (a(Field.RECIPIENT, Operator.ENDS, "@b", negated=True), "a recipient does not end with “@b”"),
        (a(Field.HEADER, Operator.EQUALS, "x", header="list-id"), "the header list-id is “x”"),
        (a(Field.HEADER, Operator.PRESENT, header="list-id"), "it has the header list-id"),
        (
            a(Field.HEADER, Operator.PRESENT, header="list-id", negated=True),
            "it does not have the header list-id",
        ),
        (a(Field.MAILBOX, Operator.EQUALS, "ops"), "the mailbox is “ops”"),
        (a(Field.ATTACHMENT, Operator.PRESENT), "it has an attachment"),
        (a(Field.ATTACHMENT, Operator.PRESENT, negated=True), "it has no attachment"),
        (a(Field.LINK, Operator.PRESENT, negated=True), "it has no delivery link"),
        (
            a(Field.LINK, Operator.ONE_OF, "dropbox", "wetransfer"),
            "it has a delivery link of dropbox, wetransfer",
        ),
        (a(Field.SIZE, Operator.LARGER, "2.5"), "its size is more than 2.5 MB"),
        (a(Field.DETECTOR, Operator.EQUALS, "recadrage", negated=True), "it is no recadrage mission"),
        (
            Group(mode=Mode.ANY, items=(LOT, a(Field.ATTACHMENT, Operator.PRESENT)), negated=True),
            "not (the subject contains “lot” or it has an attachment)",
        ),
    ],
)
def test_a_condition_reads_like_a_clause(item: Condition | Group, said: str) -> None:
    assert say(asked(item)) == said


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ({}, "Takes mail if the subject contains “lot” and it has an attachment."),
        ({"mode": Mode.ANY}, "Takes mail if the subject contains “lot” or it has an attachment."),
        ({"negated": True}, "Takes mail, but not if the subject contains “lot” and it has an attachment."),
        (
            {"mode": Mode.ANY, "negated": True},
            "Takes mail, but not if the subject contains “lot” or it has an attachment.",
        ),
    ],
)
def test_it_says_how_the_conditions_count(group: dict[str, Any], said: str) -> None:
    assert told(asking(LOT, a(Field.ATTACHMENT, Operator.PRESENT), **group)).startswith(said)


def test_a_rule_that_asks_nothing_says_so() -> None:
    assert told(asking()).startswith("Asks nothing of a mail.")


def test_of_a_long_list_the_beginning_is_told() -> None:
    many = a(Field.SENDER, Operator.ONE_OF, *(f"{n}@b" for n in range(9)))
    assert told(asking(many)).startswith(
        "Takes mail if the sender is one of “0@b”, “1@b”, “2@b”, “3@b”, …. Sends"
    )


def test_a_rule_without_a_receiver_says_so_first() -> None:
    assert "Has no receiver: what it takes is held until it has one." in told(preset(0, endpoint_ids=()))


def test_a_receiver_that_is_gone_is_named_by_its_number() -> None:
    assert "Sends it to studio, #9." in told(preset(2, endpoint_ids=(7, 9)))


def test_a_link_that_is_asked_for_is_not_told_twice() -> None:
    assert "Without a delivery link" not in told(LINKS)
    either = asking(a(Field.LINK, Operator.PRESENT), LOT, mode=Mode.ANY)
    assert "Without a delivery link it is dropped." in told(either)


def test_what_is_unusual_is_told() -> None:
    rule = Rule(
        id=1,
        version_id=1,
        name="x",
        conditions=Group(items=(LOT,)),
        links_required=False,
        group="days:7",
        policy=Policy(before=Action.SEND),
        priority=Priority.HIGH,
        template='{"a": 1}',
        endpoint_ids=(7, 8),
        exclude_keywords=("promo", "publicité"),
    )
    assert told(rule) == (
        "Takes mail if the subject contains “lot”. Sends it to studio, planning. Leaves out mail that "
        "contains “promo”, “publicité”. Each subject goes only once in 7 days. It waits after closing, "
        "on days of absence, while sending is paused, during vacation. It goes all the same before "
        "opening. It goes before other mail. Its payload is made by a template of its own."
    )


def test_it_is_told_in_the_readers_language() -> None:
    french = {
        "Takes mail if {all:both}": "Prend un mail si {all:both}",
        "{field:word} {operator:word} {values:quoted}": "{field:word} {operator:word} {values:quoted}",
        "the subject": "l’objet",
        "contains": "contient",
        "“{text}”": "«\u202f{text}\u202f»",
        "and": "et",
        "it has an attachment": "il a une pièce jointe",
    }
    takes, *_ = summary(asking(LOT, a(Field.ATTACHMENT, Operator.PRESENT)), STUDIO)
    said = say(takes, lambda text: french.get(text, text))
    assert said == "Prend un mail si l’objet contient «\u202flot\u202f» et il a une pièce jointe"


def test_what_an_operator_wrote_is_never_read_as_a_sentence() -> None:
    said = told(asking(a(Field.SUBJECT, Operator.CONTAINS, "{0.__class__} {x:words}")))
    assert "“{0.__class__} {x:words}”" in said
