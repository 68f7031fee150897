"""A rule as a form: what a browser sends, what is read of it, and how rows are added and removed."""

import json
from io import BytesIO
from typing import Any

import pytest
from starlette.datastructures import FormData, UploadFile

from app.rules.draft import MOST_CONDITIONS, read
from app.rules.rule import Rule
from app.rules.text import whole_number
from app.views.rule_form import listed, raw_from, written
from app.views.rule_rows import Row, Rows, changed, rows_of

NAMED = ("name", "Lots")
SUBJECT = (
    ("conditions.mode", "all"),
    ("conditions.0.field", "subject"),
    ("conditions.0.operator", "contains"),
    ("conditions.0.values", "lot"),
)


def form(*fields: tuple[str, Any]) -> dict[str, Any]:
    return raw_from(FormData(list(fields)))


def items(*fields: tuple[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = form(*fields)["conditions"]["items"]
    return found


def condition(place: str, value: str, field: str = "subject", operator: str = "contains") -> list[Any]:
    return [(f"{place}.field", field), (f"{place}.operator", operator), (f"{place}.values", value)]


def test_a_small_form_is_a_whole_rule() -> None:
    rule, problems = read(form(NAMED, *SUBJECT, ("endpoint_ids", "7"), ("offload", "true")), endpoints=[7])
    assert problems == {}
    assert isinstance(rule, Rule)
    assert (rule.name, rule.endpoint_ids, rule.links_required, rule.stop) == ("Lots", (7,), True, False)


def test_a_sign_before_a_word_negates_it() -> None:
    raw = form(("conditions.mode", "not_any"), *condition("conditions.0", "x", operator="not_ends"))
    assert (raw["conditions"]["mode"], raw["conditions"]["negated"]) == ("any", True)
    assert (
        raw["conditions"]["items"][0] | {"operator": "ends", "negated": True} == raw["conditions"]["items"][0]
    )


def test_rows_stand_in_the_order_of_their_numbers_whatever_is_missing_between_them() -> None:
    found = items(
        *condition("conditions.20", "c"), *condition("conditions.3", "a"), *condition("conditions.9", "b")
    )
    assert [item["values"] for item in found] == [["a"], ["b"], ["c"]]


def test_a_group_holds_its_rows_and_an_empty_one_is_seen() -> None:
    fields = [
        ("conditions.0.mode", "any"),
        *condition("conditions.0.1", "b"),
        *condition("conditions.0.0", "a"),
    ]
    group, empty = items(*fields, ("conditions.1.mode", "not_all"))
    assert [item["values"] for item in group["items"]] == [["a"], ["b"]]
    assert empty == {"mode": "all", "negated": True, "items": []}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a, b,,  c ", ["a", "b", "c"]),
        ("a, b\r\nc", ["a, b", "c"]),
        ("a, b\n", ["a, b"]),
        ("\n \n", []),
        ("", []),
    ],
)
def test_a_list_has_a_text_a_line_or_commas(text: str, values: list[str]) -> None:
    assert items(*condition("conditions.0", text, operator="one_of"))[0]["values"] == values
    assert form(("exclude_keywords", text))["exclude_keywords"] == values
    assert listed(written(values)) == values


def test_boxes_that_are_ticked_are_a_list_too() -> None:
    ticked = [
        *condition("conditions.0", "dropbox", "link", "one_of"),
        ("conditions.0.values", "we, transfer\n"),
    ]
    assert items(*ticked)[0]["values"] == ["dropbox", "we, transfer"]


def test_a_pattern_and_a_template_keep_their_blanks_and_commas() -> None:
    assert items(*condition("conditions.0", " a,\r\nb ", operator="matches"))[0]["values"] == [" a,\nb "]
    assert form(("template", '{\r\n "a": 1}'))["template"] == '{\n "a": 1}'


@pytest.mark.parametrize(
    ("fields", "group"),
    [
        ([], "none"),
        ([("group", "month"), ("group_days", "7")], "month"),
        ([("group", "days"), ("group_days", " 7 ")], "days:7"),
        ([("group", "days")], "days:"),
    ],
)
def test_how_often_the_same_goes(fields: list[tuple[str, str]], group: str) -> None:
    assert form(*fields)["group"] == group


def test_urgent_mail_has_a_policy_of_its_own_only_when_that_is_chosen() -> None:
    fields = [("policy.before", "drop"), ("urgent_policy.before", "send")]
    assert form(*fields)["urgent_policy"] is None
    assert form(*fields, ("urgent", "own"))["urgent_policy"] == {"before": "send"}
    assert form(*fields)["policy"] == {"before": "drop"}


def test_a_list_that_is_not_sent_is_left_as_it_usually_is_and_an_empty_one_is_emptied() -> None:
    assert "subject_terms" not in form(NAMED)
    rule, _ = read(form(NAMED, *SUBJECT, ("subject_terms", "")), endpoints=[])
    assert rule
    assert rule.subject_terms == ()


def test_nothing_at_all_is_refused_at_the_places_that_lack_something() -> None:
    assert set(read(form(), endpoints=[])[1]) == {"name", "conditions"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("conditions.x.field", "subject"),
        ("conditions.-1.field", "subject"),
        ("conditions.1234.field", "subject"),
        ("conditions.0.0.0.field", "subject"),
        ("conditions.٣.field", "subject"),
        ("conditions..field", "subject"),
        ("conditions.0.items", "x"),
        ("conditions.0.field\n", "subject"),
        ("conditions.items.0.field", "x"),
        ("CONDITIONS.0.FIELD", "subject"),
    ],
)
def test_a_field_with_an_odd_name_is_passed_over(name: str, value: str) -> None:
    assert items((name, value)) == []


def test_a_row_that_is_a_condition_and_a_group_is_a_group() -> None:
    odd = [*condition("conditions.0", "a"), ("conditions.0.mode", "any"), *condition("conditions.0.0", "b")]
    assert [len(item["items"]) for item in items(*odd)] == [1]
    late = [*condition("conditions.0.0", "b"), *condition("conditions.0", "a")]
    assert [item["field"] for item in items(*late)] == ["subject"]


def test_thousands_of_fields_are_read_in_a_moment_and_refused() -> None:
    many = [(f"conditions.{one}.{two}.field", "subject") for one in range(100) for two in range(30)]
    raw = form(NAMED, *many, *[("endpoint_ids", str(one)) for one in range(3000)])
    whole = sum(len(group["items"]) for group in raw["conditions"]["items"])
    assert whole == 2 * MOST_CONDITIONS
    assert {"conditions", "endpoint_ids"} <= set(read(raw, endpoints=[7])[1])


@pytest.mark.parametrize("value", ["", "x", "-1", "1.0", "٣", "9" * 19, "9" * 5000, "true"])
def test_a_receiver_that_is_no_number_is_refused(value: str) -> None:
    assert "endpoint_ids" in read(form(NAMED, *SUBJECT, ("endpoint_ids", value)), endpoints=[1])[1]
    assert whole_number(value) is None


@pytest.mark.parametrize(
    "key", ["links_required", "stop", "offload", "priority", "hold_expires", "policy.before"]
)
def test_a_word_that_nobody_offers_is_refused_at_its_place(key: str) -> None:
    assert key in read(form(NAMED, *SUBJECT, (key, "banana")), endpoints=[])[1]


def test_files_and_signs_that_no_database_keeps_do_no_harm() -> None:
    raw = form(("name", UploadFile(BytesIO(b"x"))), *condition("conditions.0", "a\x00b"))
    assert raw["name"] == ""
    assert raw["conditions"]["items"][0]["values"] == ["ab"]


def test_what_is_read_is_json() -> None:
    raw = form(NAMED, *SUBJECT, ("urgent", "own"), ("endpoint_ids", "x"))
    assert json.loads(json.dumps(raw)) == raw


def rows(*fields: tuple[str, Any]) -> Rows:
    return rows_of(form(*fields)["conditions"])


@pytest.mark.parametrize(
    ("field", "operator", "kind"),
    [
        ("subject", "contains", "line"),
        ("subject", "not_one_of", "lines"),
        ("text", "matches", "pattern"),
        ("header", "present", "none"),
        ("mailbox", "equals", "mailbox"),
        ("mailbox", "one_of", "mailboxes"),
        ("mailbox", "ends", "line"),
        ("link", "one_of", "providers"),
        ("link", "present", "none"),
        ("attachment", "not_present", "none"),
        ("size", "larger", "size"),
        ("detector", "equals", "detector"),
        ("attachment", "contains", "none"),  # what is left of another field
        ("size", "matches", "size"),
        ("banana", "banana", "line"),
    ],
)
def test_each_question_has_its_control(field: str, operator: str, kind: str) -> None:
    (row,) = rows(*condition("conditions.0", "x", field, operator)).members
    assert isinstance(row, Row)
    assert row.kind == kind


def test_a_list_that_becomes_one_line_keeps_its_texts() -> None:
    fields = condition("conditions.0", "a\nb", operator="one_of")
    (row,) = rows_of(
        {**form(*fields)["conditions"], "items": [items(*fields)[0] | {"operator": "ends"}]}
    ).members
    assert isinstance(row, Row)
    assert row.text == "a, b"


def test_a_row_offers_what_its_field_knows_with_and_without_not() -> None:
    (row,) = rows(*condition("conditions.0", "2", "size", "larger")).members
    assert isinstance(row, Row)
    assert row.operators == ("larger", "not_larger", "smaller", "not_smaller")


TREE = form(*SUBJECT, ("conditions.1.mode", "any"), *condition("conditions.1.0", "a"))["conditions"]


def shape(conditions: dict[str, Any]) -> list[Any]:
    return [shape(item) if "items" in item else item["values"] for item in conditions["items"]]


@pytest.mark.parametrize(
    ("wish", "result", "focus"),
    [
        ("add:conditions", [["lot"], [["a"]], []], "conditions.2"),
        ("add:conditions.1", [["lot"], [["a"], []]], "conditions.1.1"),
        ("group:conditions", [["lot"], [["a"]], [[]]], "conditions.2.0"),
        ("remove:conditions.0", [[["a"]]], "conditions.0"),
        ("remove:conditions.1", [["lot"]], "conditions.0"),
        ("remove:conditions.1.0", [["lot"]], "conditions.0"),  # the last of a group takes it along
    ],
)
def test_a_button_changes_the_rows(wish: str, result: list[Any], focus: str) -> None:
    before = json.dumps(TREE)
    after, place = changed(TREE, wish)
    assert (shape(after), place) == (result, focus)
    assert json.dumps(TREE) == before


@pytest.mark.parametrize(
    "wish",
    [
        "",
        "refresh",
        "add",
        "add:",
        "add:conditions.0",
        "add:conditions.9",
        "add:conditions.1.0",
        "add:conditions.1.0.0",
        "add:name",
        "remove:conditions",
        "remove:conditions.7",
        "remove:conditions.0.0",
        "remove:conditions.1.7",
        "remove:conditions.-1",
        "remove:conditions." + "1" * 5000,
        "clear:conditions",
        "add:conditions:1",
    ],
)
def test_a_button_that_is_none_changes_nothing(wish: str) -> None:
    assert changed(TREE, wish) == (TREE, "")


def test_a_row_that_is_about_another_field_is_made_to_fit_it() -> None:
    detector = condition("conditions.0", "lot", "detector", "not_ends")
    size = condition("conditions.1.0", "2", "size", "contains")
    unknown = condition("conditions.2", "x", "banana", "banana")
    fitted, _ = changed(form(*detector, *size, *unknown)["conditions"], "refresh")
    asked, group, odd = fitted["items"]
    assert (asked["operator"], asked["negated"], asked["values"]) == ("equals", True, ["recadrage"])
    assert (group["items"][0]["operator"], group["items"][0]["values"]) == ("larger", ["2"])
    assert (odd["operator"], odd["values"]) == ("banana", ["x"])


def test_the_last_row_can_be_removed_and_another_added() -> None:
    alone = form(*SUBJECT)["conditions"]
    empty, focus = changed(alone, "remove:conditions.0")
    assert (shape(empty), focus) == ([], "")
    assert shape(changed(empty, "add:conditions")[0]) == [[]]
