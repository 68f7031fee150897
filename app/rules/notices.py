"""When an operator is told by mail, and what such a mail says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from app.rules.text import one_line
from app.rules.verdict import Reason
from app.rules.words import Translate, say

OUTAGE = timedelta(minutes=10)  # a mailbox that does not answer for less is nobody's business
COMPANY = timedelta(seconds=60)  # the first notice waits for others
GAP = timedelta(minutes=15)  # between two mails
GAP_ASKED = timedelta(seconds=10)  # where somebody asked for one
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)  # after a failure
MOST_LINES = 50
LONGEST_SUBJECT = 150

_WORST = (  # the worst first
    *("endpoint_parked", "mailbox_failing", "endpoint_unreachable", "endpoint_failing", "delivery_failed"),
    *("mailbox_recovered", "endpoint_recovered", "mail_test"),
)
_WITHIN = {"gone": "gone_for_good"}  # what a notice's own sentence says already is left out of why
_HOPELESS = frozenset({"auth_failed", "secret_unreadable"})  # a mailbox does not get over these by itself


@dataclass(frozen=True, slots=True)
class Past:
    """How earlier mails went."""

    sent_at: datetime | None = None
    tried_at: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One notice: since when, and what is to be told (`told`)."""

    at: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    text: str


def is_outage(code: str, *, since: datetime, now: datetime) -> bool:
    """Whether a mailbox that fails for this reason since then is worth a notice."""
    return code in _HOPELESS or not since <= now < since + OUTAGE


def due_at(first: datetime, past: Past, now: datetime, *, asked: datetime | None = None) -> datetime:
    """Say when the mail for what waits may go; the oldest of it is of `first`.

    `asked`: somebody wants one at once. A moment that lies ahead was written by a clock set back since.
    """
    tried = past.tried_at if past.tried_at and past.tried_at <= now else None
    if asked is not None and (tried is None or tried < asked):
        return max(min(asked, now), tried + GAP_ASKED) if tried else min(asked, now)
    due = min(first, now) + COMPANY
    if past.sent_at and past.sent_at <= now:
        due = max(due, past.sent_at + GAP)
    return max(due, tried + _wait(past.failures)) if tried and past.failures else due


def told(kind: str, name: str, reason: Mapping[str, Any]) -> Reason:
    """Give a notice as a reason; `name` is whom it is about, `reason` why."""
    why = {**reason, "code": _WITHIN.get(reason["code"], reason["code"])}
    facts = {"name": name, "delivery": reason["facts"].get("delivery_id"), "why": [why]}
    return Reason(f"notice_{kind}", facts)


def compose(
    lines: Sequence[Line], more: int, *, url: str, zone: tzinfo, translate: Translate = str
) -> Letter:
    """Write one mail of some notices; of `more` others only the number is told."""

    def sentence(reason: Reason) -> str:
        return one_line(say(reason, translate, zone=zone))

    said = [sentence(Reason("mail_line", {"at": line.at.isoformat()})) for line in lines]
    said = [f"{at}  {sentence(line.reason)}" for at, line in zip(said, lines, strict=True)]
    if more:
        said.append(sentence(Reason("mail_and_more", {"count": more})))
    text = "\n".join([*said, "", sentence(Reason("mail_end", {"url": url})), ""])
    return Letter(sentence(_subject([line.reason for line in lines], more))[:LONGEST_SUBJECT], text)


def _subject(notices: Sequence[Reason], more: int) -> Reason:
    """Name the worst, and how many others there are."""
    others = len(notices) + more - 1
    if not others:
        return Reason("mail_subject", {"told": [notices[0].to_json()]})
    worst = min(notices, key=lambda one: _WORST.index(_kind(one)))
    told_of = [Reason(f"short_{_kind(worst)}", {"name": worst.facts["name"]}).to_json()]
    if others == 1:
        return Reason("mail_subject_and_one", {"told": told_of})
    return Reason("mail_subject_and_more", {"told": told_of, "more": others})


def _kind(notice: Reason) -> str:
    return notice.code.removeprefix("notice_")


def _wait(failures: int) -> timedelta:
    wait: timedelta = FIRST_WAIT * 2 ** min(failures - 1, 12)
    return min(wait, LONGEST_WAIT)
