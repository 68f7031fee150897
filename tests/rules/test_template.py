"""What an operator's template makes of a mail, and what is said of one that is wrong."""

import json
from typing import Any

import pystache
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules import payload
from app.rules.payload import Facts, build
from app.rules.template import LONGEST_PAYLOAD, LONGEST_TEMPLATE, NAMES, check, render
from app.rules.verdict import Reason
from app.rules.words import say

FOLDER = {
    "provider": "dropbox",
    "raw_url": "https://www.dropbox.com/scl/fo/a",
    "r2_url": "https://r2.example/a",
}
SMASH = {"provider": "fromsmash", "raw_url": "https://fromsmash.com/b"}
MISSION: Facts = {
    "email_id": "e1",
    "subject": 'Lot 42 <urgent> & "bis"',
    "date_header": None,
    "sender_header": "Ann <ann@example.com>",
    "sender": "ann@example.com",
    "content": "À faire pour 16h30\nhttps://…",
    "detector": "recadrage",
    "delivery_time": "16h30",
    "window_start": None,
    "window_end": None,
    "links": [FOLDER, SMASH],
}
BARE: Facts = {**MISSION, "subject": None, "detector": None, "delivery_time": None, "links": []}
CAPTURES = {"lot": "42", "items": "three"}


def rendered(value: Any, facts: Facts = MISSION) -> Any:  # noqa: ANN401 - any JSON value
    """What becomes of one value of a template."""
    template = json.dumps({"value": value})
    assert check(template) is None
    return render(template, build(**facts), CAPTURES)["value"]


def fault(value: object) -> Reason:
    reason = check(json.dumps({"value": value}))
    assert reason is not None
    return reason


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("no tag", "no tag"),
        ("", ""),
        ("Mail: {{subject}}", 'Mail: Lot 42 <urgent> & "bis"'),
        ("{{{subject}}}{{& subject }}", 'Lot 42 <urgent> & "bis"' * 2),
        ("{{subject}}", MISSION["subject"]),
        ("{{ delivery_time }}h", "16h30h"),
        ("{{! a remark }}x", "x"),
        ("{{delivery_links}}", [FOLDER, SMASH]),
        ("{{{ delivery_links }}}", [FOLDER, SMASH]),
        ("{{receivedDateTime}}", None),
        ("-{{receivedDateTime}}-", "--"),
        (" {{dropbox_urls}}", ' ["https://www.dropbox.com/scl/fo/a"]'),
        ("{{captures.lot}}", "42"),
        ("{{captures.items}}", "three"),
        ("{{captures.never}}", None),
        ("lot {{captures.never}}", "lot "),
        ("{{captures}}", CAPTURES),
        ("{{#delivery_links}}{{provider}} {{/delivery_links}}", "dropbox fromsmash "),
        ("{{#delivery_links}}{{r2_url}}{{^r2_url}}{{raw_url}}{{/r2_url}};{{/delivery_links}}",
         "https://r2.example/a;https://fromsmash.com/b;"),
        ("{{#delivery_links}}\n{{provider}} of {{subject}}\n{{/delivery_links}}\n",
         'dropbox of Lot 42 <urgent> & "bis"\nfromsmash of Lot 42 <urgent> & "bis"\n'),
        ("{{#dropbox_urls}}<{{.}}>{{/dropbox_urls}}", "<https://www.dropbox.com/scl/fo/a>"),
        ("{{#detector}}a {{.}}{{/detector}}{{^detector}}other{{/detector}}", "a recadrage"),
        ("{{^webhooks_time_start}}any time{{/webhooks_time_start}}", "any time"),
        ('{"nested": "{{detector}}"}', '{"nested": "recadrage"}'),
        (["{{detector}}", 1, None, {"a": "{{delivery_time}}"}], ["recadrage", 1, None, {"a": "16h30"}]),
    ],
)  # fmt: skip
def test_a_value_becomes(value: object, becomes: object) -> None:
    assert rendered(value) == becomes


def test_what_a_mail_does_not_say_is_empty_and_still_of_its_kind() -> None:
    assert rendered("{{detector}}", BARE) is None
    assert rendered("{{delivery_links}}", BARE) == []
    assert rendered("{{subject}}|{{detector}}", BARE) == "|"
    assert (
        rendered("{{#delivery_links}}x{{/delivery_links}}{{^delivery_links}}none{{/delivery_links}}", BARE)
        == "none"
    )


def test_every_key_of_a_body_is_a_name_and_so_are_the_captures() -> None:
    facts: Facts = {**MISSION, "window_start": "maintenant", "window_end": "19h00"}
    body = build(**facts)
    assert set(NAMES) == {*body, "captures"}
    assert {name: rendered(f"{{{{{name}}}}}", facts) for name in body} == body
    assert {*FOLDER, *SMASH} <= set(payload.LINK)


def test_keys_are_never_filled() -> None:
    template = '{"{{subject}}": 1}'
    assert check(template) is None
    assert render(template, build(**MISSION), {}) == {"{{subject}}": 1}


def test_a_link_says_only_what_it_knows_and_its_section_also_knows_the_mail() -> None:
    section = "{{#delivery_links}}[{{original_filename}}{{delivery_time}}]{{/delivery_links}}"
    assert rendered(section) == "[16h30][16h30]"


@pytest.mark.parametrize(
    ("text", "code", "facts"),
    [
        ("", "template_not_json", {"line": 1, "column": 1}),
        ('{"a":\n "b",}', "template_not_json", {"line": 2, "column": 6}),
        ("{'a': 1}", "template_not_json", {"line": 1, "column": 2}),
        ('{"a": NaN}', "template_not_json", {}),
        ('{"a": -Infinity}', "template_not_json", {}),
        ('{"a": 1e999}', "template_not_json", {}),
        (f'{{"a": {"9" * 5000}}}', "template_not_json", {}),
        ("[]", "template_not_an_object", {}),
        ('"{{subject}}"', "template_not_an_object", {}),
        ("null", "template_not_an_object", {}),
        ('{"a": "' + "é" * (LONGEST_TEMPLATE // 2) + '"}', "template_too_long", {"limit": LONGEST_TEMPLATE}),
        ('{"a": ' + "[" * 20 + "]" * 20 + "}", "template_too_deep", {"limit": 20}),
        ('{"a": ' * 2000 + "1" + "}" * 2000, "template_too_deep", {"limit": 20}),
    ],
)
def test_a_document_is_refused(text: str, code: str, facts: dict[str, object]) -> None:
    assert check(text) == Reason(code, facts)


@pytest.mark.parametrize(
    ("value", "code", "facts"),
    [
        ("{{> footer }}", "template_partial", {"name": "footer"}),
        ("{{#detector}}{{>a/b}}{{/detector}}", "template_partial", {"name": "a/b"}),
        ("{{=<% %>=}}<%subject%>", "template_delimiters", {}),
        ("{{ = x = }}", "template_delimiters", {}),
        ("{{ subject", "template_broken", {"detail": "{{ subject"}),
        ("{{}}", "template_broken", {"detail": "{{}}"}),
        ("{{{subject}}", "template_broken", {"detail": "{{{subject}}"}),
        ("{{subject}} {{a}b}}", "template_broken", {"detail": "{{a}b}}"}),
        ("{{" + "a" * 501 + "}}", "template_broken", {"detail": "{{" + "a" * 38}),
        ("{{subject}}" + " " * 101, "template_blanks", {"limit": 100}),
        ("Hi {{# detector }} {{delivery_time}}", "template_unclosed", {"tag": "{{# detector }}"}),
        ("{{#detector}}\n{{^subject}}x{{/subject}}", "template_unclosed", {"tag": "{{#detector}}"}),
        ("x {{/detector}}", "template_unopened", {"tag": "{{/detector}}"}),
        ("{{#detector}}{{#subject}}{{/detector}}{{/subject}}", "template_unopened", {"tag": "{{/detector}}"}),
        (
            "{{#detector}}{{^subject}}{{#delivery_time}}x{{/delivery_time}}{{/subject}}{{/detector}}",
            "template_too_deep",
            {"sections": 2},
        ),
    ],
)
def test_a_text_is_refused(value: str, code: str, facts: dict[str, object]) -> None:
    assert fault(value) == Reason(code, facts)
    assert fault({"deeper": ["{{subject}}", value]}) == Reason(code, facts)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("{{Subject}}", "Subject"),
        ("{{subject.upper}}", "subject.upper"),
        ("{{delivery_links.0}}", "delivery_links.0"),
        ("{{provider}}", "provider"),
        ("{{#dropbox_urls}}{{provider}}{{/dropbox_urls}}", "provider"),
        ("{{^delivery_links}}{{provider}}{{/delivery_links}}", "provider"),
        ("{{.}}", "."),
        ("{{^detector}}{{.}}{{/detector}}", "."),
        ("{{captures.}}", "captures."),
        ("{{captures.a.b}}", "captures.a.b"),
        ("{{#captures}}{{lot}}{{/captures}}", "lot"),
        ("{{#nothing}}{{/nothing}}", "nothing"),
        ("{{ }}", " "),
    ],
)
def test_a_name_is_refused_where_it_means_nothing(value: str, name: str) -> None:
    reason = fault(value)
    assert (reason.code, reason.facts["name"]) == ("template_unknown_name", name)
    assert set(NAMES) <= set(reason.facts["known"].split(", "))


def test_what_is_known_in_a_section_is_said_there() -> None:
    reason = fault("{{#delivery_links}}{{url}}{{/delivery_links}}")
    assert say(reason).startswith("The template uses “url”, which is not known here. Known are: ")
    assert say(reason).endswith(", captures, ., provider, raw_url, direct_url, r2_url, original_filename")


PLAIN = [
    "{{subject}}",
    " {{{delivery_time}}}",
    "{{captures.lot}}\n",
    "{{raw_url}}",
    "{{.}}",
    "{{!x}}",
    "<&>",
    " \n",
]
TAGS = ["#detector", "#dropbox_urls", "#delivery_links", "^detector", "^captures.never", "#captures.lot"]


def a_section(tag: str, around: str, inside: str) -> str:
    return f"{{{{{tag}}}}}{around}{inside}{around}{{{{/{tag[1:]}}}}}{around}"


PIECES = st.recursive(
    st.sampled_from(PLAIN),
    lambda inner: st.builds(
        a_section, st.sampled_from(TAGS), st.sampled_from(["", " ", "\n"]), st.lists(inner).map("".join)
    ),
)


@given(st.lists(PIECES, max_size=4).map("".join))
def test_a_text_is_filled_as_pystache_itself_would_fill_it(text: str) -> None:
    template = json.dumps({"value": f"_{text}"})
    body: dict[str, Any] = {**payload.EMPTY, **build(**MISSION)}
    if check(template) is None and "{{.}}" not in text:
        theirs = pystache.Renderer(escape=str).render(f"_{text}", body, captures=CAPTURES)
        assert render(template, body, CAPTURES)["value"] == theirs


TEXTS = st.text(st.characters(exclude_categories=[]), max_size=30)
WHOLE = {name: f"{{{{{name}}}}}" for name in NAMES}
ANY_TEMPLATE = {
    **WHOLE,
    "text": " ".join(WHOLE.values()),
    "links": "{{#delivery_links}}{{#subject}}{{.}}{{/subject}}{{raw_url}}{{.}}{{/delivery_links}}",
    "deep": [{"a": ["{{^captures.a}}{{email_content}}{{/captures.a}}", "{{captures.a}}"]}],
}


@given(
    st.builds(dict, **dict.fromkeys(["subject", "sender", "content", "detector"], st.none() | TEXTS)),
    st.lists(
        st.fixed_dictionaries({"provider": TEXTS, "raw_url": TEXTS}, optional={"r2_url": TEXTS}), max_size=3
    ),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
)
def test_whatever_a_mail_says_the_result_is_json_with_the_keys_of_the_template(
    said: dict[str, Any], links: list[dict[str, str]], captures: dict[str, str]
) -> None:
    template = json.dumps(ANY_TEMPLATE)
    facts: Any = {**MISSION, **said, "links": links}
    result = render(template, build(**facts), captures)
    assert result.keys() == ANY_TEMPLATE.keys()
    assert json.loads(payload.encode(result)).keys() == ANY_TEMPLATE.keys()
    assert json.loads(json.dumps(result)) == result


NEARLY = st.lists(
    PIECES | TEXTS | st.sampled_from(["{{", "}}", "{{{", "}}}", "{{>a}}", "{{= =}}", " " * 60])
).map("".join)
VALUES = st.recursive(
    NEARLY | st.none() | st.floats(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)
)


@given(TEXTS | NEARLY | VALUES.map(json.dumps) | VALUES.map(lambda value: json.dumps({"value": value})))
def test_whatever_is_accepted_is_rendered_and_nothing_fails(text: str) -> None:
    if check(text) is None:
        result = render(text, build(**MISSION), CAPTURES)
        assert result.keys() == json.loads(text).keys()
        assert len(payload.encode(result)) <= LONGEST_PAYLOAD
