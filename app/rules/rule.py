"""A rule: which mails it takes, to whom they go, and what happens when the time is not right."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from app.rules.condition import Field, Group

RECADRAGE = "recadrage"
DESABO = "desabonnement_journee_tarifs"
DETECTORS = (RECADRAGE, DESABO)
LISTS = ("exclude_keywords", "subject_terms", "forbidden_terms")  # of texts, in a rule

RECADRAGE_TERMS = ("media solution", "missions recadrage", "lot")
DESABO_FORBIDDEN = (
    "annulation",
    "annulations",
    "facturation",
    "facture",
    "factures",
    "moment",
    "reference client",
    "total ht",
)


class Action(StrEnum):
    SEND = "send"
    HOLD = "hold"
    DROP = "drop"


class Priority(StrEnum):
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """Its place in the queue: lower goes first."""
        return tuple(Priority).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a rule does with a mail that a gate stops."""

    before: Action = Action.HOLD
    after: Action = Action.HOLD
    absence: Action = Action.HOLD
    paused: Action = Action.HOLD
    vacation: Action = Action.HOLD

    @classmethod
    def from_definition(cls, definition: Mapping[str, str]) -> Self:
        return cls(**{gate: Action(action) for gate, action in definition.items()})

    def definition(self) -> dict[str, str]:
        return {gate: str(action) for gate, action in asdict(self).items()}


GATES = tuple(Policy().definition())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One version of a rule.

    `group` is `none`, `month` or `days:N`; `hold_expires` is `never` or `end_of_day`; `template` is the
    body that receivers get instead of the usual one, if it is not empty.
    """

    id: int
    version_id: int
    name: str
    conditions: Group
    links_required: bool = True
    group: str = "none"
    policy: Policy = Policy()
    urgent_policy: Policy | None = None
    hold_expires: str = "never"
    stop: bool = False
    priority: Priority = Priority.NORMAL
    offload: bool = True
    template: str = ""
    endpoint_ids: tuple[int, ...] = ()
    exclude_keywords: tuple[str, ...] = ()
    subject_terms: tuple[str, ...] = RECADRAGE_TERMS
    forbidden_terms: tuple[str, ...] = DESABO_FORBIDDEN

    @classmethod
    def from_definition(
        cls,
        *,
        id: int,  # noqa: A002 - the field's own name, by keyword only
        version_id: int,
        name: str,
        endpoint_ids: tuple[int, ...],
        definition: Mapping[str, Any],
    ) -> Self:
        """Read what `definition()` wrote; a key it lacks has its default."""
        urgent = definition.get("urgent_policy")
        known = {key: definition[key] for key in _PLAIN if key in definition}
        known |= {key: tuple(definition[key]) for key in LISTS if key in definition}
        return cls(
            id=id,
            version_id=version_id,
            name=name,
            endpoint_ids=tuple(endpoint_ids),
            conditions=Group.from_json(definition["conditions"]),
            priority=Priority(definition.get("priority", Priority.NORMAL)),
            policy=Policy.from_definition(definition.get("policy", {})),
            urgent_policy=Policy.from_definition(urgent) if urgent else None,
            **known,
        )

    def definition(self) -> dict[str, Any]:
        """All that a version of the rule fixes, as JSON values."""
        return {
            **{key: getattr(self, key) for key in _PLAIN},
            **{key: list(getattr(self, key)) for key in LISTS},
            "conditions": self.conditions.to_json(),
            "priority": self.priority.value,
            "policy": self.policy.definition(),
            "urgent_policy": self.urgent_policy.definition() if self.urgent_policy else None,
        }

    def as_draft(self) -> dict[str, Any]:
        """Give the rule as `draft.read` takes it."""
        return self.definition() | {"name": self.name, "endpoint_ids": list(self.endpoint_ids)}

    @property
    def detectors(self) -> frozenset[str]:
        """The detectors that it asks for, not those whose mails it leaves out."""
        return frozenset(
            value
            for condition in self.conditions.asked()
            if condition.field is Field.DETECTOR
            for value in condition.values
        )

    def policy_for(self, *, urgent: bool) -> Policy:
        return self.urgent_policy if urgent and self.urgent_policy else self.policy


_PLAIN = ("links_required", "group", "hold_expires", "stop", "offload", "template")
