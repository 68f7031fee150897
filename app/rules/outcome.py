"""What a try at delivering came to, and what follows from it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.rules import retry
from app.rules.verdict import Reason


class Word(StrEnum):
    """Every failure's name. The neighbours' own list of reasons has the same spelling."""

    TIMED_OUT = "timed_out"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NAME_NOT_FOUND = "name_not_found"
    TLS_FAILED = "tls_failed"
    CONNECTION_LOST = "connection_lost"
    PROTOCOL_ERROR = "protocol_error"
    TOO_LARGE = "too_large"
    PRIVATE_ADDRESS = "private_address"
    BAD_URL = "bad_url"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105  a word, no secret
    AUTH_FAILED = "auth_failed"
    FOLDER_MISSING = "folder_missing"
    UNAVAILABLE = "unavailable"
    MAIL_REFUSED = "mail_refused"
    PARSER_FAILED = "parser_failed"
    PARSER_TOO_SLOW = "parser_too_slow"
    PARSER_TOO_BIG = "parser_too_big"
    LOST = "lost"
    UNEXPECTED = "unexpected"
    BAD_STATUS = "bad_status"
    REDIRECT = "redirect"
    GONE = "gone"
    RECEIVER_REFUSED = "receiver_refused"
    BOT_PROTECTION = "bot_protection"
    NOT_CONFIRMED = "not_confirmed"
    SOURCE_REMOVED = "source_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One try: a status with its body, or else the word for why there is none."""

    status: int | None = None
    body: str = ""
    retry_after: str | None = None
    word: Word | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """`state` is sent, pending, failed or held. `counts_as_failure` is what the endpoint's breaker hears."""

    state: str
    reason: Reason
    due_at: datetime | None = None
    needs_attention: bool = False
    parks_endpoint: bool = False
    counts_as_failure: bool = False


# Seconds between the tries of a failing delivery, and of one that its receiver refuses.
SCHEDULE = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
REFUSED = SCHEDULE[:3]

BOT_PROTECTIONS = (
    ("Imunify360", "imunify360"),
    ("SiteGround", "sgcaptcha"),
    ("Cloudflare", "cf-browser-verification"),
    ("Cloudflare", "challenges.cloudflare.com"),
    ("Sucuri", "sucuri website firewall"),
    ("DDoS-Guard", "ddos-guard"),
    ("Imperva", "_incapsula_resource"),
)
NOT_ITS_FAULT = (  # what says nothing of the receiver's health
    *(Word.RECEIVER_REFUSED, Word.PRIVATE_ADDRESS, Word.BAD_URL, Word.SECRET_UNREADABLE),
    *(Word.LOST, Word.UNEXPECTED, Word.SOURCE_REMOVED),
)
_UNSENDABLE = frozenset({Word.PRIVATE_ADDRESS, Word.BAD_URL, Word.SECRET_UNREADABLE})
_FINAL = frozenset({400, 405, 413, 415})
_PASSING = frozenset({408, 425, 429})
_GONE = 410
_UNPROCESSABLE = 422
_LONGEST_MESSAGE = 200


def treat(
    answer: Answer,
    *,
    tries: int,
    refusals: int,
    now: datetime,
    random: float,
    schedule: Sequence[float] = SCHEDULE,
    require_success: bool = False,
) -> Treatment:
    """What becomes of a delivery, `tries` of which failed before this one and `refusals` were refused."""
    reason = _failure(answer, require_success=require_success)
    if reason is None:
        return Treatment(state="sent", reason=Reason("sent", {"status": answer.status}))
    word = Word(reason.code)
    if word is Word.GONE:
        return Treatment(
            state="held", reason=reason, needs_attention=True, parks_endpoint=True, counts_as_failure=True
        )
    if word in _UNSENDABLE:
        return Treatment(state="held", reason=reason, needs_attention=True)
    refused = word is Word.RECEIVER_REFUSED
    due_at = None
    if answer.status not in _FINAL:
        plan, before = (REFUSED, refusals) if refused else (schedule, tries)
        due_at = retry.due_at(plan, before, now=now, random=random, retry_after=answer.retry_after)
    return Treatment(
        state="pending" if due_at else "failed",
        reason=reason,
        due_at=due_at,
        needs_attention=due_at is None or refused or _is_for_people(answer.status),
        counts_as_failure=word not in NOT_ITS_FAULT,
    )


def _is_for_people(status: int | None) -> bool:
    """A redirect or a client error mends itself only when somebody changes something."""
    return status is not None and 300 <= status < 500 and status not in _PASSING


def _failure(answer: Answer, *, require_success: bool) -> Reason | None:
    if answer.word is not None or answer.status is None:
        word = answer.word or Word.UNEXPECTED
        return Reason(word.value, {"detail": answer.detail} if answer.detail else {})
    status: dict[str, Any] = {"status": answer.status}
    if 200 <= answer.status < 300:
        return _failure_of_a_yes(answer, status, require_success=require_success)
    if answer.status == _UNPROCESSABLE:
        return Reason(Word.RECEIVER_REFUSED.value, status | _message(_json_object(answer.body)))
    if answer.status == _GONE:
        return Reason(Word.GONE.value, status)
    if 300 <= answer.status < 400:
        return Reason(Word.REDIRECT.value, status)
    return Reason(Word.BAD_STATUS.value, status)


def _failure_of_a_yes(answer: Answer, status: dict[str, Any], *, require_success: bool) -> Reason | None:
    """A 2xx is no success when its JSON says so, or when something before the receiver wrote it."""
    said = _json_object(answer.body)
    if said.get("success") is True:
        return None
    if said.get("success") is False:
        return Reason(Word.RECEIVER_REFUSED.value, status | _message(said))
    text = answer.body.lower()
    for name, trace in BOT_PROTECTIONS:
        if trace in text:
            return Reason(Word.BOT_PROTECTION.value, status | {"name": name})
    return Reason(Word.NOT_CONFIRMED.value, status) if require_success else None


def _json_object(body: str) -> dict[str, Any]:
    """Empty for anything else; a receiver's nesting cannot break us."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _message(said: dict[str, Any]) -> dict[str, Any]:
    """What the receiver has to say, as text that can be stored and shown."""
    message = said.get("message")
    if not isinstance(message, str):
        return {}
    shown = message[:_LONGEST_MESSAGE].encode("utf-8", "replace").decode()
    shown = "".join(sign for sign in shown if sign.isprintable())
    return {"message": shown} if shown else {}
