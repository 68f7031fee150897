"""HTML as the text that a reader sees, by way of the tree that a browser would build."""

import re
from collections import Counter
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

DEPTH_LIMIT = 1000  # open elements: building the tree costs its size times its depth
ATTRIBUTE_LIMIT = 1000  # of one element: each is compared with all before it

_HIDDEN = {"head", "script", "style", "template", "title"}
_CELLS = {"td", "th"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details"),
    *("dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3"),
    *("h4", "h5", "h6", "header", "hr", "legend", "li", "main", "nav", "ol", "option", "p", "pre"),
    *("section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"),
}
# Elements that end by themselves: however many are opened, they do not nest.
_ENDLESS = {
    *("area", "base", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option", "p"),
    *("source", "tbody", "td", "tfoot", "th", "thead", "tr", "wbr"),
}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_SPACE = r"[ \t\n\f\r]"
_ATTRIBUTE = re.compile(
    r"[ \t\n\f\r/]*+[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+"
    rf"""(?:{_SPACE}*+={_SPACE}*+(?:"[^"]*+"?|'[^']*+'?|[^ \t\n\f\r>"'][^ \t\n\f\r>]*+|))?+"""
)
_ATTRIBUTES = re.compile(
    rf"<!--(?:(?!-->).)*+|<[a-zA-Z][^ \t\n\f\r/>]*+((?:{_ATTRIBUTE.pattern})*+)", re.DOTALL
)
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u2060\ufeff]")  # soft hyphens and the fillers of preheaders
_NOT_SHOWN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def text_of(html: str) -> tuple[str, bool]:
    """What is shown, a line for each block, and whether elements nested too deep were flattened.

    Attributes that are too many are left out without a word: nobody sees them.
    """
    slender = _slender(html)
    shallow = _flattened(slender)
    pieces: list[str] = []
    root = LexborHTMLParser(shallow).root
    node: LexborNode | None = root
    while node is not None:
        inside = _enter(node, pieces)
        node = inside or _after(node, pieces)
    text = _INVISIBLE.sub("", "".join(pieces))
    return re.sub(r"[ \t]*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text)).strip(), shallow is not slender


def _slender(html: str) -> str:
    """Leave out what goes beyond the attributes that an element may have."""
    pieces, position = [], 0
    for tag in _ATTRIBUTES.finditer(html):
        if len(tag[1] or "") <= ATTRIBUTE_LIMIT:
            continue
        attribute = next(islice(_ATTRIBUTE.finditer(html, *tag.span(1)), ATTRIBUTE_LIMIT, None), None)
        if attribute:
            pieces.append(html[position : attribute.start()])
            position = tag.end()
    return "".join([*pieces, html[position:]])


def _enter(node: LexborNode, pieces: list[str]) -> LexborNode | None:
    """Note the text or the break that a node begins with; the child to go on with, if any is shown."""
    if node.is_text_node:
        text = node.text_content or ""
        pieces.append(text if _keeps_lines(node) else re.sub(r"\s+", " ", text))
        return None
    tag = node.tag or ""
    if tag in _HIDDEN or (node.is_element_node and _hidden(node)):
        return None
    if tag in _BLOCKS:
        pieces.append("\n")
    return node.child


def _after(node: LexborNode | None, pieces: list[str]) -> LexborNode | None:
    """The next node in the order of the page, closing what ends on the way."""
    while node is not None:
        if node.tag in _BLOCKS:
            pieces.append("\n")
        elif node.tag in _CELLS:
            pieces.append(" ")
        if node.next is not None:
            return node.next
        node = node.parent
    return None


def _hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or _NOT_SHOWN.search(attributes.get("style") or "") is not None


def _keeps_lines(node: LexborNode) -> bool:
    return node.parent is not None and node.parent.tag in ("pre", "textarea")


def _flattened(html: str) -> str:
    """The same object when it is shallow; else with line breaks in the place of what goes too deep."""
    if html.count("<") <= DEPTH_LIMIT:
        return html
    open_now: Counter[str] = Counter()
    cuts: list[int] = []
    depth = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name in _ENDLESS:
            continue
        if tag[1]:
            closes = open_now[name] > 0
            open_now[name] -= closes
            depth -= closes
        elif depth < DEPTH_LIMIT:
            open_now[name] += 1
            depth += 1
        else:
            cuts.append(tag.start())
    return _without(html, cuts) if cuts else html


def _without(html: str, cuts: list[int]) -> str:
    """Turn the tags that begin there into `<br`, which holds nothing."""
    pieces, position = [], 0
    for cut in cuts:
        pieces += [html[position:cut], "<br "]
        position = cut + 1
        while position < len(html) and html[position].isalnum():
            position += 1
    return "".join([*pieces, html[position:]])
