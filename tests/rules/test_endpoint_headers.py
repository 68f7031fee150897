"""Headers of a receiver's own: which are taken, and to whom their values stay known."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.endpoint_draft import HIDDEN, LONGEST_HEADERS, Kept, read
from app.rules.words import say
from tests.rules.test_endpoint_draft import STUDIO


def kept_of(**headers: str) -> Kept:
    return Kept(headers=headers, url=STUDIO["url"])


def headers(text: str, **kept: str) -> dict[str, str]:
    values, problems = read(STUDIO | {"extra_headers": text}, kept=kept_of(**kept))
    assert problems == {}
    found: dict[str, str] = values["extra_headers"]
    return found


def why(text: str, **kept: str) -> str:
    """What is wrong with these headers."""
    values, problems = read(STUDIO | {"extra_headers": text}, kept=kept_of(**kept))
    assert "extra_headers" not in values
    return say(problems["extra_headers"])


def test_headers_are_read_one_a_line() -> None:
    assert headers("X-Api-Key: s3cret: and more\r\n\nx-team:  Nord\t1 ") == {
        "X-Api-Key": "s3cret: and more",
        "x-team": "Nord\t1",
    }
    assert headers("X-Name: Zoé") == {"X-Name": "Zoé"}


def test_a_hidden_value_is_the_one_that_is_kept() -> None:
    assert headers(f"x-api-key: {HIDDEN}\nX-New: 1", **{"X-Api-Key": "s3cret"}) == {
        "x-api-key": "s3cret",
        "X-New": "1",
    }
    assert why(f"X-Other: {HIDDEN}", **{"X-Api-Key": "s3cret"}) == (
        "Line 1: no value of “X-Other” is kept, enter it"
    )


@pytest.mark.parametrize(
    "url",
    [
        *("https://HOOKS.example.com:443/elsewhere?a=b", "https://hooks.example.com"),
        "https://hooks.example.com/signal",
    ],
)
def test_a_kept_header_stays_where_the_same_service_is_asked(url: str) -> None:
    _, problems = read(STUDIO | {"url": url, "extra_headers": f"A: {HIDDEN}"}, kept=kept_of(A="s3cret"))
    assert problems == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://elsewhere.example.net/signal"},
        {"url": "https://hooks.example.com:8443/signal"},
        {"url": "http://hooks.example.com/signal"},
        {"url": "https://[x"},
        {"insecure": True},
    ],
)
def test_a_kept_header_follows_to_nobody_else(changes: dict[str, Any]) -> None:
    raw = STUDIO | {"extra_headers": f"A: {HIDDEN}"} | changes
    values, problems = read(raw, kept=kept_of(A="s3cret"), may_be_insecure=True)
    assert say(problems["extra_headers"]) == "Line 1: no value of “A” is kept, enter it"
    assert "extra_headers" not in values
    values, problems = read(
        raw | {"extra_headers": "A: s3cret"}, kept=kept_of(A="s3cret"), may_be_insecure=True
    )
    assert values["extra_headers"] == {"A": "s3cret"}


def test_a_receiver_that_went_unverified_keeps_its_headers() -> None:
    kept = Kept(headers={"A": "s3cret"}, url=STUDIO["url"], verified=False)
    for insecure in (True, False):
        raw = STUDIO | {"extra_headers": f"A: {HIDDEN}", "insecure": insecure}
        assert read(raw, kept=kept, may_be_insecure=True)[0]["extra_headers"] == {"A": "s3cret"}


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "content-length", "Transfer-Encoding", "CONNECTION", "Content-Type", "X-Source"),
        *("webhook-id", "Webhook-Signature", "WEBHOOK-anything", "Expect", "Upgrade"),
    ],
)
def test_our_own_headers_are_nobody_elses(name: str) -> None:
    assert why(f"X-Good: 1\n{name}: x") == f"Line 2: “{name}” is set by this server alone"


@pytest.mark.parametrize(
    "line", ["no colon", ": x", "two words: x", "X-É: x", "X(1): x", "X\x00: x", "a\rb: x"]
)
def test_what_is_no_name_of_a_header_is_refused(line: str) -> None:
    assert why(line).startswith("Line 1: ")


@pytest.mark.parametrize("value", ["", "a\rb", "a\x00b", "a\x7f", "日本", "a\x0bb", "€", "a\x85x"])
def test_what_no_header_may_say_is_refused(value: str) -> None:
    assert why(f"X-A: {value}") == ("Line 1: the value is empty, or has characters that no header may have")


def test_headers_have_their_limits() -> None:
    assert why("X-A: 1\nx-a: 2") == "Line 2: “x-a” stands there twice"
    assert why("\n".join(f"X-{number}: 1" for number in range(21))) == "Too many: at most 20"
    twenty = "\n\n".join(f"X-{number}: 1" for number in range(20))
    assert len(headers(twenty)) == 20
    assert why(twenty + "\nno colon") == "Too many: at most 20"  # which no line after the last can change
    assert why(f"X-A: {'x' * LONGEST_HEADERS}") == "All headers together: at most 4096 characters"


@given(st.text())
def test_whatever_is_typed_no_line_end_reaches_a_request(text: str) -> None:
    values, _ = read(STUDIO | {"extra_headers": text})
    for name, value in values.get("extra_headers", {}).items():
        assert not set(name + value) & {"\r", "\n", "\x00"}
        assert (name + value).encode("latin-1")
        assert not name.lower().startswith("webhook-")
