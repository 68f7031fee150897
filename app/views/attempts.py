"""One try at delivering, put before a reader: its time line, its request and its answer."""

import json
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from app.models import Attempt, EndpointTest
from app.rules.sentences import SENTENCES
from app.rules.verdict import Reason
from app.web.i18n import N_

PHASES = (N_("dns"), N_("connect"), N_("tls"), N_("send"), N_("wait"), N_("read"))
WIDTH = 1000  # of the time line, in its own units
SHARED = {  # by tries and tests
    *("url", "ended_at", "status", "peer", "timings"),
    *("request_headers", "answer_headers", "answer", "truncated"),
}
LONGEST = 32_768  # characters of a body that are put into a page


@dataclass(frozen=True, slots=True)
class Phase:
    name: str
    milliseconds: float
    x: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    attempt: Attempt
    url: str
    phases: list[Phase]
    total: float  # milliseconds
    answer: str
    curl: str
    by: str = ""  # who asked for it, where it is a test
    reason: dict[str, Any] | None = None  # how it ended, where that is a sentence
    body: str = ""  # its own, where it shares none


def show_attempt(attempt: Attempt, *, url: str, body: bytes | None) -> Shown:
    """Show a try as it went; `url` is the receiver's, for one that does not know where it went."""
    url = attempt.url or url
    total = sum(attempt.timings.get(phase, 0.0) for phase in PHASES)
    return Shown(
        attempt=attempt,
        url=url,
        phases=time_line(attempt.timings, total),
        total=total,
        answer=readable(attempt.answer),
        curl=as_curl(url, attempt.request_headers, body) if body is not None else "",
        reason=_reason(attempt),
    )


def show_test(test: EndpointTest, *, url: str) -> Shown:
    """Show a test of a receiver as a try is shown."""
    attempt = Attempt(
        id=test.id,
        delivery_id=0,
        endpoint_id=test.endpoint_id,
        generation=0,
        number=0,
        owner=test.owner or "",
        started_at=test.started_at or test.requested_at,
        outcome=test.reason["code"] if test.reason else None,
        **test.model_dump(include=SHARED),
    )
    shown = show_attempt(attempt, url=url, body=test.body)
    return replace(shown, by=test.requested_by, reason=test.reason, body=readable(test.body))


def _reason(attempt: Attempt) -> dict[str, Any] | None:
    """Say how a try without an answer ended; what a library calls it says less, and no French."""
    if not attempt.detail or attempt.outcome not in SENTENCES:
        return None
    return Reason(attempt.outcome, {"detail": attempt.detail}).to_json()


def time_line(timings: dict[str, float], total: float) -> list[Phase]:
    """Lay the stretches of a request end to end; one that took no time has no place."""
    phases, x = [], 0.0
    for name in PHASES:
        took = timings.get(name, 0.0)
        if took <= 0:
            continue
        width = WIDTH * took / total
        phases.append(Phase(name, took, round(x, 1), round(width, 1)))
        x += width
    return phases


def readable(body: bytes | None) -> str:
    """Give a body as text; JSON is indented, which changes nothing that it says."""
    text = (body or b"").decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):  # what is no JSON is shown as it came
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n…"


def as_curl(url: str, headers: dict[str, str], body: bytes) -> str:
    """Give the command that sends the same bytes with the same headers."""
    parts = [f"curl --request POST {shlex.quote(url)}"]
    parts += [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    parts.append(f"--data-binary {shlex.quote(body.decode('utf-8', 'replace'))}")
    return " \\\n  ".join(parts)
