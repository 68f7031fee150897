"""A mail made ready for the detectors: read once, however many rules look at it."""

from dataclasses import dataclass
from datetime import datetime

from app.rules import deadline, links
from app.rules.links import Link
from app.rules.mail import Mail
from app.rules.settings import Settings
from app.rules.text import normalise


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`subject` and `text` are normalised; `delivery_time` is what the text asks for, `soon` in an hour."""

    subject: str
    text: str
    deliveries: tuple[Link, ...]
    uploads: tuple[Link, ...]
    mentions_files: bool
    delivery_time: str | None
    soon: str


def read(mail: Mail, settings: Settings, now: datetime) -> Reading:
    found = links.extract(mail.source_text)
    today = now.astimezone(settings.clock).date()
    return Reading(
        subject=normalise(mail.subject),
        text=normalise(mail.text),
        deliveries=tuple(link for link in found if not link.upload),
        uploads=tuple(link for link in found if link.upload),
        mentions_files=links.mentions_files(mail.source_text),
        delivery_time=deadline.find(deadline.searchable(mail.text), today),
        soon=deadline.in_one_hour(now, settings.clock),
    )
