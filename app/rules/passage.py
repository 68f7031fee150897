"""Texts of a mail as conditions look at them: each way of looking is prepared once, when first asked for."""

import re
from collections.abc import Iterable
from functools import cached_property

from app.rules.text import Folding, collapse, fold, normalise

SEEN = 120  # characters of a text that an explanation shows
_BEFORE = 40  # of them, before the place that matters
_SEVERAL = 5  # texts of one field that it shows
_FOREIGN_BLANK = re.compile(r"[^\S\x00-\x7f]")


class Passage:
    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def beginning(self) -> str:
        return excerpt(self.text.lstrip())

    @cached_property
    def plain(self) -> str:
        """With single blanks; case and accents as they came."""
        return " ".join(self.text.split())

    @cached_property
    def normal(self) -> str:
        """Without case, accents and repeated blanks."""
        return normalise(self.text)

    @cached_property
    def searched(self) -> bytes:
        """For patterns: as it came, but that they know the blanks of ASCII alone."""
        return _bytes(_FOREIGN_BLANK.sub(" ", self.text))

    @cached_property
    def searched_plain(self) -> bytes:
        """The same without accents, and maybe shorter."""
        return _bytes(self._folding.text)

    def origin(self, place: int) -> int:
        """Where a place of the text without accents is in the text."""
        return self._folding.origin(place)

    def around(self, place: int) -> str:
        """What stands around a place of `normal`, as it came."""
        return excerpt(self.text, self.origin(self._collapse.origin(place)))

    @cached_property
    def _folding(self) -> Folding:
        return fold(self.text)

    @cached_property
    def _collapse(self) -> Folding:
        return collapse(self._folding.text)


class Passages:
    """The texts of one field; a mail may have several of it, or none."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.each = tuple(map(Passage, texts))

    @cached_property
    def beginning(self) -> str:
        return excerpt(", ".join(passage.beginning for passage in self.each[:_SEVERAL]))


def excerpt(text: str, place: int = 0) -> str:
    """What stands around a place of a text, short enough to be shown."""
    start = max(place - _BEFORE, 0)
    shown = " ".join(text[start : start + SEEN].split())
    return f"{'…' if start else ''}{shown}{'…' if start + SEEN < len(text) else ''}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
