"""Who wrote a mail, and whether this mailbox listens to them."""

import re
from collections.abc import Collection

# A quote that is never closed runs to the end: nothing behind it can pass for an address.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
_COMMENT = re.compile(r"\([^()]*\)")
_ANGLE = re.compile(r"<([^<>]*)>")
_ADDRESS = re.compile(r"(?<![\w.+@-])[^\s<>@\"(),:;\[\]\\]{1,64}@[^\s<>@\"(),:;\[\]\\]{1,255}")


def bare_address(header: str | None) -> str:
    """The lower-case address of a From header: in angle brackets, else the first that looks like one."""
    plain = _COMMENT.sub(" ", _QUOTED.sub(" ", header or ""))
    angle = _ANGLE.search(plain)
    candidate = angle[1] if angle else plain
    found = _ADDRESS.search(candidate)
    return found[0].rstrip(".").lower() if found else ""


def is_listed(address: str, senders: Collection[str]) -> bool:
    """An empty list means everybody."""
    return not senders or address in {sender.strip().lower() for sender in senders}
