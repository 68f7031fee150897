"""What the parser says of a mail. Plain values, so that the worker need not import the parser."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedHeaders:
    """The four headers that matter: `subject` and `sender_header` decoded, the others as they came."""

    subject: str
    sender_header: str
    date_header: str
    message_id: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMail(ParsedHeaders):
    """A whole mail. `html` is source, cut at 1 MiB; `text` is what a reader sees of both parts.

    `headers` are all of the mail's own, in their order: the name in lower case, the value decoded.
    """

    plain: str
    html: str
    text: str
    attachments: int
    headers: tuple[tuple[str, str], ...]
