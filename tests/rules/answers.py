"""Our answer to each group of vectors, in the shape in which the predecessor's was recorded."""

from collections.abc import Callable
from datetime import datetime, time
from typing import Any

from app.config import env_bool
from app.integrations.html_text import text_of
from app.integrations.mime_header import decode_header
from app.log import mask
from app.rules import desabo, identity, links, make, polling, preferences, recadrage
from app.rules.gates import expiry, judge
from app.rules.mail import Mail
from app.rules.payload import build
from app.rules.reading import Reading, read
from app.rules.rule import Action
from app.rules.sender import bare_address
from app.rules.settings import Settings, day_names
from app.rules.subject import group_of, split_prefix
from app.rules.text import normalise
from app.rules.window import Position, parse_time
from tests.rules.cast import DESABO, LINKS, MONDAY, PARIS, RECADRAGE, a_mail, paris
from tests.rules.cycle import leaves, states

Given = dict[str, Any]


def as_mail(subject: str | None, body: str | None, now: datetime = MONDAY) -> Mail:
    """Its text is what the parser makes of a body with markup."""
    source = body or ""
    text = text_of(source)[0] if "<" in source or "&" in source else source
    return a_mail(subject or "", text, source_text=source, arrived_at=now)


def _reading(given: Given, now: datetime = MONDAY) -> Reading:
    return read(as_mail(given["subject"], given["body"], now), Settings(), now)


def _recadrage(given: Given) -> object:
    found = recadrage.detect(_reading(given, datetime.fromisoformat(given["now"])), RECADRAGE)
    return {"matches": found.matched, "delivery_time": found.delivery_time}


def _desabo(given: Given) -> object:
    reading = _reading(given)
    found = desabo.detect(reading, DESABO)
    upload = found.matched and desabo.asks_for_upload(reading)
    return {"matches": found.matched, "has_dropbox_request": upload, "is_urgent": found.urgent}


def _links(given: Given) -> object:
    found = (link for link in links.extract(given["text"]) if not link.upload)
    return [{"provider": link.provider, "raw_url": link.raw_url} for link in found]


def _time(given: Given) -> str | None:
    clock = parse_time(given["value"])
    return f"{clock:%H:%M}" if clock else None


def _window(given: Given) -> bool:
    window = Settings(window_start=parse_time(given["start"]), window_end=parse_time(given["end"])).window
    return window is None or window.position(time.fromisoformat(given["now"])) is Position.INSIDE


def _polling(given: Given) -> bool:
    return polling.active(
        datetime.fromisoformat(given["now"]).replace(tzinfo=PARIS),
        days=given["active_days"],
        start_hour=given["start_hour"],
        end_hour=given["end_hour"],
        zone="Europe/Paris",
    )


def _reply(given: Given) -> object:
    prefix, rest = split_prefix(given["subject"])
    return {"stripped": rest, "treated_as_reply": bool(prefix)}


def _absence(given: Given) -> bool:
    setting = Settings(
        absence_enabled=given.get("absence_pause_enabled", False),
        absence_days=day_names(given.get("absence_pause_days", [])),
        sending_enabled=given.get("webhook_sending_enabled", True),
    )
    now = datetime.fromisoformat(given["now_utc"])
    gate = judge(
        rule=LINKS, detector=None, urgent=False, has_links=True, settings=setting, now=now, expires_at=None
    )
    return gate.action is Action.SEND


def _desabo_window(given: Given) -> object:
    start = given["start_str"]
    setting = Settings(
        window_start=parse_time(start),
        window_end=parse_time("17h00") if start else None,
        window_start_text=start,
        window_end_text="17h00",
    )
    now = paris(f"2025-10-13 {given['now']}")
    gate = judge(
        rule=DESABO,
        detector="desabonnement_journee_tarifs",
        urgent=False,
        has_links=False,
        settings=setting,
        now=now,
        expires_at=expiry(DESABO, now, setting),
    )
    goes = gate.action is Action.SEND
    early = goes and gate.window_start_text == start is not None
    return {"early_ok": early, "start_payload": gate.window_start_text, "window_ok": goes}


def _payload(given: Given) -> object:
    if "statuses" in given:
        return states([(status, "") for status in given["statuses"]])
    sender = given.get("sender_email") or given.get("sender")
    return build(
        email_id=given.get("email_id", ""),
        subject=given["subject"],
        date_header=given.get("date_received"),
        sender_header=given.get("sender"),
        sender=bare_address(sender) or None,
        content=given["full_email_content"],
        detector="desabonnement_journee_tarifs" if "time_start_payload" in given else None,
        delivery_time=None,
        window_start=given.get("time_start_payload"),
        window_end=given.get("time_end_payload"),
        links=given.get("delivery_links", []),
    )


def _switch(given: Given) -> bool | str:
    try:
        return env_bool(given["value"], default=given["default"])
    except ValueError:
        return "refused"


def _preferences(given: Given) -> object:
    """What was recorded: whether it is right, and what differs from the defaults, which are empty here."""
    values, problems = preferences.read(given["payload"])
    changed = {name: value for name, value in values.items() if value}
    return {"ok": not problems, "changed": None if problems else changed}


def _email_id(given: Given) -> str:
    return identity.email_id(given.get("Message-ID"), given.get("Subject"), given.get("Date"))


ANSWERS: dict[str, Callable[[Given], object]] = {
    "absence": _absence,
    "desabo_window": _desabo_window,
    "email_id": _email_id,
    "env_bool": _switch,
    "gating": leaves,
    "header_decode": lambda given: decode_header(given["header"]),
    "link_extraction": _links,
    "make_url_normalise": lambda given: make.normalised(given["value"]),
    "mask": lambda given: mask(given["text"], given["type"]),
    "pattern_desabo": _desabo,
    "pattern_media_solution": _recadrage,
    "payload": _payload,
    "polling_active": _polling,
    "prefs_validate": _preferences,
    "provider_detect": lambda given: links.provider_of(given["url"]),
    "reply_prefix": _reply,
    "sender_extract": lambda given: bare_address(given["from"]),
    "subject_group": lambda given: group_of(given["subject"]),
    "text_normalise": lambda given: normalise(given["value"]),
    "time_parse": _time,
    "time_window": _window,
}
