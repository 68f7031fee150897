"""Payload templates: a JSON document whose texts hold Mustache tags. Nothing in it is ever run."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pystache.parsed import ParsedTemplate
from pystache.parser import ParsingError, _CommentNode, _InvertedNode, _PartialNode

from app.rules import mustache, payload
from app.rules.verdict import Reason

LONGEST_TEMPLATE = 16 * 1024  # bytes
LONGEST_PAYLOAD = 1024 * 1024  # bytes
DEEPEST_DOCUMENT = 20  # objects and lists within each other
DEEPEST_SECTION = 2
LONGEST_TAG = 500
MOST_BLANKS = 100  # in a row: pystache's pattern is quadratic in them

CAPTURES = "captures"
OWN_NAMES = tuple(payload.EMPTY)  # of a receiver: no pattern belongs to one, so none can have caught anything
NAMES = (*OWN_NAMES, CAPTURES)

# Stricter than pystache, which takes `{{{a}}` for a name and an unclosed tag for text.
_INNER = rf"[^{{}}]{{1,{LONGEST_TAG}}}"
_TAG = re.compile(r"\{\{\{" + _INNER + r"\}\}\}|(?<!\{)\{\{" + _INNER + r"\}\}")
_DELIMITERS = re.compile(r"\{\{\s*=")
_BLANKS = re.compile(rf"[ \t]{{{MOST_BLANKS + 1}}}")
_CAPTURE = re.compile(rf"{CAPTURES}\.\w+")


def check(text: str, *, names: Sequence[str] = NAMES) -> Reason | None:
    """Say why a template is refused. One that is accepted can be rendered, whatever the mail.

    `names` are those that it may use: without `CAPTURES` also nothing that a pattern caught.
    """
    if len(text.encode("utf-8", "replace")) > LONGEST_TEMPLATE:
        return Reason("template_too_long", {"limit": LONGEST_TEMPLATE})
    try:
        document = json.loads(text)
    except json.JSONDecodeError as broken:
        return Reason("template_not_json", {"line": broken.lineno, "column": broken.colno})
    except ValueError:  # a number of thousands of digits
        return Reason("template_not_json")
    except RecursionError:
        return _too_deep()
    return _fault_of_document(document, names)


def render(text: str, body: Mapping[str, Any], captures: Mapping[str, str]) -> dict[str, Any]:
    """Fill a template that `check` accepts with a body of `payload.build`.

    What the body leaves out is empty. When the mail brings more than fits, long texts are cut and end in `…`,
    and lists and objects keep the entries that fit; what is short is never cut for what is long.
    """
    values = json.loads(json.dumps({**payload.EMPTY, **body, CAPTURES: dict(captures)}))  # nothing but JSON
    document = json.loads(text)
    trees = [mustache.read(leaf) for leaf in _leaves(document)]
    filled = _filled(trees, values, room=LONGEST_PAYLOAD - len(payload.encode(document)))
    result: dict[str, Any] = _replaced(document, iter(filled))
    return result


def captures(text: str) -> list[str]:
    """The captures that a template asks for, in reading order; `check` accepts it."""
    trees = map(mustache.read, _leaves(json.loads(text)))
    names = (name for tree in trees for name in _names(tree) if _CAPTURE.fullmatch(name))
    return list(dict.fromkeys(name.partition(".")[2] for name in names))


def _fault_of_document(document: object, names: Sequence[str]) -> Reason | None:
    if not isinstance(document, dict):
        return Reason("template_not_an_object")
    if _is_deep(document):
        return _too_deep()
    try:
        json.dumps(document, allow_nan=False)
    except ValueError:  # NaN and Infinity, which Python reads and JSON does not have
        return Reason("template_not_json")
    return next(filter(None, (_fault_of_leaf(leaf, names) for leaf in _leaves(document))), None)


def _is_deep(document: object) -> bool:
    """Whether something lies too deep; found without recursion."""
    level = [document]
    for _ in range(DEEPEST_DOCUMENT):
        level = [child for value in level for child in _children(value)]
    return any(isinstance(value, dict | list) for value in level)


def _too_deep() -> Reason:
    return Reason("template_too_deep", {"limit": DEEPEST_DOCUMENT})


def _leaves(value: object) -> Iterator[str]:
    """The texts that hold tags, in the order in which `_replaced` meets them."""
    if isinstance(value, str) and "{{" in value:
        yield value
    for child in _children(value):
        yield from _leaves(child)


def _children(value: object) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _fault_of_leaf(leaf: str, names: Sequence[str]) -> Reason | None:
    if _DELIMITERS.search(leaf):
        return Reason("template_delimiters")
    if _BLANKS.search(leaf):
        return Reason("template_blanks", {"limit": MOST_BLANKS})
    between = _TAG.sub(" ", leaf)
    if "{{" in between:
        return Reason("template_broken", {"detail": between[between.index("{{") :][:40]})
    try:
        tree = mustache.read(leaf)
    except ParsingError as error:
        return _mismatch(leaf, error)
    return _fault_of_tree(tree, names, depth=0)


def _mismatch(leaf: str, error: ParsingError) -> Reason:
    """Name the tag by its place: pystache's own message may name another."""
    tag = "{{" + leaf[: error.info.position].rpartition("{{")[2].strip()
    if error.info.tag_type == "/":
        return Reason("template_unopened", {"tag": tag})
    return Reason("template_unclosed", {"tag": tag})


def _fault_of_tree(tree: ParsedTemplate, known: Sequence[str], depth: int) -> Reason | None:
    faults = (_fault_of_node(node, known, depth) for node in mustache.nodes(tree))
    return next(filter(None, faults), None)


def _fault_of_node(node: Any, known: Sequence[str], depth: int) -> Reason | None:  # noqa: ANN401 - pystache's nodes share no type
    if isinstance(node, str | _CommentNode):
        return None
    if isinstance(node, _PartialNode):
        return Reason("template_partial", {"name": node.key})
    if (unknown := _unknown(node.key, known)) is not None:
        return unknown
    inside = mustache.inside(node)
    if inside is None:
        return None
    if depth == DEEPEST_SECTION:
        return Reason("template_too_deep", {"sections": DEEPEST_SECTION})
    return _fault_of_tree(inside, _known_inside(node, known), depth + 1)


def _unknown(name: str, known: Sequence[str]) -> Reason | None:
    caught = _CAPTURE.fullmatch(name) is not None
    if name in known or (caught and CAPTURES in known):
        return None
    if caught or name == CAPTURES:
        return Reason("template_no_captures", {"name": name})
    return Reason("template_unknown_name", {"name": name, "known": ", ".join(known)})


def _known_inside(section: Any, known: Sequence[str]) -> Sequence[str]:  # noqa: ANN401 - as above
    """A section that repeats something offers it as `.`, and a link's own names."""
    if isinstance(section, _InvertedNode):
        return known
    more = (".", *payload.LINK) if section.key == "delivery_links" else (".",)
    return (*known, *(name for name in more if name not in known))


def _names(tree: ParsedTemplate) -> Iterator[str]:
    for node in mustache.nodes(tree):
        yield getattr(node, "key", "")
        inside = mustache.inside(node)
        if inside is not None:
            yield from _names(inside)


def _filled(trees: Sequence[ParsedTemplate], values: Mapping[str, Any], *, room: int) -> list[Any]:
    """Each text has an equal share of the room; what the short ones leave goes to the long ones."""
    filled = [mustache.fill(tree, values, room // len(trees)) for tree in trees]
    left = room - sum(one.spent for one in filled if one.fits)
    long = sum(not one.fits for one in filled)
    again = (
        one if one.fits else mustache.fill(tree, values, left // long)
        for tree, one in zip(trees, filled, strict=True)
    )
    return [one.value for one in again]


def _replaced(value: Any, filled: Iterator[Any]) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return next(filled) if "{{" in value else value
    if isinstance(value, dict):
        return {key: _replaced(child, filled) for key, child in value.items()}
    return [_replaced(child, filled) for child in value] if isinstance(value, list) else value
