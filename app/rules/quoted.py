"""The headers of a quoted mail, which say when that one was sent and not when a delivery is due."""

import re

from app.rules.text import normalise

_LONGEST = 300
_NAMED = re.compile(
    r"[>*_ ]*(?P<name>de|from|von|a|to|an|cc|objet|subject|betreff|date|reply-to"
    r"|envoye(?: le)?|sent|gesendet)[*_]* ?:"
)
_WRITTEN = re.compile(
    r"[> ]*(?:le|on|am|il|el|op)\b.{0,40}\b[0-9]{4}\b.{0,200}"
    r"\b(?:a ecrit|wrote|schrieb|schreef|ha scritto|escribio) ?:$"
)
_MARKS_A_BLOCK = frozenset({"de", "from", "von", "envoye", "envoye le", "sent", "gesendet"})
_ENOUGH_ALONE = frozenset({"envoye", "envoye le", "sent", "gesendet"})
_FIRST_WORDS = ("le ", "on ", "am ", "il ", "el ", "op ")
_LINES_OF_ONE = 3


def without_quoted_headers(text: str) -> str:
    """The text without the header blocks and the "… wrote:" lines above a quotation."""
    lines = text.splitlines()
    heads = [normalise(line[:_LONGEST]) if _may_be_header(line) else "" for line in lines]
    dropped = _header_blocks(lines, heads) | _introductions(lines, heads)
    return "\n".join(line for number, line in enumerate(lines) if number not in dropped)


def _may_be_header(line: str) -> bool:
    return ":" in line[:_LONGEST] or line.lstrip("> \t")[:3].lower() in _FIRST_WORDS


def _header_blocks(lines: list[str], heads: list[str]) -> set[int]:
    """Lines of header form that stand together, blank ones aside, with a sender or a sending date."""
    dropped: set[int] = set()
    block: dict[int, str] = {}
    for number, (line, head) in enumerate(zip([*lines, "-"], [*heads, ""], strict=True)):
        if match := _NAMED.match(head):
            block[number] = match["name"]
        if match or not line.strip():
            continue
        names = set(block.values())
        if names & _MARKS_A_BLOCK and (len(block) > 1 or names & _ENOUGH_ALONE):
            dropped |= block.keys()
        block = {}
    return dropped


def _introductions(lines: list[str], heads: list[str]) -> set[int]:
    """`Le 28 octobre 2025 à 10:45, Ann a écrit :`, which programs break over up to three lines."""
    dropped: set[int] = set()
    for number, head in enumerate(heads):
        if not head.lstrip("> ").startswith(_FIRST_WORDS):
            continue
        for count in range(1, _LINES_OF_ONE + 1):
            joined = normalise(" ".join(line[:_LONGEST] for line in lines[number : number + count]))
            if _WRITTEN.match(joined):
                dropped.update(range(number, number + count))
                break
    return dropped
