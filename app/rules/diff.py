"""What a rule says, field by field, and what of it differs between two versions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.rules import summary
from app.rules.condition import Condition, Group, Operator
from app.rules.rule import Rule
from app.rules.verdict import Reason

CONDITIONS = "conditions"

Said = Reason | str  # in our words, or in the operator's own
Item = Condition | Group


@dataclass(frozen=True, slots=True)
class Difference:
    """What one field said before and says no more, and what it says now and did not."""

    field: str
    removed: tuple[Said, ...]
    added: tuple[Said, ...]


def differences(old: Rule, new: Rule, receivers: Mapping[int, str]) -> tuple[Difference, ...]:
    """Name the fields that differ, in the order of the form; `receivers` are names by id."""
    before, after = aspects(old, receivers), aspects(new, receivers)
    before[CONDITIONS], after[CONDITIONS] = _conditions(old, new)
    return tuple(_difference(one, before[one], after[one]) for one in after if before[one] != after[one])


def aspects(rule: Rule, receivers: Mapping[int, str]) -> dict[str, tuple[Said, ...]]:
    """Say each field of the rule by itself."""
    urgent = rule.urgent_policy
    return {
        "name": (rule.name,),
        "mode": (_mode(rule),),
        CONDITIONS: tuple(summary.asked(item) for item in rule.conditions.items),
        "exclude_keywords": rule.exclude_keywords,
        "subject_terms": rule.subject_terms,
        "forbidden_terms": rule.forbidden_terms,
        "endpoint_ids": tuple(sorted(receivers.get(one, f"#{one}") for one in rule.endpoint_ids)),
        "links_required": (summary.links(rule),),
        "group": (summary.once(rule),),
        "policy": summary.timing("time", rule.policy),
        "urgent_policy": summary.timing("urgent", urgent) if urgent else (Reason("urgent_alike"),),
        "hold_expires": (summary.waiting(rule),),
        "priority": (summary.turn(rule),),
        "stop": (summary.later(rule),),
        "offload": (summary.copies(rule),),
        "template": (rule.template or summary.body(rule),),
    }


def _mode(rule: Rule) -> Reason:
    mode = rule.conditions.mode
    return Reason(f"counts_not_{mode}" if rule.conditions.negated else f"counts_{mode}")


def _conditions(old: Rule, new: Rule) -> tuple[tuple[Said, ...], tuple[Said, ...]]:
    """Say the conditions; of a list of values that was changed only the values that were."""
    before, after = list(old.conditions.items), list(new.conditions.items)
    for was in old.conditions.items:
        now = next((item for item in after if _is_same_question(was, item)), None)
        if isinstance(was, Condition) and isinstance(now, Condition) and was != now:
            _replace(before, was, _without(was, now))
            _replace(after, now, _without(now, was))
    return tuple(summary.asked(item) for item in before), tuple(summary.asked(item) for item in after)


def _is_same_question(was: Item, now: Item) -> bool:
    if isinstance(was, Group) or isinstance(now, Group) or was.operator is not Operator.ONE_OF:
        return False
    return replace(was, values=()) == replace(now, values=())


def _without(condition: Condition, other: Condition) -> Condition:
    return replace(condition, values=tuple(one for one in condition.values if one not in other.values))


def _replace(items: list[Item], condition: Condition, by: Condition) -> None:
    place = items.index(condition)
    items[place : place + 1] = [by] if by.values else []


def _difference(name: str, before: tuple[Said, ...], after: tuple[Said, ...]) -> Difference:
    removed = tuple(said for said in before if said not in after)
    added = tuple(said for said in after if said not in before)
    # the same in another order: all of it is told
    return Difference(name, removed, added) if removed or added else Difference(name, before, after)
