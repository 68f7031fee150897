"""A receiver as somebody wrote it: every mistake is found, and named at the field where it was made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.rules import make, template
from app.rules.address import host_of, same_place
from app.rules.draft_reader import NOT_KEPT, DraftReader
from app.rules.text import whole_number
from app.rules.verdict import Problems, Reason

HIDDEN = "•••"  # stands for a header's value that is kept, and that no page shows
MODES, CONTENTS = ("json", "form"), ("whole", "without_content", "template")
FLAGS = ("form_on_415", "require_success", "ordered")
# what the form takes as a number; a limit of time may also be set by programs, up to as much
NUMBERS = {"timeout": (1, 300), "concurrency": (1, 64), "rate_per_hour": (0, 100_000)}

LONGEST_URL = 2048
LONGEST_AUTHORITY = 32 * 1024  # with which a form still has room for all the rest
MOST_HEADERS, LONGEST_HEADERS = 20, 4096
MOST_WAITS, LONGEST_WAIT = 20, 24  # hours

_TOKEN = re.compile(r"[A-Za-z0-9]{20,64}")  # of Make.com, without its host
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,80}")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]+")
_OURS = frozenset(
    {"accept-encoding", "connection", "content-length", "content-type", "expect", "host", "keep-alive"}
    | {"te", "trailer", "transfer-encoding", "upgrade", "x-source"}
)
_SIGNED = "webhook-"
_WAIT = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?) ?(s|sec|min|mn|h)", re.IGNORECASE)
_SECONDS = {"s": 1, "sec": 1, "min": 60, "mn": 60, "h": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a receiver's headers say that were saved before, and to whom they say it."""

    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    verified: bool = True

    def told(self, url: str, *, verified: bool) -> dict[str, str]:
        """Give the values by lowered names; none where somebody else could learn them."""
        if not same_place(self.url, url) or (self.verified and not verified):
            return {}
        return {name.lower(): value for name, value in self.headers.items()}


def read(
    raw: Mapping[str, Any], *, kept: Kept | None = None, may_be_insecure: bool = False
) -> tuple[dict[str, Any], Problems]:
    """Give what could be read, by the names of an endpoint's columns, and what is wrong with the rest.

    `kept`: the headers that were saved before; `may_be_insecure`: TLS may go unverified.
    """
    reading, insecure = _Reading(), raw.get("insecure") is True
    content = reading.word("content", raw.get("content", ""), CONTENTS)
    values: dict[str, Any] = {
        "name": reading.name(raw.get("name", "")),
        "url": reading.url(raw.get("url", "")),
        "mode": reading.word("mode", raw.get("mode", ""), MODES),
        "content": content,
        "template": reading.template(raw.get("template", ""), needed=content == "template"),
        **{name: raw.get(name) is True for name in FLAGS},
        **{name: reading.number(name, raw.get(name, "")) for name in NUMBERS},
        "schedule": reading.schedule(raw.get("schedule", "")),
    }
    known = (kept or Kept()).told(values["url"], verified=not insecure)
    values |= {
        "extra_headers": reading.headers(raw.get("extra_headers", ""), known),
        "authority": reading.authority(raw.get("authority", "")),
        "verify_tls": reading.verify_tls(insecure=insecure, allowed=may_be_insecure),
    }
    wrong = {"verify_tls" if place == "insecure" else place for place in reading.problems}
    return {name: value for name, value in values.items() if name not in wrong}, reading.problems


def waits(schedule: list[float]) -> str:
    """Write a schedule as `read` reads it."""
    return ", ".join(_wait(seconds) for seconds in schedule)


def effect(values: Mapping[str, Any]) -> list[Reason]:
    """Say what a receiver does of which this much is known."""
    said = [_posts(values), _tries(values), _speed(values)]
    return [reason for group in said for reason in group]


def _posts(values: Mapping[str, Any]) -> list[Reason]:
    said = []
    if "url" in values and "mode" in values:
        host = host_of(values["url"]) or values["url"]
        said.append(Reason(f"receiver_{values['mode']}", {"host": host}))
    if values.get("mode") == "json" and values.get("form_on_415"):
        said.append(Reason("receiver_form_next"))
    if "content" in values:
        said.append(Reason(f"receiver_{values['content']}"))
    if values.get("extra_headers"):
        said.append(Reason("receiver_headers", {"names": list(values["extra_headers"])}))
    if values.get("verify_tls") is False:
        said.append(Reason("receiver_insecure"))
    elif values.get("authority"):
        said.append(Reason("receiver_authority"))
    said.append(Reason("receiver_own_success" if values["require_success"] else "receiver_any_success"))
    return said


def _tries(values: Mapping[str, Any]) -> list[Reason]:
    if "schedule" not in values:
        return []
    schedule = values["schedule"]
    if not schedule:
        return [Reason("receiver_tries_once")]
    span = {"count": len(schedule), "waits": waits(schedule), "span": _about(sum(schedule))}
    return [Reason("receiver_tries", span)]


def _speed(values: Mapping[str, Any]) -> list[Reason]:
    said = []
    if values["ordered"] and "timeout" in values:
        said.append(Reason("receiver_in_order", {"seconds": values["timeout"]}))
    elif {"concurrency", "timeout"} <= values.keys():
        facts = {"count": values["concurrency"], "seconds": values["timeout"]}
        said.append(Reason("receiver_at_once", facts))
    if values.get("rate_per_hour"):
        said.append(Reason("receiver_per_hour", {"count": values["rate_per_hour"]}))
    return said


def _wait(seconds: float) -> str:
    for unit in ("h", "min"):
        if seconds and not seconds % _SECONDS[unit]:
            return f"{seconds // _SECONDS[unit]:.0f}{unit}"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def _about(seconds: float) -> str:
    """A span as one says it: rounded, in one unit."""
    minutes = round(seconds / 60)
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"


class _Reading(DraftReader):
    """Reads a receiver's fields."""

    def url(self, text: str) -> str:
        """Read an address, or one of the two short forms of Make.com; the gate says more of it."""
        typed = text.strip()
        if not typed:
            self._refuse("url", "url_missing")
        elif len(typed) > LONGEST_URL:
            self._refuse("url", "url_too_long", limit=LONGEST_URL)
        elif NOT_KEPT.search(typed):
            self._refuse("url", "not_a_text")
        short = "@" in typed or _TOKEN.fullmatch(typed)
        return (make.normalised(typed) if short else None) or typed

    def word(self, place: str, value: object, known: tuple[str, ...]) -> str:
        if value not in known:
            self._refuse(place, "unknown_word", value=str(value)[:80], choices=list(known))
        return str(value)

    def template(self, text: str, *, needed: bool) -> str:
        """Read a template; one that is not in use is kept, but never a broken one."""
        given = text.strip()
        if NOT_KEPT.search(given):
            self._refuse("template", "not_a_text")
        elif not given and needed:
            self._refuse("template", "template_missing")
        elif given and (problem := template.check(given, names=template.OWN_NAMES)):
            self.problems.setdefault("template", problem)
        return given

    def number(self, place: str, text: str) -> int | None:
        least, most = NUMBERS[place]
        number = whole_number(text.strip())
        if number is None or not least <= number <= most:
            self._refuse(place, "not_a_number", least=least, most=most)
        return number

    def schedule(self, text: str) -> list[float]:
        steps = [part.strip() for part in re.split(r"[,;\n]", text)]
        found = [self._seconds(step) for step in steps if step]
        if len(found) > MOST_WAITS:
            self._refuse("schedule", "too_many", limit=MOST_WAITS)
        return found

    def _seconds(self, step: str) -> float:
        match = _WAIT.fullmatch(step)
        if match is None:
            self._refuse("schedule", "bad_wait", value=NOT_KEPT.sub("", step)[:80])
            return 0
        seconds = float(match[1]) * _SECONDS[match[2].lower()]
        if seconds > LONGEST_WAIT * 3600:
            self._refuse("schedule", "wait_too_long", value=step, hours=LONGEST_WAIT)
        return int(seconds) if seconds.is_integer() else seconds

    def headers(self, text: str, known: Mapping[str, str]) -> dict[str, str]:
        """Read one header a line; a value that the page hid is the one that is known by its name."""
        lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if len(lines) > MOST_HEADERS:  # and nobody reads thousands to find what is wrong with each
            self._refuse("extra_headers", "too_many", limit=MOST_HEADERS)
            return {}
        found: dict[str, tuple[str, str]] = {}
        for number, line in lines:
            self._header(number, line, known, found)
        if sum(len(name) + len(value) for name, value in found.values()) > LONGEST_HEADERS:
            self._refuse("extra_headers", "headers_too_long", limit=LONGEST_HEADERS)
        return dict(found.values())

    def _header(
        self, number: int, line: str, known: Mapping[str, str], found: dict[str, tuple[str, str]]
    ) -> None:
        name, colon, value = line.partition(":")
        lowered, hidden = name.lower(), value.strip() == HIDDEN
        given = known.get(lowered, "") if hidden else value.strip()
        if not colon:
            self._refuse("extra_headers", "header_not_read", line=number)
        elif not _HEADER.fullmatch(name):
            self._refuse("extra_headers", "header_name", line=number)
        elif lowered in _OURS or lowered.startswith(_SIGNED):
            self._refuse("extra_headers", "header_ours", line=number, name=name)
        elif lowered in found:
            self._refuse("extra_headers", "header_twice", line=number, name=name)
        elif hidden and not given:
            self._refuse("extra_headers", "header_not_kept", line=number, name=name)
        elif not _VALUE.fullmatch(given):
            self._refuse("extra_headers", "header_value", line=number)
        else:
            found[lowered] = (name, given)

    def authority(self, text: str) -> str:
        given = text.strip()
        if "PRIVATE KEY" in given:
            self._refuse("authority", "private_key")
        elif len(given) > LONGEST_AUTHORITY:
            self._refuse("authority", "too_long", limit=LONGEST_AUTHORITY)
        elif given and not (given.isascii() and "-----BEGIN CERTIFICATE-----" in given):
            self._refuse("authority", "not_certificates")
        return given

    def verify_tls(self, *, insecure: bool, allowed: bool) -> bool:
        if insecure and not allowed:
            self._refuse("insecure", "insecure_not_allowed")
        return not insecure
