"""Whether a mail meets a rule's conditions, and what each of them saw."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.rules import detector, pattern
from app.rules.condition import Condition, Field, Group, Mode, Operator
from app.rules.finding import Finding
from app.rules.passage import SEEN, Passage, Passages, excerpt
from app.rules.reading import Reading
from app.rules.rule import Rule
from app.rules.text import wanted
from app.rules.verdict import Mark, Reason, Step

KILOBYTE = 1024
MEGABYTE = 1024 * 1024
_NOTHING = (None, Finding())
_UNMET = {"present": "not_there", "not_present": "not_wanted"}


class Answer(NamedTuple):
    """`steps` tells of every condition in reading order; `against` is the reason that decided for no.

    `finding` is that of the first detector the rule asks for and the mail meets; `captures` are texts by
    the names that patterns give them.
    """

    steps: tuple[Step, ...]
    against: Reason | None
    detector: str | None
    finding: Finding
    captures: dict[str, str]


@dataclass(slots=True)
class _Line:
    reason: Reason
    holds: bool = False


@dataclass(slots=True)
class _Asking:
    reading: Reading
    rule: Rule
    lines: list[_Line] = field(default_factory=list)
    findings: dict[str, Finding] = field(default_factory=dict)
    captures: dict[str, str] = field(default_factory=dict)


def ask(rule: Rule, reading: Reading) -> Answer:
    """Ask every condition of the rule, also those behind one that does not hold."""
    asking, whole = _Asking(reading, rule), rule.conditions
    if whole.negated or whole.mode is Mode.ANY:
        against = _group(asking, whole, 0)
    else:
        against = next(iter(_refusals(asking, whole, 0)), None)
    steps = [
        Step(line.reason, Mark.STOPPED if line is against else Mark.PASSED if line.holds else Mark.UNMET)
        for line in asking.lines
    ]
    name, finding = next(iter(asking.findings.items()), _NOTHING)
    return Answer(
        steps=tuple(steps),
        against=against.reason if against else None,
        detector=name,
        finding=finding,
        captures=asking.captures,
    )


def _group(asking: _Asking, group: Group, depth: int) -> _Line | None:
    """Tell of a group under a line of its own; give that line when the group does not hold.

    What its items find counts only when they are what makes it hold.
    """
    head = _Line(Reason(f"not_{group.mode}_of" if group.negated else f"{group.mode}_of"))
    _tell(asking, head, depth)
    inner = _Asking(asking.reading, asking.rule, asking.lines)
    refusals = _refusals(inner, group, depth + 1)
    met = not refusals if group.mode is Mode.ALL else len(refusals) < len(group.items)
    head.holds = met is not group.negated
    if met and head.holds:
        asking.findings.update(inner.findings)
        asking.captures.update(inner.captures)
    return None if head.holds else head


def _refusals(asking: _Asking, group: Group, depth: int) -> list[_Line]:
    """Ask all items of a group; gives the lines that decided against one."""
    against = [_item(asking, item, depth) for item in group.items]
    return [line for line in against if line is not None]


def _item(asking: _Asking, item: Condition | Group, depth: int) -> _Line | None:
    if isinstance(item, Group):
        return _group(asking, item, depth)
    line = _ASK.get(item.field, _texts)(asking, item)
    _tell(asking, line, depth)
    return None if line.holds else line


def _tell(asking: _Asking, line: _Line, depth: int) -> None:
    if depth:
        line.reason.facts["depth"] = depth
    asking.lines.append(line)


def _texts(asking: _Asking, condition: Condition) -> _Line:
    passages = asking.reading.passages(condition)
    if condition.operator is Operator.PRESENT:
        return _line(condition, met=bool(passages.each), saw=passages.beginning)
    for passage in passages.each:
        saw = _met_at(asking, condition, passage)
        if saw is not None:
            return _line(condition, met=True, saw=saw)
    line = _line(condition, met=False, saw=passages.beginning)
    line.reason.facts.update(_how(condition, passages))
    return line


def _how(condition: Condition, passages: Passages) -> dict[str, Any]:
    """What a reader must know of the way it was looked for, to see why it was not found."""
    how = [Reason("to_the_letter")] if condition.exact else []
    if condition.operator is Operator.MATCHES:
        parts = [
            pattern.part_read(condition.values[0], each, exact=condition.exact) for each in passages.each
        ]
        read = min((part for part in parts if part is not None), default=None)
        how += [] if read is None else [Reason("read_in_part", {"read": read // KILOBYTE})]
    return {"how": [reason.to_json() for reason in how]} if how else {}


def _met_at(asking: _Asking, condition: Condition, passage: Passage) -> str | None:
    """What stands where the text meets the condition, if it does."""
    if condition.operator is Operator.MATCHES:
        return _matched_at(asking, condition, passage)
    look = _LOOK[condition.operator]
    for value in condition.values:
        place = look(passage.plain, value) if condition.exact else look(passage.normal, wanted(value))
        if place >= 0:
            return excerpt(passage.plain, place) if condition.exact else passage.around(place)
    return None


def _matched_at(asking: _Asking, condition: Condition, passage: Passage) -> str | None:
    found = pattern.search(condition.values[0], passage, exact=condition.exact)
    if found is None:
        return None
    place, caught = found
    if not condition.negated:
        asking.captures.update(caught)
    return excerpt(passage.text, place)


def _ends(text: str, value: str) -> int:
    return len(text) - len(value) if text.endswith(value) else -1


_LOOK: dict[Operator, Callable[[str, str], int]] = {
    Operator.CONTAINS: str.find,
    Operator.EQUALS: lambda text, value: 0 if text == value else -1,
    Operator.ONE_OF: lambda text, value: 0 if text == value else -1,
    Operator.STARTS: lambda text, value: 0 if text.startswith(value) else -1,
    Operator.ENDS: _ends,
}


def _attachment(asking: _Asking, condition: Condition) -> _Line:
    count = asking.reading.mail.attachments
    return _line(condition, met=count > 0, saw=str(count))


def _link(asking: _Asking, condition: Condition) -> _Line:
    providers = list(dict.fromkeys(link.provider for link in asking.reading.deliveries))
    wanted = providers if condition.operator is Operator.PRESENT else condition.values
    return _line(condition, met=not set(wanted).isdisjoint(providers), saw=", ".join(providers))


def _size(asking: _Asking, condition: Condition) -> _Line:
    size = asking.reading.mail.size
    limit = float(condition.values[0]) * MEGABYTE
    met = size > limit if condition.operator is Operator.LARGER else size < limit
    return _line(condition, met=met, saw=f"{size / MEGABYTE:.2f}")


def _detector(asking: _Asking, condition: Condition) -> _Line:
    name = condition.values[0]
    finding = detector.detect(name, asking.reading, asking.rule)
    if finding.matched and condition.negated:
        return _Line(Reason("unwanted_detector", {"rule": asking.rule.name, "detector": name}))
    if finding.matched:
        asking.findings[name] = finding
    return _Line(_found(asking, name, finding), finding.matched is not condition.negated)


def _found(asking: _Asking, name: str, finding: Finding) -> Reason:
    facts: dict[str, Any] = {"rule": asking.rule.name}
    if not finding.matched:
        facts |= {"detector": name, "missing": list(finding.missing)}
        return Reason("not_matched", facts | ({"forbidden": finding.forbidden} if finding.forbidden else {}))
    facts |= {
        "delivery_time": finding.delivery_time,
        "urgent": finding.urgent,
        "links": len(asking.reading.deliveries),
    }
    return Reason(f"matched_{name}", facts)


_ASK: dict[Field, Callable[[_Asking, Condition], _Line]] = {
    Field.ATTACHMENT: _attachment,
    Field.LINK: _link,
    Field.SIZE: _size,
    Field.DETECTOR: _detector,
}


def _line(condition: Condition, *, met: bool, saw: str) -> _Line:
    holds = met is not condition.negated
    facts = {
        "what": condition.header or f"{condition.field}",
        "operator": f"not_{condition.operator}" if condition.negated else f"{condition.operator}",
        "value": ", ".join(condition.values)[:SEEN],
        "saw": saw,
    }
    code = "condition_met" if holds else _UNMET.get(facts["operator"], "condition_unmet")
    return _Line(Reason(code, facts), holds)
