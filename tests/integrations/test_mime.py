"""What the parser reads out of mails, honest and broken ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.integrations.mime import HTML_LIMIT, headers, parse
from app.integrations.mime_header import Notes, split
from app.integrations.mime_part import leaves
from tests.integrations.conftest import with_body

WHOLE = b"""From: =?iso-8859-1?Q?Andr=E9?= <andre@example.com>
To: ada@example.com
Subject: =?utf-8?B?TcOpZGlhIFNvbHV0aW9u?= - Lot 4
Date: Mon, 1 Sep 2025 10:00:00 +0200
Message-ID: <one@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

Not for anybody.
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

=C0 faire pour =
14h30
--inner
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: base64

PHA+Tm91dmVhdXggdGFyPGI+aWZzPC9iPiAmYW1wOyBw
w6lyaW9kZTwvcD4=
--inner--
--outer
Content-Type: application/pdf; name="plan.pdf"
Content-Disposition: attachment; filename="plan.pdf"
Content-Transfer-Encoding: base64

AAAA
--outer
Content-Type: text/plain
Content-Disposition: attachment; filename=notes.txt

Not to be read.
--outer
Content-Type: image/png; name="logo.png"
Content-Disposition: inline; filename="logo.png"

png
--outer--
Nor is this.
"""


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_mail_is_read_whole(line_end: bytes) -> None:
    mail = parse(WHOLE.replace(b"\n", line_end))
    assert mail.subject == "Média Solution - Lot 4"
    assert mail.sender_header == "André <andre@example.com>"
    assert mail.date_header == "Mon, 1 Sep 2025 10:00:00 +0200"
    assert mail.message_id == "<one@example.com>"
    assert mail.plain == "À faire pour 14h30"
    assert mail.html == "<p>Nouveaux tar<b>ifs</b> &amp; période</p>"
    assert mail.text == "À faire pour 14h30\nNouveaux tarifs & période"
    assert mail.attachments == 2
    assert mail.headers[1:3] == (("to", "ada@example.com"), ("subject", "Média Solution - Lot 4"))
    assert len(mail.headers) == 7
    assert mail.notes == ()


def test_headers_alone_say_the_same() -> None:
    block, mail = headers(WHOLE.partition(b"\n\n")[0]), parse(WHOLE)
    assert (block.subject, block.sender_header) == (mail.subject, mail.sender_header)
    assert (block.date_header, block.message_id) == (mail.date_header, mail.message_id)


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/mixed",
        "multipart/mixed; boundary=",
        'multipart/mixed; boundary="',
        "multipart/mixed; boundary=x",
    ],
)
def test_a_multipart_without_its_boundary_is_read_as_text(kind: str) -> None:
    mail = parse(with_body(f"Content-Type: {kind}", "hello"))
    assert (mail.plain, mail.notes) == ("hello", ("no_boundary",))


def test_a_boundary_in_the_preamble_or_inside_a_line_is_none() -> None:
    body = "see --b for more\n--b\n\nfirst --b\n--bb\n--b\n\nsecond\n--b--\n--b\n\nnot this"
    assert (
        parse(with_body("Content-Type: multipart/mixed; boundary=b", body)).plain == "first --b\n--bb\nsecond"
    )


def test_a_missing_end_of_a_multipart_is_the_end_of_the_mail() -> None:
    mail = parse(with_body("Content-Type: multipart/mixed; boundary=b", "--b\n\nfirst\n--b\n\nsecond"))
    assert mail.plain == "first\nsecond"


def test_a_boundary_in_pieces_is_put_together() -> None:
    head = 'Content-Type: multipart/mixed;\n boundary*0=ab;\n boundary*1="cd"'
    assert parse(with_body(head, "--abcd\n\ntext\n--abcd--")).plain == "text"


def test_a_mail_inside_a_mail_is_read_unless_it_is_attached() -> None:
    inner = "Content-Type: message/rfc822\n%s\nSubject: inner\n\ninner text"
    for disposition, plain, attachments in (
        ("", "inner text", 0),
        ("Content-Disposition: attachment\n", "", 1),
    ):
        body = "--b\n" + inner % disposition + "\n--b--"
        mail = parse(with_body("Content-Type: multipart/mixed; boundary=b", body))
        assert (mail.plain, mail.attachments) == (plain, attachments)


def test_html_above_the_limit_is_cut_and_noted() -> None:
    mail = parse(with_body("Content-Type: text/html; charset=utf-8", "<p>é</p>" * 200_000))
    assert len(mail.html.encode()) <= HTML_LIMIT
    assert mail.notes == ("html_cut",)


def test_the_limit_counts_for_all_html_parts_together() -> None:
    part = "--b\nContent-Type: text/html\n\n" + "<p>x</p>" * 100_000 + "\n"
    mail = parse(with_body("Content-Type: multipart/mixed; boundary=b", part * 3 + "--b--"))
    assert len(mail.html) <= HTML_LIMIT + 2
    assert mail.notes == ("html_cut",)


def test_nesting_beyond_the_limit_is_left_unread_and_noted() -> None:
    head = "Content-Type: multipart/mixed; boundary=b{0}\n\n--b{0}\n\nlevel {0}\n--b{0}\n"
    mail = parse("".join(head.format(level) for level in range(1000)).encode())
    assert "level 49" in mail.plain
    assert "level 60" not in mail.plain
    assert "too_deep" in mail.notes


def test_mails_inside_mails_beyond_the_limit_are_left_unread_and_noted() -> None:
    assert "too_deep" in parse(b"Content-Type: message/rfc822\n\n" * 5000 + b"text").notes


def test_more_parts_than_anybody_sends_are_left_unread_and_noted() -> None:
    mail = parse(with_body("Content-Type: multipart/mixed; boundary=b", "--b\n\nx\n" * 100_000))
    assert mail.notes == ("too_many_parts",)
    assert mail.plain.count("x") == 999


@pytest.mark.parametrize("line", [b"--b\n", b"--b\r\n\r\n"])
def test_of_a_million_parts_the_first_thousand_are_split_off(line: bytes) -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n" + line * 1_300_000
    top, notes = split(raw, 0, len(raw)), Notes()
    found = list(leaves(raw, top, notes))
    assert (len(found), notes.said) == (999, ["too_many_parts"])
    assert found[-1].end < 10_000


def test_a_boundary_that_is_everywhere_is_looked_for_only_so_often() -> None:
    head = b"".join(
        b"Content-Type: multipart/mixed; boundary=%s\n\n--%s\n" % (b"-" * level, b"-" * level)
        for level in range(40, 0, -1)
    )
    mail = parse(head + b"\nfirst\n" + b"-" * 5_000_000)
    assert "first" in mail.plain
    assert "too_many_parts" in mail.notes


def test_a_part_with_more_header_lines_than_anybody_sends_is_read_behind_them_and_noted() -> None:
    part = "--b\nContent-Type: text/html\n" + "a:\n" * 100_000 + "\nbody\n"
    mail = parse(with_body("Content-Type: multipart/mixed; boundary=b", part + "--b--"))
    assert (mail.html, mail.notes) == ("body", ("header_cut",))


def test_the_mail_itself_may_have_many_header_lines() -> None:
    to = "To: a@example.com,\n" + " b@example.com,\n" * 400 + " c@example.com\n"
    mail = parse(with_body(to * 9 + "Subject: x", "y"))
    assert (mail.subject, mail.plain, mail.notes) == ("x", "y", ())
    assert mail.headers == (("to", "a@example.com," + " b@example.com," * 400 + " c@example.com"),) * 9 + (
        ("subject", "x"),
    )


FRAGMENTS = st.sampled_from(
    [
        *(
            b"\n",
            b"\r\n",
            b"\r",
            b"\n\n",
            b" ",
            b"\t",
            b":",
            b";",
            b'"',
            b"=",
            b"--",
            b"--b\n",
            b"--b--\n",
            b"\0",
        ),
        *(
            b"Content-Type: ",
            b"multipart/mixed",
            b"; boundary=b",
            b"; boundary*0=b",
            b"text/html",
            b"text/plain",
        ),
        *(
            b"message/rfc822",
            b"; charset=",
            b"utf-16",
            b"utf-7",
            b"x",
            b"Content-Transfer-Encoding: ",
            b"base64",
        ),
        *(
            b"quoted-printable",
            b"Content-Disposition: ",
            b"attachment",
            b"; filename=",
            b"Subject: ",
            b"From: ",
        ),
        *(
            b"=?utf-8?Q?",
            b"=?utf-16?B?",
            b"?=",
            b"=E9",
            b"=\n",
            b"w6k=",
            b"<b>",
            b"</p>",
            b"<!--",
            b"&#0;",
            b"\xff",
        ),
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(FRAGMENTS | st.binary(max_size=8), max_size=60).map(b"".join))
def test_no_mail_is_too_broken_to_be_read(raw: bytes) -> None:
    mail = parse(raw)
    for text in (
        mail.subject,
        mail.sender_header,
        mail.date_header,
        mail.message_id,
        mail.plain,
        mail.html,
        mail.text,
        *(value for _, value in mail.headers),
    ):
        assert "\0" not in text
        text.encode()
    block = headers(raw)
    assert (block.subject, block.message_id) == (mail.subject, mail.message_id)
