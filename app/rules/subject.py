"""What a subject says about the mail: a reply or not, and which group of mails it belongs to."""

import hashlib
import re

from app.rules.rule import RECADRAGE_TERMS
from app.rules.text import has_words, normalise, wanted

_PREFIX = re.compile(
    r" ?(?:\[[^\[\]]{1,40}\] ?){0,3}(?:re|r\u00e9|re\u0301|fwd?|rv|tr|aw|sv|antw|confirmation)"
    r" ?(?:\[[0-9]{1,3}\]|\([0-9]{1,3}\))? ?:",
    re.IGNORECASE,
)
_LOT = re.compile(r"\blot ([0-9]+)\b")


def split_prefix(subject: str | None) -> tuple[str, str]:
    """The reply and forward prefixes a subject begins with (empty if none), and what is left of it."""
    whole = " ".join((subject or "").split())
    end = 0
    while match := _PREFIX.match(whole, end):
        end = match.end()
    return whole[:end].strip(), whole[end:].strip()


def group_of(subject: str | None) -> str:
    """The name shared by all mails about the same lot, or else by all with the same subject."""
    core = split_prefix(normalise(subject))[1]
    lot = _LOT.search(core)
    if lot is None:
        # The predecessor's name for such a group; nothing secret rests on it.
        return (
            f"subject_hash_{hashlib.md5(core.encode('utf-8', 'replace'), usedforsecurity=False).hexdigest()}"
        )
    if matches_terms(core, RECADRAGE_TERMS):
        return f"media_solution_missions_recadrage_lot_{lot[1]}"
    return f"lot_{lot[1]}"


def matches_terms(subject: str, terms: tuple[str, ...]) -> bool:
    """Every term is there: a single word as a whole one, a phrase also within a longer one (plurals)."""
    return all(_has_term(subject, wanted(term)) for term in terms)


def _has_term(subject: str, term: str) -> bool:
    return term in subject if " " in term else has_words(subject, term)
