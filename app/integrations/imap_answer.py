"""Reads what a server answers to FETCH: only what it said of a message it named by UID."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

Value = bytes | tuple[bytes, ...] | None
Piece = bytes | tuple[bytes, bytes] | None
Item = Mapping[bytes, Value]

NO_SIZE = -1
# For a server that gives no date, or none that exists: always the same, and never before anybody's start.
NO_DATE = datetime(2100, 1, 1, tzinfo=UTC)

LARGEST = 2**63 - 1
_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_START = re.compile(rb"\d+ \(")
_DATE = re.compile(rb" ?(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = {name.encode(): number for number, name in enumerate(_MONTH_NAMES.split(), 1)}
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_LITERAL_MARK = re.compile(rb"\{\d+\}$")
_TOKEN = re.compile(rb'\s*(?:([()])|"((?:[^"\\]|\\.)*)"|([^\s()"\[\]]+(?:\[[^\]]*\])?(?:<\d+>)?))', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Listed:
    """What the server says of one message before it is fetched."""

    uid: int
    size: int
    internal_at: datetime
    seen: bool


class _Token(NamedTuple):
    """A parenthesis (`mark`), or a value: quoted and literal strings are never NIL."""

    value: bytes
    mark: bool = False
    quoted: bool = False


def listed(pieces: Iterable[Piece], first_uid: int) -> list[Listed]:
    """The messages from `first_uid` on: `n:*` also brings the last older one, and servers volunteer some.

    A size that is not told is -1: the server spoke of that message, which is no reason to pass it over.
    """
    found: dict[int, Listed] = {}
    for item in items(pieces):
        uid, size = _number(item.get(b"UID")), _number(item.get(b"RFC822.SIZE"))
        if uid is None or uid < first_uid or (size is None and uid in found):
            continue
        flags = item.get(b"FLAGS")
        seen = isinstance(flags, tuple) and b"\\SEEN" in {flag.upper() for flag in flags}
        found[uid] = Listed(uid, NO_SIZE if size is None else size, _moment(item.get(b"INTERNALDATE")), seen)
    return [found[uid] for uid in sorted(found)]


def texts(pieces: Iterable[Piece], section: bytes, wanted: Collection[int]) -> dict[int, bytes]:
    """UID to text, for the UIDs asked for and nothing empty: a NIL is no mail."""
    found: dict[int, bytes] = {}
    for item in items(pieces):
        uid, text = _number(item.get(b"UID")), item.get(section)
        if uid is not None and uid in wanted and isinstance(text, bytes) and text:
            found.setdefault(uid, text)
    return found


def items(pieces: Iterable[Piece]) -> Iterator[Item]:
    """One mapping for each FETCH answer in imaplib's loose list of lines and (line, literal) pairs."""
    group: list[Piece] = []
    for piece in pieces:
        head = piece[0] if isinstance(piece, tuple) else piece
        if head is not None and _START.match(head) and group:
            yield _item(group)
            group = []
        group.append(piece)
    if group:
        yield _item(group)


def _item(group: Iterable[Piece]) -> Item:
    tokens = _tokens(group)
    found: dict[bytes, Value] = {}
    for token in tokens:
        if token.mark and token.value == b"(":
            break
    for token in tokens:
        if token.mark:
            break
        found[token.value.upper()] = _value(tokens)
    return found


def _value(tokens: Iterator[_Token]) -> Value:
    first = next(tokens, None)
    if first is None:
        return None
    if not first.mark:
        return first.value if first.quoted or first.value.upper() != b"NIL" else None
    values, depth = [], 1
    for token in tokens:
        if token.mark:
            depth += 1 if token.value == b"(" else -1
        else:
            values.append(token.value)
        if depth == 0:
            break
    return tuple(values)


def _tokens(group: Iterable[Piece]) -> Iterator[_Token]:
    for piece in group:
        line = piece[0] if isinstance(piece, tuple) else piece
        for match in _TOKEN.finditer(_LITERAL_MARK.sub(b"", line or b"")):
            mark, quoted, atom = match.groups()
            if atom is not None:
                yield _Token(atom)
            elif mark is not None:
                yield _Token(mark, mark=True)
            else:
                yield _Token(_ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted, quoted=True)
        if isinstance(piece, tuple):
            yield _Token(piece[1], quoted=True)


def _number(value: Value) -> int | None:
    """A count that a database can hold: whatever is longer than 63 bits is none."""
    if not isinstance(value, bytes) or not value.isdigit() or len(value) > len(str(LARGEST)):
        return None
    return int(value) if int(value) <= LARGEST else None


def _moment(value: Value) -> datetime:
    """INTERNALDATE in UTC. Not by strptime, which would be half of the cost of a long listing."""
    match = _DATE.fullmatch(value) if isinstance(value, bytes) else None
    if match is None:
        return NO_DATE
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    try:
        zone = timezone(-offset if sign == b"-" else offset)
        numbers = (int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second))
        return datetime(*numbers, tzinfo=zone).astimezone(UTC)
    except (ValueError, KeyError, OverflowError):
        return NO_DATE
