"""A try put before a reader."""

import shlex
from datetime import UTC, datetime

from app.models import Attempt
from app.rules.verdict import Reason
from app.rules.words import say
from app.views.attempts import LONGEST, as_curl, readable, show_attempt, time_line


def test_the_time_line_fills_its_width_and_leaves_out_what_took_no_time() -> None:
    phases = time_line({"dns": 10.0, "connect": 0.0, "wait": 30.0}, 40.0)
    assert [(phase.name, phase.x, phase.width) for phase in phases] == [
        ("dns", 0.0, 250.0),
        ("wait", 250.0, 750.0),
    ]


def test_curl_sends_the_same_bytes_whatever_quotes_are_in_them() -> None:
    body = '{"subject": "l\'été $(rm) `x`"}'
    command = as_curl("https://hooks.example.com/?a=1&b=2", {"webhook-id": "msg_1"}, body.encode())
    words = shlex.split(command.replace("\\\n", ""))
    assert words == ["curl", "--request", "POST", "https://hooks.example.com/?a=1&b=2",
                     "--header", "webhook-id: msg_1", "--data-binary", body]  # fmt: skip


def test_a_body_is_shown_as_text_and_never_breaks_the_page() -> None:
    assert readable(b'{"a":1}') == '{\n  "a": 1\n}'
    assert readable(b"\xff<html>") == "�<html>"
    assert readable(None) == ""
    assert readable(b"[" * 100_000).endswith("…")
    assert len(readable(b"x" * 100_000)) < LONGEST + 10


def test_a_try_without_an_answer_says_why_and_not_what_a_library_called_it() -> None:
    attempt = Attempt(
        delivery_id=1,
        endpoint_id=1,
        generation=1,
        number=1,
        owner="",
        started_at=datetime.now(UTC),
        outcome="name_not_found",
        detail="[Errno -2] Name or service not known",
    )
    shown = show_attempt(attempt, url="https://hooks.example.com", body=b"{}")
    assert shown.reason is not None
    assert say(Reason.from_json(shown.reason)) == "The host's name is not known"
