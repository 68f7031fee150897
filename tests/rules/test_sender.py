"""Who wrote a mail."""

import pytest

from app.rules.sender import bare_address, is_listed


@pytest.mark.parametrize(
    "header",
    [
        *(
            "ann@example.com",
            "Ann <Ann@Example.COM>",
            "<ann@example.com>",
            "ann@example.com (Ann)",
            "Ann ann@example.com.",
        ),
        *('"Doe, Ann" <ann@example.com>', "(x) Ann <ann@example.com>", "Ann <mailto ann@example.com >"),
        "ann@example.com, bob@example.com",
    ],
)
def test_the_bare_address_is_taken(header: str) -> None:
    assert bare_address(header) == "ann@example.com"


@pytest.mark.parametrize(
    "header",
    [
        '"<ann@example.com>" <eve@evil.example>',
        '"ann@example.com" <eve@evil.example>',
        "ann@example.com <eve@evil.example>",
        "(<ann@example.com>) <eve@evil.example>",
        '"\\"<ann@example.com>" <eve@evil.example>',
    ],
)
def test_a_name_cannot_pass_for_an_address(header: str) -> None:
    assert bare_address(header) == "eve@evil.example"


@pytest.mark.parametrize(
    "header", [None, "", "Ann", "Ann <not-an-address>", '"<ann@example.com> never closed', "@", "a@"]
)
def test_there_may_be_no_address(header: str | None) -> None:
    assert bare_address(header) == ""


def test_an_empty_list_is_everybody() -> None:
    assert is_listed("ann@example.com", [])
    assert is_listed("ann@example.com", [" Ann@Example.com "])
    assert not is_listed("ann@example.com", ["bob@example.com"])
    assert not is_listed("", ["bob@example.com"])
