"""A text with Mustache tags: pystache reads and fills it, cut off from files, objects and code."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

from pystache import parse
from pystache.parsed import ParsedTemplate
from pystache.parser import _EscapeNode, _InvertedNode, _LiteralNode, _SectionNode
from pystache.renderengine import RenderEngine

STEP = 32  # bytes that a look-up or a turn costs, though it may write none: every loop ends
_CUT = "…"
_QUOTES = len('""')


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a text; `fits` says that nothing of it was cut."""

    value: Any
    spent: int
    fits: bool


def read(text: str) -> ParsedTemplate:
    """Parse a text.

    pystache takes minutes over an unclosed tag with blanks behind it: `template.check` comes first.

    Raises:
        ParsingError: a section is not closed, or not open.
    """
    return parse(text, raise_on_mismatch=True)


def nodes(tree: ParsedTemplate) -> list[Any]:
    """What a text consists of; pystache has no public way to it."""
    return tree._parse_tree  # type: ignore[no-any-return]  # noqa: SLF001


def inside(node: object) -> ParsedTemplate | None:
    """What a section repeats or leaves out; None for any other node."""
    if isinstance(node, _SectionNode):
        return node.parsed
    return node.parsed_section if isinstance(node, _InvertedNode) else None


def fill(tree: ParsedTemplate, values: Mapping[str, Any], room: int) -> Filled:
    """Fill a text; one that is a single tag becomes the value itself. In JSON it takes `room` bytes at most.

    The values must be what `json.loads` makes: pystache calls whatever can be called.
    """
    pen, context = _Pen(room), _Context(values)
    match nodes(tree):
        case [_EscapeNode(key=name) | _LiteralNode(key=name)]:
            value = pen.take(context.find(name))
        case _:
            value = _counted(tree).render(_engine(pen), context)
    return Filled(value, pen.spent, fits=pen.spent <= room)


def _engine(pen: "_Pen") -> RenderEngine:
    return RenderEngine(
        literal=pen.write,
        escape=pen.write,
        resolve_context=pen.find,
        resolve_partial=lambda _name: "",  # by default it would read a file
        to_str=pen.words,
    )


class _Context:
    """What pystache pushes and pops as it enters sections.

    A name leads to a key of a JSON object and nowhere else. pystache's own stack would read the attributes of
    anything that is no dictionary, and call them.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._stack: list[Any] = [values]
        self.push = self._stack.append
        self.pop = self._stack.pop

    def find(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        """The value of a name; None when there is none."""
        if name == ".":
            return self._stack[-1]
        first, *rest = name.split(".")
        knowing = (one for one in reversed(self._stack) if isinstance(one, dict) and first in one)
        value: Any = next(knowing, None)
        for part in (first, *rest):
            value = value.get(part) if isinstance(value, dict) else None
        return value


class _Pen:
    """Writes until its room is used up, and then nothing more."""

    def __init__(self, room: int) -> None:
        self.spent = 0
        self._room = room

    def write(self, text: str) -> str:
        """The text, or as much of it as there is room for."""
        left = max(self._room - self.spent, 0)
        size = _size(text[: left + 1]) - _QUOTES  # no character is smaller than a byte
        self.spent += size
        return text if size <= left else _cut(text, left)

    def words(self, value: Any) -> str:  # noqa: ANN401 - any JSON value
        """A value in the middle of a text: nothing for null, otherwise its JSON, as far as it may fit."""
        if value is None:
            return ""
        plain = value.values if isinstance(value, _Turns) else value
        return "".join(islice(json.JSONEncoder(ensure_ascii=False).iterencode(plain), self._room + 1))

    def find(self, context: _Context, name: str) -> Any:  # noqa: ANN401 - any JSON value
        value = context.find(name) if self.has_room() else None
        return _Turns(value, self) if isinstance(value, list) else value

    def has_room(self) -> bool:
        """Whether there is room for one more look-up, or one more turn of a section."""
        self.spent += STEP
        return self.spent <= self._room

    def take(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        """The value itself; of a list or an object the entries that fit."""
        if isinstance(value, str):
            return self.write(value)
        if isinstance(value, list):
            return list(takewhile(self._affords, value))
        if isinstance(value, dict):
            return dict(takewhile(self._affords, value.items()))
        return value

    def _affords(self, value: object) -> bool:
        self.spent += _size(value) + len(", ")
        return self.spent <= self._room


@dataclass(frozen=True, slots=True)
class _Turns:
    """A list as sections go through it: only while there is room, or lists in lists would take for ever."""

    values: list[Any]
    pen: _Pen

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return takewhile(lambda _: self.pen.has_room(), self.values)


@dataclass(frozen=True, slots=True)
class _Words:
    """Text between tags, written like a value: pystache itself would repeat it without counting."""

    text: str

    def render(self, engine: RenderEngine, _context: _Context) -> str:
        write: Callable[[str], str] = engine.literal
        return write(self.text)


def _counted(tree: ParsedTemplate) -> ParsedTemplate:
    counted = ParsedTemplate()
    for node in nodes(tree):
        counted.add(_counted_node(node))
    return counted


def _counted_node(node: Any) -> Any:  # noqa: ANN401 - pystache's nodes share no type
    if isinstance(node, str):
        return _Words(node)
    if isinstance(node, _SectionNode):
        whence = (node.delimiters, node.template, node.index_begin, node.index_end)
        return _SectionNode(node.key, _counted(node.parsed), *whence)
    return _InvertedNode(node.key, _counted(node.parsed_section)) if isinstance(node, _InvertedNode) else node


def _cut(text: str, room: int) -> str:
    """The longest beginning that fits, marked as cut."""
    left = room + _QUOTES - len(_CUT.encode())
    if left < _QUOTES:
        return ""
    return text[: bisect_right(range(1, room), left, key=lambda count: _size(text[:count]))] + _CUT


def _size(value: object) -> int:
    """How many bytes a value takes in JSON as `payload.encode` writes it."""
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
