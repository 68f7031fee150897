"""Text as it is compared: without accents, case, invisible marks and repeated blanks."""

import re
import unicodedata
from functools import lru_cache

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def normalise(value: str | None) -> str:
    return " ".join(_BEYOND_ASCII.sub(_plain, value or "").lower().split())


def _plain(match: re.Match[str]) -> str:
    return _bare(match[0])


# One character at a time: NFD of a whole text sorts a run of combining marks in quadratic time.
@lru_cache(maxsize=4096)
def _bare(character: str) -> str:
    parts = unicodedata.normalize("NFD", character)
    return "".join(
        part for part in parts if not unicodedata.combining(part) and unicodedata.category(part) != "Cf"
    )


def has_words(text: str, term: str) -> bool:
    """Whether `term` stands in `text` as whole words; both are normalised."""
    if not term:
        return False
    start = text.find(term)
    while start >= 0:
        around = text[start - 1 : start] + text[start + len(term) : start + len(term) + 1]
        if not re.search(r"\w", around):
            return True
        start = text.find(term, start + 1)
    return False
