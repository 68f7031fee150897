"""Groups of mails that a rule sends once only: per lot or subject, per month or for some days."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from app.rules.mail import Mail
from app.rules.rule import RECADRAGE, Rule
from app.rules.settings import Settings
from app.rules.subject import group_of

_group_of = lru_cache(maxsize=256)(group_of)  # many rules ask about one mail
_MONTH = "month"
_DAYS = "days"
_LOT = "lot_"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupKey:
    """What a mark is kept under; `expires_at` says how long the mark counts (None: for ever in its scope)."""

    rule_id: int
    scope: str
    group: str
    expires_at: datetime | None = field(default=None, compare=False)


def key_of(*, mail: Mail, rule: Rule, settings: Settings, now: datetime) -> GroupKey | None:
    """None when the rule does not group, or when a recadrage subject names no lot."""
    kind, _, days = rule.group.partition(":")
    if not settings.group_dedup or kind not in {_MONTH, _DAYS}:
        return None
    group = _group_of(mail.subject)
    if _LOT not in group and RECADRAGE in rule.detectors:
        return None
    if kind == _MONTH:
        return GroupKey(rule_id=rule.id, scope=month_of(mail.arrived_at, settings), group=group)
    return GroupKey(rule_id=rule.id, scope=_DAYS, group=group, expires_at=now + timedelta(days=int(days)))


def month_of(arrived_at: datetime, settings: Settings) -> str:
    """Name the month in which a mail arrived; a later month has a greater name."""
    return f"{arrived_at.astimezone(settings.clock):%Y-%m}"
