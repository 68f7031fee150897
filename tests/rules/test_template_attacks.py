"""Templates and mails made to run code, to read files, or to hold a process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pystache
import pytest

from app.rules.payload import EMPTY, build, encode
from app.rules.template import LONGEST_PAYLOAD, LONGEST_TEMPLATE, check, render
from tests.rules.test_template import CAPTURES, MISSION

SECRET = "what-only-a-file-knows"
LINKS = [{"provider": "dropbox", "raw_url": f"https://www.dropbox.com/s/{number}"} for number in range(100)]


@pytest.mark.parametrize(
    "attack",
    [
        *("{{subject.__class__}}", "{{subject.upper}}", "{{__class__}}", "{{captures.__class__.__mro__}}"),
        *("{{delivery_links.__len__}}", "{{delivery_links.0.raw_url}}", "{{email_content.format}}"),
        *("{{captures.items.__self__}}", "{{#delivery_links}}{{keys}}{{/delivery_links}}"),
        *("{{#delivery_links}}{{raw_url.__class__}}{{/delivery_links}}", "{{#subject}}{{upper}}{{/subject}}"),
        *("{{cycler.__init__.__globals__.os.popen('id').read()}}", "{{ ''.__class__.__mro__[1] }}"),
        *("{{config.items()}}", "{{request|attr('application')}}", "{{lipsum.__globals__}}", "{{self}}"),
        *("{{7*7}}", "{{'%c' % 7}}", "{{'%999999999d' % 1}}", "{{range(1000000000)}}", "{{joiner()}}"),
        *("{{#each delivery_links}}{{/each}}", "{{lookup subject 'x'}}", "{{subject | upcase}}"),
        *("{{> secret}}", "{{>../secret}}", "{{> /etc/passwd}}", "{{#subject}}{{> secret}}{{/subject}}"),
        *("{{=<% %>=}}<%> secret%>", "{{=| |=}}", "{{=x=}}", "{{#subject}}{{=[ ]=}}[/subject]"),
        *("{{#wrapped}}{{/wrapped}}", "{{*parent}}{{/parent}}", "{{<parent}}{{/parent}}", "{{$b}}{{/b}}"),
    ],
)  # fmt: skip
def test_an_attack_is_refused(attack: str) -> None:
    assert check(json.dumps({"value": attack})) is not None


@pytest.mark.parametrize(
    "text", ["{% for x in y %}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "%(subject)s", "{subject}"]
)
def test_the_tags_of_other_languages_are_text(text: str) -> None:
    template = json.dumps({"value": text, "beside": text + "{{captures.__class__}}"})
    assert check(template) is None
    assert render(template, build(**MISSION), CAPTURES) == {"value": text, "beside": text}


@pytest.mark.parametrize(
    "said", ["{{subject}}", "{{> secret}}", "{{#subject}}", "{{=<% %>=}}", '", "x": "', "\\u0022"]
)
def test_what_a_mail_says_is_never_read_as_a_template(said: str) -> None:
    template = json.dumps(
        {"whole": "{{subject}}", "within": "<{{{subject}}}{{#subject}}{{.}}{{/subject}}{{captures.a}}>"}
    )
    result = json.loads(encode(render(template, {**EMPTY, "subject": said}, {"a": said})))
    assert result == {"whole": said, "within": f"<{said * 3}>"}


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """The name under which pystache by itself finds a file."""
    (tmp_path / "secret.mustache").write_text(SECRET)
    name = str(tmp_path / "secret")
    assert pystache.render("{{>" + name + "}}") == SECRET
    return name


@pytest.mark.parametrize("around", [">{}", "> {} ", "#subject}}}}{{{{>{}}}}}{{{{/subject"])
def test_no_file_is_read_even_for_a_template_that_nobody_checked(secret: str, around: str) -> None:
    template = json.dumps({"value": "{{" + around.format(secret) + "}}."})
    assert check(template) is not None
    assert render(template, build(**MISSION), {}) == {"value": "."}


class Trap:
    """An object of ours, by mistake among the values of a mail; whoever touches it has run code."""

    def __init__(self) -> None:
        self.touched: list[str] = []

    def __getattr__(self, name: str) -> Callable[[], str]:
        self.touched.append(name)
        return lambda: SECRET

    def __call__(self, *_: object) -> str:
        self.touched.append("()")
        return SECRET


class Text(str):
    """A text that can do more than a text."""

    __slots__ = ()

    def __call__(self, *_: object) -> str:
        return SECRET

    def __str__(self) -> str:
        return SECRET


@pytest.mark.parametrize("name", [*EMPTY, "captures"])
def test_an_object_never_gets_near_a_template(name: str) -> None:
    trap = Trap()
    body: Any = {**EMPTY, "subject": trap, "delivery_links": [trap]}
    captures: Any = {"a": trap}
    with pytest.raises(TypeError):
        render(json.dumps({"value": f"{{{{{name}}}}}{{{{{name}.boom}}}}"}), body, captures)
    assert not trap.touched


def test_a_text_is_only_a_text() -> None:
    template = {"whole": "{{subject}}", "within": "<{{subject}}>", "section": "{{#subject}}{{.}}{{/subject}}"}
    result = render(json.dumps(template), {**EMPTY, "subject": Text("x")}, {})
    assert result == {"whole": "x", "within": "<x>", "section": "x"}


@pytest.mark.parametrize("text", ["{{subject.upper}}.", "{{captures.items.real}}.", "{{captures.a.b}}."])
def test_names_lead_to_keys_and_nowhere_else_even_for_a_template_that_nobody_checked(text: str) -> None:
    template = json.dumps({"value": text})
    assert check(template) is not None
    assert render(template, build(**MISSION), CAPTURES) == {"value": "."}


def many(piece: str) -> str:
    """A template full of the same."""
    size = len(json.dumps(piece)[1:-1])
    return json.dumps({"value": piece * ((LONGEST_TEMPLATE - 100) // size), "beside": "{{subject}}"})


@pytest.mark.parametrize(
    "piece",
    [
        *("{{", "}}", "{", "{{{", "{{ ", "{{\n", "{{{ ", "{{#", "{{!", "{{{a}} ", "{{=", "{{= ", "{{>a}}"),
        *("{{" + " " * 800, "{{" + "\n" * 800, "{{{a}}" + "\n" * 800, "{{!" + " \n" * 800 + "}}"),
        *(" ", "\t", " \n", "a ", "{{subject}}" + " " * 100),
        *("{{subject}}" + " \n" * 3000, "{{!" + " \n" * 240 + "}}"),
        *("{{#subject}}", "{{/subject}}", "{{^subject}}", "{{" + " " * 90 + "\n" * 400 + "subject}}"),
    ],
)  # fmt: skip
def test_a_template_full_of_the_same_is_judged(piece: str) -> None:
    text = many(piece)
    if check(text) is None:
        assert render(text, build(**MISSION), CAPTURES)["beside"] == MISSION["subject"]


NESTED = "{{#delivery_links}}{{#delivery_links}}%s{{/delivery_links}}{{/delivery_links}}"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"value": NESTED % ("x" * 16_000)}),
        many(NESTED % ""),
        many(NESTED % "{{r2_url}}"),
        many(NESTED % "{{.}}"),
        many("{{#delivery_links}}{{/delivery_links}}"),
        many("{{#delivery_links}}{{^delivery_links}}{{/delivery_links}}{{/delivery_links}}"),
        json.dumps({"value": NESTED % ("{{r2_url}}" * 1600)}),
        json.dumps({"value": NESTED % ("{{delivery_links}}" * 800)}),
        json.dumps({"value": ["{{delivery_links}}"] * 700}),
        json.dumps({"value": ["{{delivery_links}}."] * 600}),
        json.dumps({"value": ["{{email_content}}"] * 700}),
        json.dumps({"value": "{{email_content}}" * 900}),
        json.dumps({"value": ["{{captures}}"] * 900}),
        json.dumps({"value": "{{captures}}." * 900}),
        '{"value": "{{email_content}}", "numbers": [' + "1e15," * 3000 + "1]}",
    ],
)
def test_the_result_stays_small_whatever_is_repeated(text: str) -> None:
    body = {**EMPTY, "email_content": '"' * 3_000_000, "delivery_links": LINKS * 100}
    assert check(text) is None
    result = render(text, body, dict.fromkeys(map(str, range(1000)), "é" * 1000))
    assert len(encode(result)) <= LONGEST_PAYLOAD


def test_a_long_text_is_cut_visibly_and_takes_no_room_from_short_ones() -> None:
    template = json.dumps(
        {"text": "{{email_content}}", "again": "{{{email_content}}}", "links": "{{delivery_links}}"}
    )
    body = {**EMPTY, "email_content": "x" * 3_000_000, "delivery_links": LINKS}
    result = render(template, body, {})
    assert result["links"] == LINKS
    assert result["text"] == "x" * (len(result["text"]) - 1) + "…"
    assert len(result["text"]) == len(result["again"]) > LONGEST_PAYLOAD * 0.49


def test_what_fits_is_whole() -> None:
    text = "x" * (LONGEST_PAYLOAD - 100)
    result = render('{"text": "{{email_content}}"}', {**EMPTY, "email_content": text}, {})
    assert result == {"text": text}


@pytest.mark.parametrize("character", ["x", '"', "é", "\0", "\ud800", "😀"])
def test_what_does_not_fit_is_cut_no_more_than_it_must(character: str) -> None:
    result = render(
        '{"text": "{{email_content}}"}', {**EMPTY, "email_content": character * LONGEST_PAYLOAD * 2}, {}
    )
    assert LONGEST_PAYLOAD - 40 <= len(encode(result)) <= LONGEST_PAYLOAD


def test_of_a_list_that_is_too_long_the_first_entries_remain() -> None:
    links = LINKS * 1000
    (kept,) = render('{"links": "{{delivery_links}}"}', {**EMPTY, "delivery_links": links}, {}).values()
    assert kept == links[: len(kept)]
    assert LONGEST_PAYLOAD - 200 <= len(encode({"links": kept})) <= LONGEST_PAYLOAD
