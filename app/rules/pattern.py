"""Operators' patterns, on RE2: their time grows evenly with the text, and has an end whatever the pattern."""

import re
from functools import lru_cache

import re2

from app.rules.passage import Passage
from app.rules.text import bare, fold
from app.rules.verdict import Reason

LONGEST = 1000  # characters of a pattern
READ = 256 * 1024  # bytes of a text that a pattern is asked about
CAPTURED = 500  # characters that are kept of one capture
_LARGEST = 1 << 13  # instructions that a pattern may become
_WORK = 1 << 26  # instructions times bytes that a search may cost: less than a second at the very worst
_MEMORY = 1 << 20  # bytes that a pattern may take

# Names of groups, escapes and classes mean what they say; of a class, only single letters lose their accents.
_KEPT = re.compile(r"(\(\?P?<\w+>|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])", re.DOTALL)
_IN_CLASS = re.compile(r"\A\[\^?\]?|\\.|(?P<range>[^\\]-[^\]\\])|(?P<letter>[^\x00-\x7f])", re.DOTALL)
_ACCENTED = range(0xC0, 0x250)  # the letters of the Latin alphabets


def check(pattern: str) -> Reason | None:
    """Say why a pattern cannot be used, if it cannot."""
    if len(pattern) > LONGEST:
        return Reason("pattern_too_long", {"limit": LONGEST})
    try:
        _compile(pattern)
        _compile(_without_accents(pattern))
    except re2.error as error:
        return Reason("bad_pattern", {"detail": _detail(error)})
    return None


def search(pattern: str, passage: Passage, *, exact: bool) -> tuple[int, dict[str, str]] | None:
    """Where in the text as it came the pattern first fits, and what its named groups caught there.

    A pattern that `check` refuses fits nothing; a large one is asked about less of a long text.
    """
    compiled = _compiled(pattern, exact)
    if compiled is None:
        return None
    data = passage.searched if exact else passage.searched_plain
    match = compiled.search(data, 0, _limit(compiled))
    if match is None:
        return None

    def origin(offset: int) -> int:
        place = len(data[:offset].decode("utf-8", "ignore"))  # a match may end within a character
        return place if exact else passage.origin(place)

    spans = {name: match.span(number) for name, number in compiled.groupindex.items()}
    return origin(match.start()), {
        name: passage.text[origin(start) : origin(end)][:CAPTURED]
        for name, (start, end) in spans.items()
        if start < end
    }


def part_read(pattern: str, passage: Passage, *, exact: bool) -> int | None:
    """How many bytes of the text `search` looks at, where they are not all of it."""
    compiled = _compiled(pattern, exact)
    if compiled is None:
        return None
    data, limit = passage.searched if exact else passage.searched_plain, _limit(compiled)
    return limit if limit < len(data) else None


def captures(pattern: str) -> list[str]:
    """The names of a pattern's groups; none when `check` refuses it."""
    compiled = _compiled(pattern, exact=True)
    return sorted(compiled.groupindex, key=compiled.groupindex.__getitem__) if compiled else []


@lru_cache(maxsize=4096)
def _compiled(pattern: str, exact: bool) -> re2._Regexp | None:  # noqa: FBT001 - the cache's key
    try:
        return _compile(pattern if exact else _without_accents(pattern))
    except re2.error:
        return None


def _limit(compiled: re2._Regexp) -> int:
    size: int = compiled.programsize
    return min(READ, _WORK // size)


def _compile(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.max_mem, options.log_errors = _MEMORY, False
    try:
        compiled = re2.compile(pattern, options)
    except UnicodeEncodeError as error:  # half a surrogate pair
        raise re2.error(error.reason) from error
    if compiled.programsize > _LARGEST:
        message = "pattern too large"
        raise re2.error(message)
    return compiled


def _without_accents(pattern: str) -> str:
    pieces = _KEPT.split(pattern)
    pieces[::2] = [fold(piece).text for piece in pieces[::2]]
    pieces[1::2] = [
        _IN_CLASS.sub(_plain_too, piece) if piece.startswith("[") else piece for piece in pieces[1::2]
    ]
    return f"(?i){''.join(pieces)}"


def _plain_too(match: re.Match[str]) -> str:
    """A letter of a class without its accent; a range as it is, and what its letters are without theirs."""
    piece = match[0]
    if match.lastgroup is None:
        return piece
    if match.lastgroup == "letter":
        return bare(piece)
    letters = range(max(ord(piece[0]), _ACCENTED.start), min(ord(piece[2]) + 1, _ACCENTED.stop))
    plain = {bare(chr(letter)) for letter in letters}
    return piece + "".join(sorted(one for one in plain if one.isascii()))


def _detail(error: re2.error) -> str:
    detail = error.args[0] if error.args else ""
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
