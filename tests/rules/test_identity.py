"""By what a mail is recognised."""

from app.rules.identity import digest, email_id, fingerprint

RAW = b"Message-ID: <1@x>\r\nFrom: Ann <ann@example.com>\r\n\r\nHello\r\nworld\r\n\r\n\r\n"
ANN = "Ann <ann@example.com>"


def test_a_digest_sees_through_line_ends_blank_ends_and_other_headers() -> None:
    arrived = digest("<1@x>", ANN, RAW)
    assert digest(" <1@x> ", ANN, RAW.replace(b"\r\n", b"\n")) == arrived
    assert digest("<1@x>", ANN, RAW.replace(b"\r\n", b"\r")) == arrived
    assert digest("<1@x>", ANN, RAW.rstrip()) == arrived
    assert digest("<1@x>", ANN, b"Received: by y\r\n" + RAW) == arrived


def test_a_digest_tells_different_mails_apart() -> None:
    others = [
        digest("<1@x>", ANN, RAW),
        digest("<2@x>", ANN, RAW),
        digest("<1@x>", "Eve <eve@example.com>", RAW),
        digest("<1@x>", ANN, RAW.replace(b"world", b"World")),
        digest("<1@x>", ANN, RAW.replace(b"Hello\r\n", b"Hello\r\n\r\n")),
        digest("", "<1@x>" + ANN, RAW),
        digest("<1@x>", ANN, b"\r\n"),
    ]
    assert len(set(others)) == len(others)


def test_a_raw_mail_may_have_no_body_or_no_headers() -> None:
    assert digest(None, None, b"") == digest("", "", b"Subject: x\r\n") == digest("", "", b"\n\n")
    assert digest(None, None, b"\nHello\nworld") == digest(None, None, b"A: b\n\nHello\nworld\n")


def test_a_mail_of_which_only_headers_are_known_has_a_fingerprint() -> None:
    facts = {"message_id": "<1@x>", "sender_header": ANN, "subject": "S", "date": "D"}
    assert fingerprint(**facts, size=10) == fingerprint(**facts, size=10)
    assert fingerprint(**facts, size=10) != fingerprint(**facts, size=11)
    assert fingerprint(**(facts | {"subject": None}), size=10) != fingerprint(**facts, size=10)


def test_half_a_surrogate_pair_has_an_id_too() -> None:
    assert len(email_id("<1@x>", "\ud800", None)) == 32
    assert len(digest("\ud800", None, b"")) == 64
