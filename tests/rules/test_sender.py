"""Who wrote a mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.sender import RECIPIENTS_LIMIT, bare_address, is_listed, recipients


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


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("ann@example.com", ("ann@example.com",)),
        ("Ann <Ann@Example.COM>, bob@example.com,ann@example.com", ("ann@example.com", "bob@example.com")),
        ('"Doe, Ann <eve@evil.example>" <ann@example.com>', ("ann@example.com",)),
        ("Doe, Ann <ann@example.com>", ("ann@example.com",)),
        ("Friends: ann@example.com, Bob <bob@example.com>;", ("ann@example.com", "bob@example.com")),
        (
            "ann@example.com (Ann, the <eve@evil.example>); bob@example.com",
            ("ann@example.com", "bob@example.com"),
        ),
        ("eve@evil.example <ann@example.com>", ("ann@example.com",)),
        ("undisclosed-recipients:;", ()),
        ("", ()),
        ("@, <>, <@>, a@", ()),
    ],
)
def test_recipients_are_the_bare_addresses_of_a_list(value: str, addresses: tuple[str, ...]) -> None:
    assert recipients([("to", value)]) == addresses


def test_every_header_that_names_a_recipient_counts_in_its_order() -> None:
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc", "Bcc", "From", "Reply-To")
    assert recipients((name, f"<{name}@example.com>") for name in names) == (
        "delivered-to@example.com",
        "x-original-to@example.com",
        "envelope-to@example.com",
        "to@example.com",
        "cc@example.com",
        "bcc@example.com",
    )


def test_of_many_recipients_the_first_are_told() -> None:
    many = [f"{number}@example.com" for number in range(RECIPIENTS_LIMIT + 1)]
    assert recipients([("to", ", ".join(many))]) == tuple(many[:-1])


@pytest.mark.parametrize("piece", ',"<>()[];:\\!@.')
@pytest.mark.parametrize("other", ["", "a", "@", '"', ",", ")", "\\"])
def test_lists_made_to_be_slow_are_read(piece: str, other: str) -> None:
    assert len(recipients([("to", (piece + other) * 50_000)])) <= 1


@given(st.text(st.sampled_from('a@.,;:<>()[]"\\ é\n\t'), max_size=200))
def test_no_list_is_too_broken_to_be_read(value: str) -> None:
    found = recipients([("cc", value)])
    assert all("@" in address and address == address.lower() for address in found)


def test_an_empty_list_is_everybody() -> None:
    assert is_listed("ann@example.com", [])
    assert is_listed("ann@example.com", [" Ann@Example.com "])
    assert not is_listed("ann@example.com", ["bob@example.com"])
    assert not is_listed("", ["bob@example.com"])
