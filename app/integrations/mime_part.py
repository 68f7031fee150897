"""The parts of a mail, found without recursion: depth and number are limited, attachments are not decoded."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, repeat

from app.integrations.mime_header import Block, Notes, parameter, split, unbase64

DEPTH_LIMIT = 50
PART_LIMIT = 1000
LOOK_LIMIT = 100 * PART_LIMIT  # times that a boundary is met in a mail, in a line of its own or not
HEADER_LINES = 500  # of a part; the mail's own header may have more
_REST = re.compile(rb"(--)?[ \t]*(?:\r\n|\r|\n|\Z)")  # of a boundary line
_REST_LIMIT = 80


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part that holds no other: its bytes are raw[start:end]."""

    fields: dict[str, str]
    kind: str
    start: int
    end: int

    @property
    def charset(self) -> str:
        return parameter(self.fields.get("content-type", ""), "charset") or ""

    @property
    def detached(self) -> bool:
        """Whether it is a file by its own word; such a text is not read, such a mail not opened."""
        return "attachment" in self.fields.get("content-disposition", "").lower()

    @property
    def attached(self) -> bool:
        """Whether a person would call it an attachment: pictures inside the text are none."""
        disposition = self.fields.get("content-disposition", "").lower()
        if self.detached or self.kind.startswith("text/") or "inline" in disposition:
            return self.detached
        named = parameter(disposition, "filename") or parameter(self.fields.get("content-type", ""), "name")
        return named is not None or not self.kind.startswith("image/")

    def content(self, raw: bytes, limit: int) -> tuple[bytes, bool]:
        """At most `limit` bytes of what was encoded, and whether that is not all."""
        most = 4 * limit  # quoted-printable takes three bytes for one, and has line ends
        data = raw[self.start : min(self.end, self.start + most)]
        encoding = self.fields.get("content-transfer-encoding", "").strip().lower()
        if encoding == "base64":
            data = unbase64(data)
        elif encoding == "quoted-printable":
            data = binascii.a2b_qp(data)
        return data[:limit], len(data) > limit or self.end - self.start > most


@dataclass(frozen=True, slots=True)
class _Part:
    start: int
    end: int
    depth: int
    default: str


def leaves(raw: bytes, top: Block, notes: Notes) -> Iterator[Leaf]:
    """Every part without children, in the order of the mail, within the limits."""
    waiting = [_Part(0, len(raw), 0, "text/plain")]
    looks = repeat(None, LOOK_LIMIT)
    seen = 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if seen > PART_LIMIT:
            notes.add("too_many_parts")
            return
        block = top if part.depth == 0 else split(raw, part.start, part.end, HEADER_LINES)
        if block.cut:
            notes.add("header_cut")
        kind = _kind(block.fields, part.default)
        inside = _children(raw, Leaf(block.fields, kind, block.end, part.end), part.depth, looks)
        children = list(islice(inside, PART_LIMIT + 1 - seen))  # one too many, so that it is noted
        if not children and kind.startswith("multipart/"):
            notes.add("no_boundary")  # what was to be split is read as the text that it is
            kind = "text/plain"
        if not children:
            yield Leaf(block.fields, kind, block.end, part.end)
        elif part.depth >= DEPTH_LIMIT:
            notes.add("too_deep")
        else:
            waiting += reversed(children)
    if next(looks, False) is not None:
        notes.add("too_many_parts")


def _children(raw: bytes, leaf: Leaf, depth: int, looks: Iterator[None]) -> Iterator[_Part]:
    if leaf.kind == "message/rfc822" and not leaf.detached:
        yield _Part(leaf.start, leaf.end, depth + 1, "text/plain")
    if not leaf.kind.startswith("multipart/"):
        return
    default = "message/rfc822" if leaf.kind == "multipart/digest" else "text/plain"
    boundary = parameter(leaf.fields.get("content-type", ""), "boundary") or ""
    for start, end in _between(
        _boundary_lines(raw, leaf, boundary.encode("utf-8", "ignore"), looks), leaf.end
    ):
        yield _Part(start, end, depth + 1, default)


def _between(lines: Iterator[tuple[int, int, bool]], end: int) -> Iterator[tuple[int, int]]:
    """The stretches between boundary lines; a missing last line is the end of the part."""
    opened = -1
    for line_start, line_end, last in lines:
        if opened >= 0:
            yield opened, max(opened, line_start)
        if last:
            return
        opened = line_end
    if opened >= 0:
        yield opened, end


def _boundary_lines(
    raw: bytes, leaf: Leaf, boundary: bytes, looks: Iterator[None]
) -> Iterator[tuple[int, int, bool]]:
    """Where each boundary line begins (with the break before it) and ends, and whether it is the last.

    Each time the boundary is met takes one of the `looks`, which all parts of the mail share.
    """
    mark = b"--" + boundary
    at = raw.find(mark, leaf.start, leaf.end) if boundary else -1
    while at >= 0 and next(looks, False) is None:
        after = at + len(mark)
        line = _REST.match(raw, after, min(leaf.end, after + _REST_LIMIT))
        alone = at == leaf.start or raw[at - 1 : at] in (b"\n", b"\r")
        if line and alone:
            yield _before_break(raw, leaf.start, at), line.end(), line[1] == b"--"
        at = raw.find(mark, after, leaf.end)


def _before_break(raw: bytes, start: int, at: int) -> int:
    if at - 2 >= start and raw[at - 2 : at] == b"\r\n":
        return at - 2
    return at - 1 if at > start else at


def _kind(fields: dict[str, str], default: str) -> str:
    kind = fields.get("content-type", "").partition(";")[0].strip().lower()
    return kind if "/" in kind else default
