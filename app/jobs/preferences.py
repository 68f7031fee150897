"""The preferences, wherever they live: the settings' row, the rules of the two detectors, every receiver."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.jobs import amend
from app.jobs.candidate import HARD_LIMIT
from app.models import Endpoint, LogEvent, Rule, RuleVersion, Setting
from app.rules.outcome import SCHEDULE
from app.rules.preferences import rescheduled, retries
from app.rules.rule import DESABO, RECADRAGE, Priority
from app.rules.verdict import Reason

SAVED = "preferences saved"
IN_SETTING = {  # a preference's name: the column that holds it
    **{
        name: name
        for name in (
            "exclude_keywords",
            "require_attachments",
            "max_email_size_mb",
            "sender_priority",
            "group_dedup",
            "notify_on_failure",
            "notify_to",
            "notify_language",
            "mirror_id",
        )
    },
    "mirror_media_to_custom": "mirror_media",
}
IN_RULES = {"exclude_keywords_recadrage": RECADRAGE, "exclude_keywords_autorepondeur": DESABO}

Rules = Sequence[tuple[Rule, RuleVersion]]


async def told(db: AsyncSession) -> dict[str, Any]:
    """Give the preferences in the predecessor's names and words."""
    setting, rules, endpoints = await Setting.load(db), await Rule.listed(db), await _own(db)
    words = {address: _word(word) for address, word in setting.sender_priority.items()}
    return {
        "exclude_keywords": setting.exclude_keywords,
        **{name: _keywords(rules, detector) for name, detector in IN_RULES.items()},
        "require_attachments": setting.require_attachments,
        "max_email_size_mb": setting.max_email_size_mb,
        "sender_priority": words,
        **_of(endpoints[0] if endpoints else None),
        "notify_on_failure": setting.notify_on_failure,
        "notify_to": setting.notify_to,
        "mirror_media_to_custom": setting.mirror_media,
    }


async def save(
    db: AsyncSession, values: Mapping[str, Any], *, by: str, now: datetime
) -> tuple[str, Reason] | None:
    """Save preferences that were read; gives the first that nothing here could follow: then none is saved."""
    setting = await Setting.load(db, for_update=True)  # one who saves at a time
    rules, endpoints = await Rule.listed(db), await _own(db)
    obstacle = _obstacle(values, rules, endpoints)
    if obstacle is not None:
        return obstacle
    changed = setting.change(in_setting(values), by=by, now=now)
    for name in IN_RULES.keys() & values.keys():
        for rule, version in _asking_for(rules, IN_RULES[name]):
            value = replace(version.as_value(), exclude_keywords=tuple(values[name]))
            if value != version.as_value():
                await amend.save(db, rule, value, by=by, now=now)
                changed.append(name)
    for endpoint in endpoints:
        changed += _follow(endpoint, values)
    db.add(LogEvent(at=now, event=SAVED, subject=by, facts={"changed": sorted(set(changed))}))
    return None


def in_setting(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give those preferences that live in the settings' row, by its columns."""
    return {column: values[name] for name, column in IN_SETTING.items() if name in values}


def largest(setting: Setting) -> int:
    """Give the size in MB above which no mail is fetched."""
    return min(setting.max_email_size_mb or HARD_LIMIT, HARD_LIMIT)


async def _own(db: AsyncSession) -> Sequence[Endpoint]:
    return (await db.exec(select(Endpoint).where(Endpoint.is_own()).order_by(col(Endpoint.id)))).all()


def _obstacle(
    values: Mapping[str, Any], rules: Rules, endpoints: Sequence[Endpoint]
) -> tuple[str, Reason] | None:
    for name, detector in IN_RULES.items():
        if values.get(name) and not _asking_for(rules, detector):
            return name, Reason("no_rule_for_it")
    for name, usual in _of(None).items():
        if not endpoints and values.get(name, usual) != usual:
            return name, Reason("no_receiver_yet")
    return None


def _asking_for(rules: Rules, detector: str) -> Rules:
    return [(rule, version) for rule, version in rules if detector in version.as_value().detectors]


def _keywords(rules: Rules, detector: str) -> list[str]:
    for _, version in _asking_for(rules, detector):
        return list(version.as_value().exclude_keywords)
    return []


def _word(priority: str) -> str:
    return "medium" if priority == Priority.NORMAL else priority


def _of(endpoint: Endpoint | None) -> dict[str, int]:
    """Say what the predecessor said of all receivers of one; without one, what the first would have."""
    usual = {name: field.default for name, field in Endpoint.model_fields.items()}
    return {
        **retries(endpoint.schedule if endpoint else SCHEDULE),
        "webhook_timeout_sec": min(endpoint.timeout if endpoint else usual["timeout"], 300),
        "rate_limit_per_hour": endpoint.rate_per_hour if endpoint else usual["rate_per_hour"],
    }


def _follow(endpoint: Endpoint, values: Mapping[str, Any]) -> list[str]:
    """Set at a receiver what differs from what is said of it."""
    before = _of(endpoint)
    changed = [name for name, value in before.items() if values.get(name, value) != value]
    endpoint.schedule = rescheduled(endpoint.schedule, values)
    if "webhook_timeout_sec" in changed:
        endpoint.timeout = values["webhook_timeout_sec"]
    if "rate_limit_per_hour" in changed:
        endpoint.rate_per_hour = values["rate_limit_per_hour"]
    return changed
