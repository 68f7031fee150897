"""A mail made ready for detectors and conditions: read once, however many rules look at it."""

from dataclasses import dataclass, field
from datetime import datetime

from app.rules import deadline, links
from app.rules.condition import Condition, Field
from app.rules.links import Link
from app.rules.mail import Mail
from app.rules.passage import Passages
from app.rules.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`subject` and `text` are normalised; `delivery_time` is what the text asks for, `soon` in an hour."""

    mail: Mail
    subject: str
    text: str
    deliveries: tuple[Link, ...]
    uploads: tuple[Link, ...]
    mentions_files: bool
    delivery_time: str | None
    soon: str
    _passages: dict[tuple[Field, str], Passages] = field(default_factory=dict)

    def passages(self, condition: Condition) -> Passages:
        """The texts that a condition asks about."""
        key = (condition.field, condition.header.lower() if condition.field is Field.HEADER else "")
        if key not in self._passages:
            self._passages[key] = Passages(_texts(self.mail, *key))
        return self._passages[key]


def read(mail: Mail, settings: Settings, now: datetime) -> Reading:
    found = links.extract(mail.source_text)
    today = now.astimezone(settings.clock).date()
    subject, text = Passages([mail.subject]), Passages([mail.text])
    return Reading(
        mail=mail,
        subject=subject.each[0].normal,
        text=text.each[0].normal,
        deliveries=tuple(link for link in found if not link.upload),
        uploads=tuple(link for link in found if link.upload),
        mentions_files=links.mentions_files(mail.source_text),
        delivery_time=deadline.find(deadline.searchable(mail.text), today),
        soon=deadline.in_one_hour(now, settings.clock),
        _passages={(Field.SUBJECT, ""): subject, (Field.TEXT, ""): text},
    )


def _texts(mail: Mail, field: Field, header: str) -> tuple[str, ...]:
    if field is Field.HEADER:
        return mail.headers.get(header, ())
    if field is Field.RECIPIENT:
        return mail.recipients
    return (mail.sender if field is Field.SENDER else mail.mailbox,)
