"""Texts without accents, and the way back from them to the text as it came."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.text import Folding, collapse, fold, normalise

many = settings(deadline=None, max_examples=200)
pieces = st.sampled_from(
    ["é", "e\u0301", "œ", "ﬃ", "\u200b", "\u00a0", " ", "  ", "\n", "a", "İ", "Σ", "가", "🙂"]
)
texts = st.one_of(st.lists(pieces).map("".join), st.text(st.characters(exclude_categories=())))


def origins(folding: Folding) -> list[int]:
    return [folding.origin(place) for place in range(len(folding.text) + 1)]


@pytest.mark.parametrize(
    ("text", "folded", "places"),
    [
        ("été", "ete", [0, 1, 2, 3]),
        ("e\u0301te\u0301", "ete", [0, 2, 3, 5]),
        ("un œuf", "un oeuf", [0, 1, 2, 3, 4, 4, 5, 6]),
        ("ﬃx", "ffix", [0, 1, 1, 1, 2]),
        ("\u200b\u200ba\u200b", "a", [2, 4]),
        ("a\u00a0b", "a b", [0, 1, 2, 3]),
        ("", "", [0]),
    ],
)
def test_a_place_without_accents_is_found_again_in_the_text(
    text: str, folded: str, places: list[int]
) -> None:
    assert (fold(text).text, origins(fold(text))) == (folded, places)


@pytest.mark.parametrize(
    ("text", "collapsed", "places"),
    [
        ("a  b\n", "a b", [0, 1, 3, 5]),
        (" \n a b", "a b", [3, 4, 5, 6]),
        (" ", "", [1]),
        ("ab", "ab", [0, 1, 2]),
    ],
)
def test_a_place_among_single_blanks_is_found_again_in_the_text(
    text: str, collapsed: str, places: list[int]
) -> None:
    assert (collapse(text).text, origins(collapse(text))) == (collapsed, places)


@many
@given(texts)
def test_the_ways_to_compare_a_text_agree(text: str) -> None:
    assert collapse(fold(text).text).text.lower() == normalise(text)


@many
@given(texts)
def test_the_way_back_never_turns_and_ends_at_the_end(text: str) -> None:
    for folding in (fold(text), collapse(text)):
        places = origins(folding)
        assert places == sorted(places)
        assert 0 <= places[0] <= places[-1] == len(text)


@many
@given(texts)
def test_what_stands_before_a_place_is_what_it_was_made_from(text: str) -> None:
    folding = fold(text)
    for place, origin in enumerate(origins(folding)):
        assert fold(text[:origin]).text.startswith(folding.text[:place])
