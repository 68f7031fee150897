"""A mail of the ledger as the rules take it: just parsed, or as it was kept."""

from collections.abc import Iterable, Sequence

from app.integrations.parsed import ParsedMail
from app.models import Message, Raw
from app.rules.mail import Mail
from app.rules.sender import recipients


def parsed_mail(message: Message, parsed: ParsedMail, mailbox: str) -> Mail:
    return Mail(
        subject=message.subject,
        sender=message.sender,
        text=parsed.text,
        source_text=f"{parsed.plain}\n{parsed.html}",
        size=message.size,
        arrived_at=message.internal_at,
        attachments=parsed.attachments,
        text_cut="html_cut" in parsed.notes,
        recipients=recipients(parsed.headers),
        headers=_by_name(parsed.headers),
        mailbox=mailbox,
    )


def kept_mail(message: Message, raw: Raw, mailbox: str) -> Mail:
    """What was read when the mail was decided; it is not parsed again."""
    headers = [(name, value) for name, value in raw.headers or ()]
    return Mail(
        subject=message.subject,
        sender=message.sender,
        text=raw.text or "",
        source_text=f"{raw.plain or ''}\n{raw.html or ''}",
        size=message.size,
        arrived_at=message.internal_at,
        attachments=raw.attachments,
        text_cut=any(step["code"] == "text_cut" for step in message.steps),
        recipients=recipients(headers),
        headers=_by_name(headers),
        mailbox=mailbox,
    )


def _by_name(headers: Iterable[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    named: dict[str, tuple[str, ...]] = {}
    for name, value in headers:
        named[name] = (*named.get(name, ()), value)
    return named
