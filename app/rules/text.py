"""Text as it is compared: without accents, case, invisible marks and repeated blanks; and as it is read."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_BLANKS = re.compile(r"\A\s+|\s+\Z|\s+")

# What keyboards and mail programs write in two ways, and no canonical form tells.
_SPELT = {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS", "’": "'"}
_SPELT |= {ligature: unicodedata.normalize("NFKD", ligature) for ligature in "ﬀﬁﬂﬃﬄﬅﬆ"}


def normalise(value: str | None) -> str:
    return " ".join(_BEYOND_ASCII.sub(_plain, value or "").lower().split())


@lru_cache(maxsize=4096)
def wanted(value: str) -> str:
    """What somebody looks for, normalised: there is little of it, and it is asked of every mail."""
    return normalise(value)


def _plain(match: re.Match[str]) -> str:
    return "".join(map(bare, match[0]))


# One character at a time: NFD of a whole text sorts a run of combining marks in quadratic time.
@lru_cache(maxsize=4096)
def bare(character: str) -> str:
    """The character without its accent; a blank is a plain blank, and an invisible mark is nothing."""
    if character.isspace():
        return " "
    parts = unicodedata.normalize("NFD", _SPELT.get(character, character))
    return "".join(
        part for part in parts if not unicodedata.combining(part) and unicodedata.category(part) != "Cf"
    )


@dataclass(frozen=True, slots=True)
class Folding:
    """A text made from another; from each of the `breaks` on, it is behind the other by one of `shifts`."""

    text: str
    breaks: tuple[int, ...]
    shifts: tuple[int, ...]

    def origin(self, place: int) -> int:
        """Where a place of this text is in the one that it was made from."""
        number = bisect_right(self.breaks, place)
        return place + self.shifts[number - 1] if number else place


def fold(text: str) -> Folding:
    """The text without accents and invisible marks; blanks stay as many, and case stays."""
    return _folding(_BEYOND_ASCII, lambda match: [bare(character) for character in match[0]], text)


def collapse(text: str) -> Folding:
    """The text with single blanks, and none around it."""
    return _folding(_BLANKS, lambda match: [" " if match.start() and match.end() < len(text) else ""], text)


def _folding(pattern: re.Pattern[str], parts_of: Callable[[re.Match[str]], list[str]], text: str) -> Folding:
    """Put parts in the place of what fits; each of them stands for as many characters as the others."""
    breaks: list[int] = []
    shifts: list[int] = []
    behind = 0

    def put(match: re.Match[str]) -> str:
        nonlocal behind
        parts = parts_of(match)
        whole = "".join(parts)
        if len(whole) == len(match[0]) and all(parts):
            return whole
        end = match.start()
        for part in parts:
            begin, end = end - behind, end + len(match[0]) // len(parts)
            # a place within a part, or behind it, is the end of what it stands for
            places = range(begin + min(len(part), 1), begin + len(part) + 1)
            breaks.extend(places)
            shifts.extend(end - place for place in places)
            behind = end - begin - len(part)
        return whole

    return Folding(pattern.sub(put, text), tuple(breaks), tuple(shifts))


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


def whole_number(text: str) -> int | None:
    """Read a number of plain digits that fits a column; whatever else stands there is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def one_line(text: str) -> str:
    """Put what somebody typed on one line that can be shown: nothing in it ends a line, or a header."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(shown.split())
