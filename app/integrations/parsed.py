"""How the parser is asked, and what it says. Plain values, so that the worker need not import it."""

import struct
from dataclasses import dataclass

MAIL, HEADERS = b"m", b"h"  # what is wanted of the bytes; their length follows, and they themselves
LENGTH = struct.Struct("!I")  # before an answer, too
TOO_BIG_EXIT = 3


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
