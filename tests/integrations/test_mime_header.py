"""Headers and charsets, honest and broken ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.integrations.mime import HEADER_LIMIT, HEADERS_LIMIT, headers, parse
from app.integrations.mime_header import BLOCK_LIMIT, FIELD_LIMIT, decode_header
from tests.integrations.conftest import with_body

PARTS = "Content-Type: multipart/mixed; boundary=b"
VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())["vectors"]


@pytest.mark.parametrize(
    "case", [case for case in VECTORS if case["group"] == "header_decode"], ids=lambda case: case["id"]
)
def test_headers_are_decoded_as_the_predecessor_did(case: dict[str, Any]) -> None:
    assert decode_header(case["input"]["header"]) == case["expected"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?B?w6k?=", "é"),  # padding forgotten
        ("=?utf-8?B?w6k=?= =?utf-8?B?w6k=?=", "éé"),
        ("=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é"),  # a letter in two words
        ("=?utf-8?Q?a_b?= c =?utf-8?Q?d?=", "a b c d"),
        ("=?iso-8859-1*fr?Q?=E9?=", "é"),
        ('"=?utf-8?Q?=C3=A9?=" <a@example.com>', '"é" <a@example.com>'),
        ("=?utf-8?Q?Lot 42?=", "Lot 42"),
        ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
        ("=?utf-8?B?!!!?=", ""),
        ("=?utf-7?Q?+2AA-?=", ""),  # half a character
        ("a\0b", "ab"),
        ("=?", "=?"),
    ],
)
def test_encoded_words_are_read_as_far_as_they_go(value: str, text: str) -> None:
    assert decode_header(value) == text


@pytest.mark.parametrize(
    "name",
    ["x-unknown", "", "idna", "punycode", "base64", "zlib", "unicode_escape", "undefined", "utf-8\0", "é"],
)
def test_an_unknown_charset_is_read_as_utf_8(name: str) -> None:
    mail = parse(
        with_body(f"Subject: =?{name or 'x'}?Q?=C3=A9?=\nContent-Type: text/plain; charset={name}", "é")
    )
    assert (mail.subject, mail.plain) == ("é", "é")


def test_an_unknown_charset_is_noted() -> None:
    assert parse(with_body("Content-Type: text/plain; charset=klingon", "x")).notes == (
        "unknown_charset[klingon]",
    )


@pytest.mark.parametrize("name", ["UTF-8", "utf_8", "ANSI_X3.4-1968", "Windows-1252", "koi8-u", "utf-8-sig"])
def test_a_charset_is_known_however_it_is_spelt(name: str) -> None:
    mail = parse(with_body(f"Content-Type: text/plain; charset={name}", "x"))
    assert (mail.plain, mail.notes) == ("x", ())


def test_text_without_a_charset_keeps_its_accents() -> None:
    assert parse(with_body("Subject: x", "é".encode())).plain == "é"
    assert parse(with_body("Subject: x", "é".encode("latin-1"))).plain == "é"
    assert headers("Subject: Média".encode("latin-1")).subject == "Média"
    assert headers("Subject: Média".encode()).subject == "Média"


def test_bytes_that_are_not_of_their_charset_are_left_out() -> None:
    assert parse(with_body("Content-Type: text/plain; charset=utf-8", b"a\xffb\0c")).plain == "abc"


@pytest.mark.parametrize(
    ("raw", "subject", "plain"),
    [
        (b"", "", ""),
        (b"\n", "", ""),
        (b"\nbody", "", "body"),
        (b"no header at all", "", "no header at all"),
        (b"Subject: only a header", "only a header", ""),
        (b"From ada Mon Sep 1\nSubject: from a Unix mailbox\n\nbody", "from a Unix mailbox", "body"),
        (b"Subject: x\nthis is no header\n\nbody", "x", "this is no header\n\nbody"),
        (b"Subject: folded\n over\n\tlines\n\nbody", "folded over\tlines", "body"),
        (b"Subject: bare\rFrom: carriage returns\r\rbody", "bare", "body"),
        (b"Subject: first\nSubject: second\n\nbody", "first", "body"),
        (b"subject : spaced \n\nbody", "spaced", "body"),
        (b"\xff\xfe\0\0\n\n", "", "ÿþ\n\n"),
    ],
)
def test_a_broken_head_still_gives_what_is_there(raw: bytes, subject: str, plain: str) -> None:
    mail = parse(raw)
    assert (mail.subject, mail.plain) == (subject, plain)


def test_a_broken_date_stays_the_text_that_it_is() -> None:
    assert headers(b"Date: the day after\r\n\r\n").date_header == "the day after"


def test_a_long_header_is_cut_and_noted_and_the_body_still_found() -> None:
    for head in ("X: " + "y" * BLOCK_LIMIT, "X: y\n" * (BLOCK_LIMIT // 4), "X: a\n" + " b\n" * BLOCK_LIMIT):
        mail = parse(with_body(f"Subject: x\n{head.strip()}", "body"))
        assert (mail.subject, mail.plain, mail.notes) == ("x", "body", ("header_cut",))


def test_every_header_is_kept_in_its_order_and_decoded() -> None:
    head = "From a Mon Sep 1\nReceived: a\nX-Spam: =?utf-8?Q?=C3=A9t=C3=A9?=\nRECEIVED : b\n  c\nX-Empty:\n"
    assert parse(with_body(head + PARTS, "--b\nX-Part: no\n\n--b--")).headers == (
        ("received", "a"),
        ("x-spam", "été"),
        ("received", "b  c"),
        ("x-empty", ""),
        ("content-type", "multipart/mixed; boundary=b"),
    )


def test_a_header_is_kept_as_far_as_its_limit() -> None:
    mail = parse(with_body(f"X-Long: {'y' * 9000}\nX-Encoded: =?utf-8?Q?{'=C3=A9' * 2000}?=", ""))
    assert mail.headers == (("x-long", "y" * HEADER_LIMIT), ("x-encoded", "é" * 2000))
    assert mail.notes == ("header_cut",)


def test_of_many_headers_the_first_are_kept() -> None:
    numbered = [f"X-{number}: {number}\n" for number in range(FIELD_LIMIT + 1)]
    kept, cut = (parse("".join(lines).encode()) for lines in (numbered[:-1], numbered))
    assert len(kept.headers) == len(cut.headers) == FIELD_LIMIT
    assert cut.headers[-1] == (f"x-{FIELD_LIMIT - 1}", f"{FIELD_LIMIT - 1}")
    assert (kept.notes, cut.notes) == ((), ("header_cut",))


@pytest.mark.parametrize(
    "line", ["X: " + "y" * 4000, "y" * 4000 + ": x", "z" * 100_000 + ":", "y" * 700 + ":"]
)
def test_all_headers_together_are_kept_as_far_as_their_limit(line: str) -> None:
    mail = parse(with_body("\n".join(["Subject: x", *[line] * (200_000 // len(line))]), ""))
    assert mail.headers[0] == ("subject", "x")
    assert sum(len(name) + len(value) for name, value in mail.headers) <= HEADERS_LIMIT
    assert mail.notes == ("header_cut",)


@pytest.mark.parametrize(
    "head",
    [
        'From: """"' + '"' * 100_000,
        'Content-Type: ;"' + "a;" * 40_000,
        "Content-Type: text/plain" + ";a=b" * 20_000,
        "Subject: " + "=?a?q?" * 10_000,
        "Subject: " + "=?a?q? " * 2_000,
        "\n".join("X: " + "=?a?q? " * 2_000 for _ in range(18)),
        "\n".join("X: " + "".join(f"=?x{word}?q??=" for word in range(1_000)) for _ in range(18)),
        "Subject: " + "=?utf-8?B?" + "A" * 60_000 + "?=",
        "Content-Type: multipart/mixed; boundary*0=" + "*1=x;boundary" * 5_000,
        "From: " + "(" * 60_000,
    ],
)
def test_headers_made_to_be_slow_are_read(head: str) -> None:
    mail = parse(with_body(head, "body"))
    assert mail.plain == "body"
    assert sum(len(value) for _, value in mail.headers) <= HEADERS_LIMIT
