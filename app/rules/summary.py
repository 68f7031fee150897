"""What a rule takes and what it does, as a person would say it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.rules.condition import Condition, Field, Group, Operator
from app.rules.phrases import MORE
from app.rules.rule import RECADRAGE, Action, Policy, Priority, Rule
from app.rules.verdict import Reason

MOST_QUOTED = 4  # texts of a list that a summary repeats


def summary(rule: Rule, receivers: Mapping[int, str]) -> tuple[Reason, ...]:
    """Say it in a few sentences; what goes without saying is left out. `receivers` are names by id."""
    return (
        Reason("takes", _members(rule.conditions, MOST_QUOTED)),
        sends(rule, receivers),
        *_left_out(rule),
        *(() if not rule.links_required or _asks_for_link(rule.conditions) else (links(rule),)),
        *(() if rule.group == "none" else (once(rule),)),
        *timing("time", rule.policy),
        *(timing("urgent", rule.urgent_policy) if rule.urgent_policy else ()),
        *(() if rule.hold_expires == "never" else (waiting(rule),)),
        *(() if rule.priority is Priority.NORMAL else (turn(rule),)),
        *((body(rule),) if rule.template else ()),
        *((later(rule),) if rule.stop else ()),
    )


def asked(item: Condition | Group, most: int | None = None) -> Reason:
    """Say what a condition, or a group of them, asks of a mail; of a list only so many texts."""
    if isinstance(item, Group):
        return Reason("asks_group", _members(item, most))
    if most is not None:
        item = replace(item, values=tuple(_shortened(item.values, most)))
    return _SAID.get(item.field, _of_text)(item)


def sends(rule: Rule, receivers: Mapping[int, str]) -> Reason:
    names = [receivers.get(endpoint_id, f"#{endpoint_id}") for endpoint_id in rule.endpoint_ids]
    return Reason("sends_to", {"to": names}) if names else Reason("sends_nowhere")


def links(rule: Rule) -> Reason:
    return Reason("needs_link" if rule.links_required else "needs_no_link")


def once(rule: Rule) -> Reason:
    kind, _, days = rule.group.partition(":")
    if kind == "none":
        return Reason("every_time")
    facts = {"days": days} if days else {}
    # what `group.key_of` tells apart
    return Reason("once_lot", facts) if RECADRAGE in rule.detectors else Reason("once_subject", facts)


def timing(whose: str, policy: Policy) -> tuple[Reason, ...]:
    """Say when such mail waits, when it is dropped, and when it goes all the same."""
    gates = policy.definition()
    said = []
    for action in (Action.HOLD, Action.DROP, Action.SEND):
        names = [f"gate_{gate}" for gate, given in gates.items() if given == action]
        names = ["gate_any"] if len(names) == len(gates) else names
        if names:
            said.append(Reason(f"{whose}_{action}", {"gates": names}))
    return tuple(said)


def waiting(rule: Rule) -> Reason:
    return Reason("waits_a_day" if rule.hold_expires == "end_of_day" else "waits_for_ever")


def turn(rule: Rule) -> Reason:
    return Reason(f"goes_{rule.priority}")


def body(rule: Rule) -> Reason:
    return Reason("own_body" if rule.template else "usual_body")


def later(rule: Rule) -> Reason:
    return Reason("ends_search" if rule.stop else "goes_on")


def copies(rule: Rule) -> Reason:
    return Reason("copies" if rule.offload else "no_copies")


def _members(group: Group, most: int | None) -> dict[str, Any]:
    key = f"not_{group.mode}" if group.negated else group.mode.value
    return {key: [asked(item, most).to_json() for item in group.items]}


def _shortened(texts: tuple[str, ...], most: int) -> list[str]:
    return list(texts) if len(texts) <= most else [*texts[:most], MORE]


def _left_out(rule: Rule) -> tuple[Reason, ...]:
    keywords = _shortened(rule.exclude_keywords, MOST_QUOTED)
    return (Reason("leaves_out", {"keywords": keywords}),) if keywords else ()


def _asks_for_link(group: Group) -> bool:
    """Whether no mail without a delivery link gets here."""
    needed = Condition(field=Field.LINK, operator=Operator.PRESENT)
    return needed in group.items and not group.negated and (group.mode == "all" or len(group.items) == 1)


def _of_text(condition: Condition) -> Reason:
    if condition.operator is Operator.PRESENT:
        return Reason(_unless(condition, "header"), {"header": condition.header})
    facts: dict[str, Any] = {"operator": _operator(condition), "values": list(condition.values)}
    facts |= {"header": condition.header} if condition.field is Field.HEADER else {}
    facts |= {"field": f"its_{condition.field}"}
    return Reason("asks_exactly" if condition.exact else "asks", facts)


def _of_size(condition: Condition) -> Reason:
    return Reason("asks_size", {"operator": _operator(condition), "megabytes": condition.values[0]})


def _of_detector(condition: Condition) -> Reason:
    return Reason(_unless(condition, "detector"), {"detector": condition.values[0]})


def _of_presence(condition: Condition) -> Reason:
    return Reason(_unless(condition, condition.field.value), {"providers": list(condition.values)})


def _unless(condition: Condition, noun: str) -> str:
    return f"asks_no_{noun}" if condition.negated else f"asks_{noun}"


def _operator(condition: Condition) -> str:
    return f"not_{condition.operator}" if condition.negated else condition.operator.value


_SAID = {
    Field.SIZE: _of_size,
    Field.DETECTOR: _of_detector,
    Field.ATTACHMENT: _of_presence,
    Field.LINK: _of_presence,
}
