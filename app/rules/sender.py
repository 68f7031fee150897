"""Who wrote a mail, to whom, and whether this mailbox listens to them."""

import re
from collections.abc import Collection, Iterable, Iterator

RECIPIENTS_LIMIT = 200
_TO = frozenset({"to", "cc", "bcc", "delivered-to", "x-original-to", "envelope-to"})

# A quote that is never closed runs to the end: nothing behind it can pass for an address.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
_COMMENT = re.compile(r"\([^()]*\)")
_ANGLE = re.compile(r"<([^<>]*)>")
_ADDRESS = re.compile(r"(?<![\w.+@-])[^\s<>@\"(),:;\[\]\\]{1,64}@[^\s<>@\"(),:;\[\]\\]{1,255}")


def bare_address(header: str | None) -> str:
    """The lower-case address of a From header: in angle brackets, else the first that looks like one."""
    return _address(_plain(header or ""))


def recipients(headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The lower-case addresses that a mail went to, by its headers: each once, the first 200, in order."""
    found: dict[str, None] = {}
    for address in _listed(headers):
        found[address] = None
        if len(found) == RECIPIENTS_LIMIT:
            break
    return tuple(found)


def is_listed(address: str, senders: Collection[str]) -> bool:
    """An empty list means everybody."""
    return not senders or address in {sender.strip().lower() for sender in senders}


def _listed(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in headers:
        if name.lower() in _TO:
            entries = re.split("[,;]", _plain(value))
            yield from filter(None, (_address(entry) for entry in entries if "@" in entry))


def _plain(header: str) -> str:
    """Without quoted names and comments, which may hold anything."""
    return _COMMENT.sub(" ", _QUOTED.sub(" ", header))


def _address(plain: str) -> str:
    angle = _ANGLE.search(plain)
    found = _ADDRESS.search(angle[1] if angle else plain)
    return found[0].rstrip(".").lower() if found else ""
