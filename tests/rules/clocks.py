"""Where and when the clocks change, for the tests that were worked out by hand. Moments are in UTC.

On a Sunday each. Paris: 02:00 +01 is 03:00 +02 at 2026-03-29T01:00, 03:00 +02 is 02:00 +01 at
2026-10-25T01:00.
New York: 02:00 -05 is 03:00 -04 at 2026-03-08T07:00, 02:00 -04 is 01:00 -05 at 2026-11-01T06:00.
Lord Howe moves by half an hour: 02:00 +10:30 is 02:30 +11 at 2026-10-03T15:30 (Sunday the 4th there),
02:00 +11 is 01:30 +10:30 at 2026-04-04T15:00 (Sunday the 5th there).
Havana moves at midnight: 00:00 -05 is 01:00 -04 at 2026-03-08T05:00, 01:00 -04 is 00:00 -05 at
2026-11-01T05:00.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from app.rules.gates import Gate, expiry, judge
from app.rules.rule import Action, Rule
from app.rules.settings import Settings
from tests.rules.cast import LINKS

PARIS, NEW_YORK, LORD_HOWE, HAVANA = (
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
)
SECOND = timedelta(seconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00")


def ask(setting: Settings, now: datetime, *, arrived: datetime | None = None, rule: Rule = LINKS) -> Gate:
    """What becomes of a mail, by default one that every gate holds; `arrived` makes it expire that day."""
    rule = replace(rule, hold_expires="end_of_day") if arrived else rule
    return judge(
        rule=rule,
        detector=None,
        urgent=False,
        has_links=True,
        settings=setting,
        now=now,
        expires_at=expiry(rule, arrived or now, setting),
    )


def sends(setting: Settings, now: datetime) -> bool:
    return ask(setting, now).action is Action.SEND
