"""Header blocks: split, unfolded and decoded, within limits and without ever failing."""

import binascii
import codecs
import encodings
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from encodings.aliases import aliases
from functools import cache
from itertools import islice
from pkgutil import iter_modules

BLOCK_LIMIT = 256 * 1024
LINE_LIMIT = 64 * 1024
DECODE_LIMIT = 16 * 1024  # of one header
FIELD_LIMIT = 500  # fields of a block that are kept as they came
PARAMETER_LIMIT = 4 * 1024
_NAME_LIMIT = 40

# The fields that reading a mail asks for; of a million others, some are kept for who asks about any.
READ = frozenset(
    {
        *("content-type", "content-disposition", "content-transfer-encoding"),
        *("subject", "from", "date", "message-id"),
    }
)

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[ \t]*")
_WORD = re.compile(r"=\?([^?\s*]+)(?:\*[^?\s]*)?\?([bBqQ])\?(.*?)\?=", re.DOTALL)
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.DOTALL)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
# Python's codecs that are no mail charsets: slow, or warning, or failing on purpose.
_NO_CHARSET = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"}


@dataclass(frozen=True, slots=True)
class Block:
    """A header block: the first field of each name in READ, the start of the body, whether it was cut.

    `every` has all fields in their order, folded and not decoded; one more than FIELD_LIMIT at most.
    """

    fields: dict[str, str]
    every: list[tuple[str, bytes]]
    end: int
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Notes:
    """What a reader of the verdict should know of how a mail was read; each note once."""

    said: list[str] = field(default_factory=list)

    def add(self, note: str) -> None:
        if note not in self.said and len(self.said) < 20:
            self.said.append(note)


def split(raw: bytes, start: int, end: int, lines: int | None = None) -> Block:
    """Read (so many `lines` of) the header block at `start`. A line that is no header begins the body."""
    fields: dict[str, str] = {}
    every: list[tuple[str, bytes]] = []
    limit = min(end, start + BLOCK_LIMIT)
    reached, cut = limit, False
    for name, value, reached in _fields(raw, start, limit, lines):
        cut = cut or len(value) > LINE_LIMIT
        if not name:
            return Block(fields, every, reached, cut)
        if len(every) <= FIELD_LIMIT:
            every.append((name, value))
        if name in READ and name not in fields:
            fields[name] = unfolded(value)
    if reached == end:
        return Block(fields, every, end, cut)
    blanks = [
        at + len(mark) for mark in (b"\n\r\n", b"\n\n") if (at := raw.find(mark, reached - 2, end)) >= 0
    ]
    return Block(fields, every, min(blanks, default=end), cut=True)


def unfolded(value: bytes) -> str:
    """A field's value in one line, as far as LINE_LIMIT."""
    return clean(_undeclared(value[:LINE_LIMIT].replace(b"\r", b"").replace(b"\n", b""))).strip()


def decode_header(value: str, notes: Notes | None = None) -> str:
    """A header's text with its encoded words (RFC 2047) read; unknown charsets as UTF-8, ignoring errors."""
    notes = notes or Notes()
    if len(value) > DECODE_LIMIT:
        notes.add("header_cut")
    read: list[tuple[str, bytes]] = []  # runs of bytes in one charset: a letter may be split over two words
    texts: list[str] = []
    position, last_end = 0, -1
    value = value[:DECODE_LIMIT]
    # Behind the last end of a word, every beginning of one would be searched to the end, in vain.
    for word in _WORD.finditer(value, 0, value.rfind("?=") + 2):
        between = value[position : word.start()]
        charset, data = word[1].lower(), _word_bytes(word[2], word[3])
        adjacent = last_end >= 0 and not between.strip()
        if read and not (adjacent and read[-1][0] == charset):
            texts.append(_run(read, notes))
        if not adjacent:
            texts.append(between)
        read.append((charset, data))
        position = last_end = word.end()
    texts += [_run(read, notes), value[position:]]
    return clean("".join(texts))


def decode_text(data: bytes, charset: str, notes: Notes) -> str:
    """Bytes as text, in the charset named; in UTF-8, ignoring errors, when nobody knows that charset."""
    name = charset.strip().strip("\"'").lower()
    if not name:
        return _undeclared(data)
    if encodings.normalize_encoding(name).replace(".", "_") in _codecs():
        with suppress(LookupError, ValueError):  # it makes bytes of bytes
            known = codecs.lookup(name).name.replace("_", "-") not in _NO_CHARSET
            return data.decode(name if known else "utf-8", "ignore")
    notes.add(f"unknown_charset[{clean(name)[:_NAME_LIMIT]}]")
    return data.decode("utf-8", "ignore")


def parameter(value: str, name: str) -> str | None:
    """A parameter of Content-Type or Content-Disposition, also when it comes in pieces (RFC 2231)."""
    pieces = []
    for match in _PARAMETER.finditer(value[:PARAMETER_LIMIT]):
        called, _, extended = match[1].lower().partition("*")
        if called == name:
            found = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3].strip()
            pieces.append(found.rpartition("'")[2] if extended in ("", "0*") and "*" in match[1] else found)
    return "".join(pieces) if pieces else None


def unbase64(data: bytes) -> bytes:
    """Base64 as mail has it: with line breaks, junk between, or a piece missing at the end."""
    kept = _NOT_BASE64.sub(b"", data.partition(b"=")[0])
    whole = kept[: len(kept) - (len(kept) % 4 == 1)]
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def clean(text: str) -> str:
    """Without what no database or JSON reader takes: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _fields(raw: bytes, start: int, end: int, lines: int | None) -> Iterator[tuple[str, bytes, int]]:
    """Each (name, folded value, end of it), at last ("", b"", start of the body) if that is before `end`."""
    name, pieces, reached = "", [b""], start
    for line in islice(_LINE.finditer(raw, start, end), lines):
        text, reached = line[0], line.end()
        if name and text[:1] in (b" ", b"\t"):
            pieces.append(text)
            continue
        if name:
            yield name, b"".join(pieces), line.start()
        match = _FIELD.match(text)
        postmark = line.start() == start and text.startswith(b"From ")  # of a Unix mailbox
        if match is None and not postmark:
            if text:
                yield "", b"", line.start() if text.strip(b"\r\n") else line.end()
            return
        name, pieces = (match[1].decode().lower(), [text[match.end() :]]) if match else ("", [b""])
    yield name, b"".join(pieces), reached


@cache
def _codecs() -> frozenset[str]:
    """All that Python knows; it would search its folders for any other name, and remember each for good."""
    modules = (module.name for module in iter_modules(encodings.__path__))
    return frozenset(name.replace(".", "_") for name in (*aliases, *aliases.values(), *modules))


def _undeclared(data: bytes) -> str:
    """Text without a charset: UTF-8 if it can be, but for a letter cut at the end; else Windows-1252."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(data)
    except UnicodeDecodeError:
        return data.decode("cp1252", "ignore")
    cut = bool(decoder.getstate()[0])
    return data.decode("cp1252", "ignore") if cut and text.isascii() else text


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "ignore")
    return unbase64(data) if encoding in "bB" else binascii.a2b_qp(data, header=True)


def _run(read: list[tuple[str, bytes]], notes: Notes) -> str:
    if not read:
        return ""
    text = decode_text(b"".join(data for _, data in read), read[0][0], notes)
    read.clear()
    return text
