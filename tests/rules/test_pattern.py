"""Patterns that operators write: which are refused, what they fit, and that none holds a process."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.rules.passage import Passage
from app.rules.pattern import CAPTURED, LONGEST, READ, check, search
from app.rules.verdict import Reason
from app.rules.words import say

NO_BLANKS = st.characters(codec="utf-8").filter(lambda letter: not letter.isspace())
anything = st.text(st.characters(exclude_categories=()))


def found(pattern: str, text: str, *, exact: bool = False) -> tuple[int, dict[str, str]] | None:
    return search(pattern, Passage(text), exact=exact)


@pytest.mark.parametrize(
    ("pattern", "detail"),
    [
        ("(?=a)", "invalid perl operator: (?="),
        ("(?!a)", "invalid perl operator: (?!"),
        ("(?<=a)b", "invalid perl operator: (?<="),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("(?>a+)", "invalid perl operator: (?>"),
        ("(a{1000}){1000}", "invalid repetition size: {1000}"),
        ("a{1001}", "invalid repetition size: {1001}"),
        (".{1000}.{1000}", "pattern too large"),
        (r"\pL{1000}", "pattern too large - compile failed"),
        ("(", "missing ): ("),
        ("a)", "unexpected ): a)"),
        ("[z-a]", "invalid character class range: z-a"),
        ("[é", "missing ]: [é"),
        (r"\é", r"invalid escape sequence: \é"),
        ("*", "no argument for repetition operator: *"),
        ("(?P<n a>a)", "invalid named capture group: (?P<n a>"),
        ("a\ud800", "surrogates not allowed"),
        (r"\Z", r"invalid escape sequence: \Z"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern: str, detail: str) -> None:
    reason = check(pattern)
    assert reason is not None
    assert (reason.code, reason.facts) == ("bad_pattern", {"detail": detail})
    assert detail in say(reason)
    assert found(pattern, f"{pattern} aa b") is None


def test_a_pattern_is_not_longer_than_a_thousand_characters() -> None:
    assert check("é" * LONGEST) is None
    assert check("é" * (LONGEST + 1)) == Reason("pattern_too_long", {"limit": 1000})


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(x+x+)+y", "x" * READ),
        ("(a|aa)+$", "a" * READ + "b"),
        ("x(a|a)*$", "xa" * (READ // 2)),
        ("^(.*?,){20}P", "1," * (READ // 2)),
        (r"(\w+\s?)*$", "mot " * (READ // 4) + "!"),
        ("(.*)" * 30 + "x", "a" * READ),
        ("(((((a*)*)*)*)*)*b", "a" * READ),
        ("a.{1000}c", "ab" * (READ // 2)),
        ("a" + "[ab]{1000}" * 4 + "c", "abaab" * (READ // 5)),
        ("(((a?b?){10}){10}){10}c", "abaab" * (READ // 5)),
        (r"\pL+ \pL+ \pL+!", "été " * (READ // 4)),
    ],
)
def test_what_would_never_end_elsewhere_ends_here(pattern: str, text: str) -> None:
    assert check(pattern) is None
    assert found(pattern, f"{text}!") is None


@pytest.mark.parametrize("exact", [True, False])
def test_a_pattern_looks_at_a_quarter_of_a_megabyte(*, exact: bool) -> None:
    before = " " * (READ - 3)
    assert found("fin", f"{before}fin", exact=exact) == (READ - 3, {})
    assert found("fin$", f"{before}fin", exact=exact) == (READ - 3, {})
    assert found("fin", f"{before} fin", exact=exact) is None
    assert found("fin$", f"{before}fin du texte", exact=exact) is None  # where it stops is not the end
    assert found("$", f"{before}fin du texte", exact=exact) is None


def test_a_large_pattern_looks_at_less() -> None:
    assert found("a.{1000}c", "a" * 3000 + "c") == (1999, {})
    assert found("a.{1000}c", "b" * 10_000 + "a" * 1001 + "c") is None


@pytest.mark.parametrize(
    ("pattern", "text", "place"),
    [
        ("", "abc", 0),
        ("x*", "abc", 0),
        ("$", "abc", 3),
        ("^b", "a\nb", None),
        ("(?m)^b", "a\nb", 2),
        ("(?m)a$", "a\nb", 0),
        ("a.b", "a\nb", None),
        ("(?s)a.b", "a\nb", 0),
        ("(?s)(?m)^b.$", "a\nb\n", 2),
        ("^a|^B", "b", 0),
        ("a|B", "xb", 1),
        ("(?-i)A", "a", None),
        ("(?-i:A)b", "aB", None),
        ("(?-i:A)b", "AB", 0),
        ("(?i)é", "xÉ", 1),
        ("(?U)a+", "caa", 1),
        (r"\Qa.b\E", "A.B", 0),
        (r"\Qé[\E", "e[", 0),
        ("a\x00b", "xa\x00b", 1),
        (r"\x00", "a\x00", 1),
        (r"(?P<n>a)\z", "ba", 1),
        (r"\bété\b", "L’été !", 2),
        ("[[:alpha:]]+é", "12 lycée", 3),
    ],
)
def test_flags_anchors_and_empty_fits(pattern: str, text: str, place: int | None) -> None:
    assert check(pattern) is None
    match = found(pattern, text)
    assert (match[0] if match else None) == place


@pytest.mark.parametrize(
    ("pattern", "fits", "never"),
    [
        ("été", ["ÉTÉ", "ete", "e\u0301te\u0301"], ["etc"]),
        ("e\u0301te\u0301", ["été", "ete"], []),
        ("^[éà]$", ["é", "e", "À", "a"], ["i", "["]),
        ("^[^é]$", ["a", "î"], ["é", "e", "É"]),
        ("^[a-zà-öø-ÿ]+$", ["Hélène", "ZOÉ", "lœss"], ["a_b", "a1"]),
        ("^[à-ÿ]+$", ["é", "e"], ["z", "["]),
        ("^[A-Za-zÀ-ÖØ-öø-ÿ]+$", ["Ångström", "Zoé"], ["a[b", "a_b"]),
        ("^[-é]+$", ["-é-"], ["a", "f"]),
        ("^[]é]+$", ["]e]"], ["["]),
        (r"^[\]é]+$", ["]é"], ["\\"]),
        ("^[é-]+$", ["e-é"], ["f"]),
        (r"^[\wé]+$", ["lycée"], ["a-b"]),
        ("^[[:digit:]é]+$", ["1é"], [":"]),
        (r"^l’an\s2$", ["l'an\u00a02", "L’AN 2"], ["lan 2"]),
        ("cœur", ["coeur", "CŒUR"], ["cour"]),
        ("^[а-яё]+$", ["Привет"], ["hello"]),
        ("^[一-龥]+$", ["中文"], ["a"]),
    ],
)
def test_accents_in_a_pattern_count_as_little_as_in_the_text(
    pattern: str, fits: list[str], never: list[str]
) -> None:
    assert check(pattern) is None
    assert [text for text in fits if found(pattern, text) is None] == []
    assert [text for text in never if found(pattern, text)] == []


@pytest.mark.parametrize(
    ("pattern", "fits", "never"),
    [
        ("été", ["été"], ["ete", "Été", "e\u0301te\u0301"]),
        ("[é]t", ["ét"], ["et"]),
        ("(?i)été", ["ÉTÉ"], ["ETE"]),
        (r"n°\s7", ["n° 7", "n°\u00a07", "n°\u202f7"], ["n°7"]),
    ],
)
def test_an_exact_pattern_tells_accents_and_case_apart_but_not_blanks(
    pattern: str, fits: list[str], never: list[str]
) -> None:
    assert [text for text in fits if found(pattern, text, exact=True) is None] == []
    assert [text for text in never if found(pattern, text, exact=True)] == []


@pytest.mark.parametrize("pattern", [r"\C", r"\B", r"\B\C\B", r"(?P<x>\C)", r"a\C", r"(?P<x>\B)"])
@pytest.mark.parametrize("text", ["é", "aé", "中a", "\ud800é", "a\u0301🙂"])
def test_a_fit_within_a_character_is_a_fit_all_the_same(pattern: str, text: str) -> None:
    for exact in (True, False):
        match = found(pattern, text, exact=exact)
        assert match is None or 0 <= match[0] <= len(text)


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *r"aéœ.*+?|()[]^$-\{}1,:<>P",
                "(?P<n>",
                "(?",
                "[^",
                r"\pL",
                r"\C",
                "{2,3}",
            ]
        ),
        anything,
    ),
    max_size=12,
).map("".join)


@settings(deadline=None, max_examples=400)
@given(PIECES, st.one_of(PIECES, anything))
@example(r"(?P<é>a)(?P<e>b)", "ab")
@example("[ﬁ-ﬂ]", "ﬁ")
@example("\x00", "\x00\ud800")
def test_any_text_may_be_a_pattern_and_any_text_be_searched(pattern: str, text: str) -> None:
    reason = check(pattern)
    assert reason is None or say(reason)
    for exact in (True, False):
        place, captures = found(pattern, text, exact=exact) or (0, {})
        assert 0 <= place <= len(text)
        assert all(caught and caught in text and len(caught) <= CAPTURED for caught in captures.values())


@settings(deadline=None)
@given(st.text(NO_BLANKS, min_size=1, max_size=100), st.text(), st.text())
def test_a_text_is_found_and_caught_where_it_stands(word: str, before: str, after: str) -> None:
    text, quoted = before + word + after, "".join(f"\\x{{{ord(letter):x}}}" for letter in word)
    match = found(f"(?P<word>{quoted})", text, exact=True)
    assert match == (text.index(word), {"word": word})
