"""Three names of a mail: the one receivers know, and two by which the ledger recognises it."""

import hashlib


def email_id(message_id: str | None, subject: str | None, date: str | None) -> str:
    """The predecessor's id, which receivers get as `microsoft_graph_email_id`; no secret rests on it."""
    text = "|".join(part or "" for part in (message_id, subject, date))
    return hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def digest(message_id: str | None, sender_header: str | None, raw: bytes) -> str:
    """The same for one mail whichever way it came: only Message-ID, From and the body count."""
    return _sha256(_bytes(message_id), _bytes(sender_header), _canonical_body(raw))


def fingerprint(
    *, message_id: str | None, sender_header: str | None, subject: str | None, date: str | None, size: int
) -> str:
    """The same for a mail of which only the headers are known."""
    return _sha256(*(_bytes(part) for part in (message_id, sender_header, subject, date, str(size))))


def _bytes(text: str | None) -> bytes:
    return (text or "").strip().encode("utf-8", "surrogatepass")


def _canonical_body(raw: bytes) -> bytes:
    """What follows the headers, with one kind of line end and no blank lines at its end."""
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    _, _, body = (b"\n" + lines).partition(b"\n\n")
    return body.rstrip(b"\n")


def _sha256(*parts: bytes) -> str:
    """Each part stands behind its length, so that no two lists of parts read alike."""
    together = hashlib.sha256()
    for part in parts:
        together.update(b"%d:" % len(part))
        together.update(part)
    return together.hexdigest()
