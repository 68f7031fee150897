"""A mail of the ledger as the rules take it: just parsed, or as it was kept."""

from collections.abc import Iterable, Sequence

from app.integrations.parsed import ParsedMail
from app.models import Message, Raw
from app.rules.mail import Mail
from app.rules.sender import recipients

HTML_CUT = "html_cut"  # the parser's note


def parsed_mail(message: Message, parsed: ParsedMail, mailbox: str) -> Mail:
    return Mail(
        subject=message.subject,
        sender=message.sender,
        text=parsed.text,
        source_text=f"{parsed.plain}\n{parsed.html}",
        size=message.size,
        arrived_at=message.internal_at,
        attachments=parsed.attachments,
        text_cut=HTML_CUT in parsed.notes,
        recipients=recipients(parsed.headers),
        headers=_by_name(parsed.headers),
        mailbox=mailbox,
    )


def kept(message: Message, raw: Raw) -> ParsedMail:
    """Give what the parser read when the mail was decided; of its notes, the one that rules know."""
    cut = any(step["code"] == "text_cut" for step in message.steps)
    return ParsedMail(
        subject=message.subject,
        sender_header=message.sender_header,
        date_header=message.date_header,
        message_id=message.message_id,
        plain=raw.plain or "",
        html=raw.html or "",
        text=raw.text or "",
        attachments=raw.attachments,
        headers=tuple((name, value) for name, value in raw.headers or ()),
        notes=(HTML_CUT,) if cut else (),
    )


def _by_name(headers: Iterable[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    named: dict[str, tuple[str, ...]] = {}
    for name, value in headers:
        named[name] = (*named.get(name, ()), value)
    return named
