"""Real mails, well and badly made: every one gets a verdict, whatever the rules ask about it."""

import json
from itertools import product

import pytest

from app.integrations.mime import parse
from app.rules.condition import OPERATORS, Condition, Field, Group, Mode, Operator
from app.rules.decide import Judgement, decide
from app.rules.mail import Mail
from app.rules.rule import Rule
from app.rules.sender import bare_address, recipients
from app.rules.settings import Settings
from app.rules.verdict import Verdict
from app.rules.words import say
from tests.corpus import SOURCES, mails
from tests.rules.cast import ALL, MONDAY, a_mail

OF_OPERATOR = {
    Operator.PRESENT: (),
    Operator.ONE_OF: ("text/plain", "ops@example.com", "dropbox"),
    Operator.MATCHES: (r"(?P<first>\pL+)\W+(?P<second>\pL+)",),
}
OF_FIELD = {Field.DETECTOR: ("recadrage",), Field.SIZE: ("0.01",)}
QUESTIONS = [
    Condition(
        field=field,
        operator=operator,
        values=OF_FIELD.get(field, OF_OPERATOR.get(operator, ("e",))),
        header="Content-Type" if field is Field.HEADER else "",
        exact=exact,
        negated=negated,
    )
    for field, operators in OPERATORS.items()
    for operator, exact, negated in product(operators, (False, True), (False, True))
]


def asking(number: int, conditions: Group) -> Rule:
    return Rule(id=number, version_id=number, name=f"Rule {number}", conditions=conditions, endpoint_ids=(7,))


EACH = [asking(number, Group(items=(question,))) for number, question in enumerate(QUESTIONS, 1)]
TOGETHER = [
    asking(200 + number, Group(mode=mode, items=tuple(QUESTIONS[::2]), negated=negated))
    for number, (mode, negated) in enumerate(product(Mode, (False, True)), 1)
]


@pytest.mark.parametrize("source", SOURCES)
def test_every_real_mail_gets_a_verdict(source: str, pytestconfig: pytest.Config) -> None:
    for name, raw in mails(source, pytestconfig).items():
        judgement = judged(raw, ALL)
        assert judgement.verdict is not Verdict.DELIVER, name  # none of them is a mission
        assert told(judgement), name


@pytest.mark.parametrize("source", SOURCES)
def test_every_question_to_a_real_mail_is_answered_and_its_opposite_otherwise(
    source: str, pytestconfig: pytest.Config
) -> None:
    for name, raw in mails(source, pytestconfig).items():
        judgement = judged(raw, [*EACH, *TOGETHER])
        matched = [outcome.matched for outcome in judgement.outcomes]
        assert all(yes is not no for yes, no in zip(matched[::2], matched[1::2], strict=True)), name
        assert told(judgement), name


def judged(raw: bytes, rules: list[Rule] | tuple[Rule, ...]) -> Judgement:
    return decide(mail=read(raw), rules=rules, settings=Settings(), marks={}, now=MONDAY)


def read(raw: bytes) -> Mail:
    parsed = parse(raw)
    names = {name for name, _ in parsed.headers}
    return a_mail(
        parsed.subject,
        parsed.text,
        sender=bare_address(parsed.sender_header),
        source_text=f"{parsed.plain}\n{parsed.html}",
        size=len(raw),
        attachments=parsed.attachments,
        recipients=recipients(parsed.headers),
        headers={name: tuple(text for other, text in parsed.headers if other == name) for name in names},
        mailbox="Orders",
    )


def told(judgement: Judgement) -> bool:
    """Whether everything that was found can be kept as JSON and said in a sentence."""
    lines = [*judgement.steps, *(step for outcome in judgement.outcomes for step in outcome.steps)]
    json.dumps([line.to_json() for line in lines])
    return all(say(reason) for reason in (judgement.reason, *(line.reason for line in lines)))
