"""Preferences as somebody wrote them, and what they are said to do."""

from typing import Any

import pytest

from app.rules.outcome import SCHEDULE
from app.rules.preferences import effect, further_effect, priorities, read, rescheduled, retries
from app.rules.words import say


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("exclude_keywords", ["ok", 3], "list of texts"),
        ("exclude_keywords", [f"x{n}" for n in range(201)], "at most 200"),
        ("exclude_keywords_recadrage", ["x" * 501], "at most 500"),
        ("exclude_keywords_autorepondeur", None, "list of texts"),
        ("max_email_size_mb", "large", "whole number"),
        ("max_email_size_mb", float("inf"), "whole number"),
        ("max_email_size_mb", 10**30, "whole number"),
        ("sender_priority", {"not an address": "high"}, "“not an address” is no e-mail address"),
        ("sender_priority", {"camille high": ""}, "is no line such as"),
        ("sender_priority", {"": "high"}, "address is missing"),
        ("sender_priority", {"ann@example.com": "urgent"}, "“urgent” is not one of"),
        ("sender_priority", {"ann@example.com": 1}, "“1” is not one of"),
        ("sender_priority", {"ann@example.com": ""}, "after a colon"),
        ("retry_count", 11, "from 0 to 10"),
        ("retry_delay_sec", -1, "from 0 to 600"),
        ("webhook_timeout_sec", 0, "from 1 to 300"),
        ("rate_limit_per_hour", [], "from 0 to 100000"),
        ("notify_to", "ada@example.org", "list of texts"),
        ("notify_to", ["Ada <ada@example.org>"], "“Ada <ada@example.org>” is no e-mail address"),
        ("notify_to", ["ada@example.org,bob@example.org"], "is no e-mail address"),
        ("notify_to", ["ada@example.org\r\nBcc: eve@example.org"], "is no e-mail address"),
        ("notify_to", ["ada@éxample.org"], "is no e-mail address"),
        ("notify_to", ["ada"], "is no e-mail address"),
        ("notify_to", [f"ada{n}@example.org" for n in range(11)], "at most 10"),
    ],
)
def test_a_mistake_is_named(name: str, value: Any, says: str) -> None:  # noqa: ANN401 - whatever JSON holds
    values, problems = read({name: value, "require_attachments": True})
    assert values == {"require_attachments": True}
    assert says in say(problems[name])


def test_senders_are_taken_in_the_words_of_both_programs() -> None:
    given = {" Ann@Example.com ": "HIGH", "bob@example.com": "medium", "cid@example.com": " low"}
    assert read({"sender_priority": given})[0]["sender_priority"] == {
        "ann@example.com": "high",
        "bob@example.com": "normal",
        "cid@example.com": "low",
    }


@pytest.mark.parametrize("value", [True, 1, "yes", [0]])
def test_a_switch_is_on_for_whatever_the_predecessor_took_as_on(value: Any) -> None:  # noqa: ANN401
    names = ("require_attachments", "notify_on_failure", "mirror_media_to_custom")
    assert read(dict.fromkeys(names, value)) == (dict.fromkeys(names, True), {})
    assert read(dict.fromkeys(names, None)) == (dict.fromkeys(names, False), {})


def test_an_address_that_is_there_twice_is_told_once() -> None:
    given = ["Ada@example.org", " ada@example.org ", "bob@example.org", ""]
    assert read({"notify_to": given})[0] == {"notify_to": ["ada@example.org", "bob@example.org"]}


def test_what_mirror_and_notices_do_is_said() -> None:
    def said(**given: Any) -> list[str]:  # noqa: ANN401
        usual: dict[str, Any] = {"mirror": "", "notify": True, "to": ["ada@example.org"], "server": True}
        return [say(reason) for reason in further_effect(**usual | given)]

    assert said(mirror="archive")[0] == "Sends the links of each mail to “archive” too, once"
    assert said()[0] == "Links go to the rules' own receivers alone"
    assert said()[1].startswith("Tells ada@example.org by mail")
    assert "SMTP_HOST is not set" in said(server=False)[1]
    assert "there is no address" in said(to=[])[1]
    assert said(notify=False)[1] == "Nobody is told by mail when something fails"


def test_a_name_that_is_not_known_is_passed_over() -> None:
    assert read({"colour": "red"}) == ({}, {})


def test_lines_are_senders_with_their_priorities() -> None:
    text = "Ann@example.com : high\n\n bob@example.com:medium\ncid@example.com\n: low"
    assert priorities(text) == {
        "ann@example.com": "high",
        "bob@example.com": "medium",
        "cid@example.com": "",
        "": "low",
    }


@pytest.mark.parametrize("mark", [":", " : ", "=", " = ", " ", "\t "])
def test_a_colon_an_equals_sign_or_a_blank_stands_before_a_priority(mark: str) -> None:
    assert priorities(f"Ann=2@example.com{mark}high") == {"ann=2@example.com": "high"}


def test_priorities_may_be_french() -> None:
    words = {f"{word}@example.com": word for word in ("haute", "Normale", "basse")}
    text = "\n".join(f"{address} {word}" for address, word in words.items())
    assert list(priorities(text).values()) == ["high", "normal", "low"]


def test_a_line_without_a_priority_stays_whole() -> None:
    assert priorities("a=b@example.com\nnot an address") == {"a=b@example.com": "", "not an address": ""}


def test_waits_between_tries_are_said_in_two_numbers_and_stay_when_these_are_sent_back() -> None:
    assert retries(SCHEDULE) == {"retry_count": 9, "retry_delay_sec": 5}
    assert rescheduled(SCHEDULE, retries(SCHEDULE)) == list(SCHEDULE)
    assert rescheduled(SCHEDULE, {}) == list(SCHEDULE)
    assert rescheduled(SCHEDULE, {"retry_count": 3}) == [5, 5, 5]
    assert rescheduled([], {"retry_count": 2}) == [2, 2]
    assert rescheduled([5], {"retry_count": 0}) == []
    assert retries([7200] * 12) == {"retry_count": 10, "retry_delay_sec": 600}


def said(**changes: Any) -> str:  # noqa: ANN401 - any preference
    usual: dict[str, Any] = {
        "keywords": [],
        "attachments": False,
        "megabytes": 30,
        "senders": {},
        "grouping": True,
    }
    return " ".join(say(reason) for reason in effect(**usual | changes))


def test_what_each_does_is_said() -> None:
    assert "No word makes every rule ignore" in said()
    assert "Ignores mail with “devis” in" in said(keywords=["devis"])
    assert "without an attachment" in said(attachments=True)
    assert "above 12 MB" in said(megabytes=12)
    assert "No sender is preferred" in said()
    senders = {"ann@example.com": "high", "bob@example.com": "low", "cid@example.com": "normal"}
    assert "from ann@example.com goes before" in said(senders=senders)
    assert "from bob@example.com goes after" in said(senders=senders)
    assert "from cid@example.com goes in its turn" in said(senders=senders)
    assert "Every mail goes" in said(grouping=False)
