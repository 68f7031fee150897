"""A receiver as somebody wrote it: what is taken, what is refused and where, and what it would do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.endpoint_draft import LONGEST_AUTHORITY, effect, read, waits
from app.rules.outcome import SCHEDULE
from app.rules.words import say

STUDIO: dict[str, Any] = {
    "name": " Studio  Nord ",
    "url": "https://hooks.example.com/signal",
    "mode": "json",
    "content": "whole",
    "template": "",
    "form_on_415": True,
    "require_success": False,
    "ordered": False,
    "timeout": "30",
    "concurrency": "16",
    "rate_per_hour": "0",
    "schedule": "5s, 5min, 30min, 2h",
    "extra_headers": "",
    "authority": "",
    "insecure": False,
}
TOKEN = "abcdefghij0123456789abcdefghij01"


def refused(**changes: Any) -> dict[str, str]:  # noqa: ANN401 - as somebody wrote it
    _, problems = read(STUDIO | changes)
    return {place: say(reason) for place, reason in problems.items()}


def taken(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    values, problems = read(STUDIO | changes)
    assert problems == {}
    return values


def test_a_form_is_read_as_the_columns_of_an_endpoint() -> None:
    assert taken() == {
        "name": "Studio Nord",
        "url": "https://hooks.example.com/signal",
        "mode": "json",
        "content": "whole",
        "template": "",
        "form_on_415": True,
        "require_success": False,
        "ordered": False,
        "timeout": 30,
        "concurrency": 16,
        "rate_per_hour": 0,
        "schedule": [5, 300, 1800, 7200],
        "extra_headers": {},
        "authority": "",
        "verify_tls": True,
    }


def test_an_empty_form_says_what_it_lacks() -> None:
    values, problems = read({})
    assert {"name", "url", "mode", "content", "timeout", "concurrency", "rate_per_hour"} == set(problems)
    assert not problems.keys() & values.keys()


@pytest.mark.parametrize("zone", ["eu1", "eu2", "us1"])
def test_an_address_of_make_is_understood_in_every_zone(zone: str) -> None:
    assert taken(url=f" {TOKEN}@hook.{zone}.make.com ")["url"] == f"https://hook.{zone}.make.com/{TOKEN}"


def test_a_token_of_make_alone_is_one_but_a_host_is_none() -> None:
    assert taken(url=TOKEN)["url"] == f"https://hook.eu2.make.com/{TOKEN}"
    assert taken(url="receiver.example.org")["url"] == "receiver.example.org"  # which the gate refuses


def test_a_name_and_an_address_are_needed() -> None:
    assert refused(name=" ", url="") == {
        "name": "Give it a name",
        "url": "Give the address to which webhooks are posted",
    }
    assert refused(name="x" * 81, url="https://x.example/" + "x" * 2048).keys() == {"name", "url"}
    assert refused(name="a\ud800") == {"name": "A text is expected, of characters that can be kept"}


@pytest.mark.parametrize(
    ("place", "least", "most"), [("timeout", 1, 300), ("concurrency", 1, 64), ("rate_per_hour", 0, 100_000)]
)
def test_numbers_have_their_limits(place: str, least: int, most: int) -> None:
    for good in (least, most):
        assert taken(**{place: f" {good} "})[place] == good
    for bad in (str(least - 1), str(most + 1), "", "many", "3.5", "٣", "9" * 40):
        assert refused(**{place: bad}) == {place: f"A whole number from {least} to {most}"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", []),
        ("0.2s", [0.2]),
        ("5 sec; 1 min\n2 H", [5, 60, 7200]),
        ("1.5h, 24h,", [5400, 86400]),
        ("0s", [0]),
    ],
)
def test_a_schedule_is_read(text: str, seconds: list[float]) -> None:
    assert taken(schedule=text)["schedule"] == seconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5", "“5” is no time between two tries, such as 5s, 30min or 2h"),
        ("5s, soon", "“soon” is no time between two tries, such as 5s, 30min or 2h"),
        ("25h", "“25h” is too long: at most 24 h between two tries"),
        ("1s," * 21, "Too many: at most 20"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    assert refused(schedule=text) == {"schedule": said}


def test_a_schedule_is_shown_as_one_writes_it() -> None:
    assert waits(list(SCHEDULE)) == "5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h"
    assert waits([0.2, 90, 0]) == "0.2s, 90s, 0s"


@given(st.lists(st.integers(0, 86_400_000).map(lambda thousandths: thousandths / 1000), max_size=20))
def test_what_is_shown_is_read_again(schedule: list[float]) -> None:
    assert taken(schedule=waits(schedule))["schedule"] == schedule


def test_a_template_is_needed_only_where_it_is_used_and_never_broken() -> None:
    assert refused(content="template") == {"template": "Write a template, or choose the usual payload"}
    assert taken(content="template", template=' {"t": "{{subject}}"} ')["template"] == '{"t": "{{subject}}"}'
    assert refused(template="{") == {"template": "The template is not JSON: see line 1, column 2"}
    unknown = refused(template='{"t": "{{colour}}"}')["template"]
    assert unknown.startswith("The template uses “colour”, which is not known here. Known are: ")
    assert "captures" not in unknown


@pytest.mark.parametrize("tag", ["{{captures.lot}}", "{{#captures}}x{{/captures}}", "{{{captures.lot}}}"])
def test_what_a_rules_patterns_catch_is_not_for_a_receivers_template(tag: str) -> None:
    said = refused(template=f'{{"t": "{tag}"}}')["template"]
    assert said.startswith("“captures")
    assert "that rule's own payload" in said


def test_a_private_key_is_never_kept() -> None:
    text = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"
    assert refused(authority=text)["authority"].startswith("This is a private key")
    assert refused(authority="no certificate").keys() == {"authority"}
    long = "-----BEGIN CERTIFICATE-----\n" + "x" * LONGEST_AUTHORITY
    assert refused(authority=long) == {"authority": "Too long: at most 32768 characters"}


def test_tls_goes_unverified_only_where_that_is_allowed() -> None:
    assert refused(insecure=True) == {"insecure": "Only where the environment says ALLOW_INSECURE_TLS=1"}
    values, problems = read(STUDIO | {"insecure": True}, may_be_insecure=True)
    assert (values["verify_tls"], problems) == (False, {})


def test_a_word_that_nobody_knows_is_refused() -> None:
    assert refused(mode="xml", content="some").keys() == {"mode", "content"}


def said(**changes: Any) -> list[str]:  # noqa: ANN401
    values, _ = read(STUDIO | changes, may_be_insecure=True)
    return [say(reason) for reason in effect(values)]


def test_the_usual_receiver_says_what_it_does() -> None:
    assert said() == [
        "Webhooks are posted to hooks.example.com as JSON",
        "If it takes no JSON (status 415), the same goes out as a form at once",
        "They carry the usual payload, with the mail's text",
        "Any answer from 200 to 299 counts as received, unless it says otherwise",
        "What fails is tried 4 times more, after 5s, 5min, 30min, 2h; after 3 h in all it is given up",
        "Up to 16 requests go at once, as many as it takes well; each may take 30 s",
    ]


def test_an_unusual_one_does_too() -> None:
    assert said(
        mode="form",
        content="without_content",
        require_success=True,
        schedule="",
        ordered=True,
        rate_per_hour="60",
        extra_headers="X-A: secret",
        insecure=True,
    ) == [
        "Webhooks are posted to hooks.example.com: the same JSON, sent under the name of a form",
        "They leave out the mail's text: email_content and bodyPreview",
        "Each request carries X-A besides our own headers",
        "Any certificate is taken: whoever stands between can read and change what is sent",
        "Only an answer that says “success”: true counts as received",
        "What fails is given up at once: it is never tried again",
        "One request goes after the other, in the order in which mails came; each may take 30 s",
        "At most 60 tries an hour: what is above waits for its turn",
    ]


def test_what_cannot_be_read_is_left_out_of_it() -> None:
    assert said(url="", form_on_415=False, schedule="soon", timeout="x", rate_per_hour="-1") == [
        "They carry the usual payload, with the mail's text",
        "Any answer from 200 to 299 counts as received, unless it says otherwise",
    ]
    assert effect(read({})[0])  # an empty form says something too


def test_an_address_that_leads_nowhere_is_shown_as_it_stands() -> None:
    assert said(url="https://[x")[0] == "Webhooks are posted to https://[x as JSON"
