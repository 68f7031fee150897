"""Reads a mail. Runs in the parser's own process only: what it is given may be made to kill it."""

from app.integrations.html_text import text_of
from app.integrations.mime_header import (
    FIELD_LIMIT,
    Block,
    Notes,
    clean,
    decode_header,
    decode_text,
    split,
    unfolded,
)
from app.integrations.mime_part import Leaf, leaves
from app.integrations.parsed import ParsedHeaders, ParsedMail

HTML_LIMIT = 1024 * 1024  # bytes of HTML source that are read of a mail
PLAIN_LIMIT = 1024 * 1024
HEADER_LIMIT = 8 * 1024  # characters of one header
HEADERS_LIMIT = 64 * 1024  # characters of all headers and their names


def parse(raw: bytes) -> ParsedMail:
    """Everything that rules and payload need; what is broken is read as far as it goes, and noted."""
    notes = Notes()
    top = split(raw, 0, len(raw))
    plain = _Text("plain", PLAIN_LIMIT)
    html = _Text("html", HTML_LIMIT)
    attachments = 0
    for leaf in leaves(raw, top, notes):
        if leaf.attached:
            attachments += 1
        elif leaf.kind == "text/html":
            html.add(raw, leaf, notes)
        elif leaf.kind == "text/plain":
            plain.add(raw, leaf, notes)
    shown, flattened = text_of(html.text) if html.text else ("", False)
    if flattened:
        notes.add("html_too_deep")
    return ParsedMail(
        **_top(top, notes),
        plain=plain.text,
        html=html.text,
        text="\n".join(part for part in (plain.text, clean(shown)) if part),
        attachments=attachments,
        headers=_every(top, notes),
        notes=tuple(notes.said),
    )


def headers(block: bytes) -> ParsedHeaders:
    """The same of a header block alone."""
    notes = Notes()
    top = split(block, 0, len(block))
    return ParsedHeaders(**_top(top, notes), notes=tuple(notes.said))


def _top(top: Block, notes: Notes) -> dict[str, str]:
    if top.cut:
        notes.add("header_cut")
    fields = top.fields
    return {
        "subject": decode_header(fields.get("subject", ""), notes),
        "sender_header": decode_header(fields.get("from", ""), notes),
        "date_header": fields.get("date", ""),
        "message_id": fields.get("message-id", ""),
    }


def _every(top: Block, notes: Notes) -> tuple[tuple[str, str], ...]:
    """All headers in their order, decoded, within the limits."""
    read: list[tuple[str, str]] = []
    left = HEADERS_LIMIT
    for name, value in top.every:
        room = min(HEADER_LIMIT, left - len(name))
        if len(read) == FIELD_LIMIT or room <= 0:
            notes.add("header_cut")
            break
        text = decode_header(unfolded(value), notes)
        if len(text) > room:
            notes.add("header_cut")
        read.append((name, text[:room]))
        left -= len(name) + len(read[-1][1])
    return tuple(read)


class _Text:
    """The text of all parts of one kind, up to its limit."""

    def __init__(self, kind: str, limit: int) -> None:
        self._kind = kind
        self._left = limit
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        return "\n".join(self._pieces)

    def add(self, raw: bytes, leaf: Leaf, notes: Notes) -> None:
        data, cut = leaf.content(raw, self._left)
        self._left -= len(data)
        if cut:
            notes.add(f"{self._kind}_cut")
        if data:
            self._pieces.append(clean(decode_text(data, leaf.charset, notes)))
