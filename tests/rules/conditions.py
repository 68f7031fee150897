"""Conditions as one says them, and what a mail answers."""

from typing import Any

from app.rules.condition import Condition, Field, Group, Mode, Operator
from app.rules.mail import Mail
from app.rules.matching import Answer, ask
from app.rules.reading import read
from app.rules.settings import Settings
from tests.rules.cast import MONDAY, preset


def asks(what: str, *values: str, **more: Any) -> Condition:  # noqa: ANN401 - any of its fields
    """A condition such as `subject contains`, `text not matches` or, of a header, `list-id present`."""
    field, *sign, operator = what.split()
    known = field in list(Field)
    return Condition(
        field=Field(field) if known else Field.HEADER,
        operator=Operator(operator),
        values=values,
        header="" if known else field,
        negated=sign == ["not"],
        **more,
    )


def group(mode: str, *items: Condition | Group) -> Group:
    """A group of `all` or `any`, or of `not all` or `not any`."""
    *sign, mode = mode.split()
    return Group(mode=Mode(mode), items=items, negated=sign == ["not"])


def answer(mail: Mail, *items: Condition | Group) -> Answer:
    """What a mail answers to all of these."""
    return answer_to(mail, Group(items=items))


def answer_to(mail: Mail, whole: Group) -> Answer:
    return ask(preset(2, conditions=whole.to_json()), read(mail, Settings(), MONDAY))
