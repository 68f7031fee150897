"""What an address says of where it leads."""

import pytest

from app.rules.address import host_of, same_place


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://hooks.example.com/token/secret?a=b", "hooks.example.com"),
        ("https://ada:s3cret@Hooks.example.com:8443/x", "Hooks.example.com:8443"),
        ("http://[2001:db8::1]:8080/", "[2001:db8::1]:8080"),
    ],
)
def test_the_host_is_named_without_what_may_be_secret(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    "url", ["", "https://", "https://[x", "https://x.example:99999/", "https://:443/", "nonsense", "//"]
)
def test_an_address_that_cannot_be_read_has_none(url: str) -> None:
    assert host_of(url) == ""
    assert not same_place(url, url)


def test_the_same_place_is_one_service_by_whatever_name() -> None:
    assert same_place("https://Hooks.example.com/a", "https://hooks.example.com:443/b?c")
    assert same_place("http://hooks.example.com", "http://hooks.example.com:80/")
    for other in ("http://hooks.example.com/", "https://hooks.example.com:444/", "https://example.com/"):
        assert not same_place("https://hooks.example.com/", other)
