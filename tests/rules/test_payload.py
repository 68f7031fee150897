"""What a receiver is sent."""

import json

from app.rules.payload import Facts, build, encode

FACTS: Facts = {
    "email_id": "e1",
    "subject": " Média ",
    "date_header": "Mon, 13 Oct 2025 10:00:00 +0200",
    "sender_header": "Ann <ann@example.com>",
    "sender": "ann@example.com",
    "content": "é" * 300,
    "detector": None,
    "delivery_time": None,
    "window_start": None,
    "window_end": None,
    "links": [],
}
ALWAYS = {
    *("microsoft_graph_email_id", "subject", "receivedDateTime", "sender_address", "sender_email"),
    *("bodyPreview", "email_content", "first_direct_download_url", "dropbox_urls", "dropbox_first_url"),
}


def test_what_is_not_known_is_left_out() -> None:
    body = build(**FACTS)
    assert body.keys() == ALWAYS
    assert (body["subject"], len(body["bodyPreview"]), len(body["email_content"])) == (" Média ", 200, 300)
    assert (body["first_direct_download_url"], body["dropbox_urls"], body["dropbox_first_url"]) == (
        None,
        [],
        None,
    )


def test_what_is_known_is_said() -> None:
    links = [
        {
            "provider": "fromsmash",
            "raw_url": "https://fromsmash.com/a",
            "direct_url": "https://fromsmash.com/b",
        },
        {"provider": "dropbox", "raw_url": "https://www.dropbox.com/s/a"},
    ]
    facts: Facts = {
        **FACTS,
        "detector": "recadrage",
        "delivery_time": "9h",
        "window_start": "maintenant",
        "links": links,
    }
    body = build(**facts)
    assert body.keys() - ALWAYS == {"webhooks_time_start", "detector", "delivery_time", "delivery_links"}
    assert body["delivery_links"] == links
    assert body["first_direct_download_url"] == "https://fromsmash.com/b"
    assert body["dropbox_urls"] == ["https://www.dropbox.com/s/a"]
    assert body["dropbox_first_url"] == "https://www.dropbox.com/s/a"


def test_the_bytes_are_json_in_utf_8_whatever_the_text() -> None:
    assert encode({"a": "é"}) == '{"a": "é"}'.encode()
    assert json.loads(encode({"a": "\ud800x\0"})) == {"a": "?x\0"}
