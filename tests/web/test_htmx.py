"""Which answer fits the request: the page, a part of it, or a way elsewhere."""

from datetime import UTC, datetime

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError

from app.web.htmx import current_page, fragments, go, page, wants_fragment
from app.web.i18n import READER, Reader
from app.web.state import Request

TEMPLATES = {
    "list.html": (
        "<html>{% block list %}<ul>{{ count }}</ul>{% endblock %}"
        "{% block total %}<b{% if oob %} hx-swap-oob='true'{% endif %}>{{ count }}</b>{% endblock %}</html>"
    )
}


def request(**headers: str) -> Request:
    READER.set(Reader(language="en", now=datetime(2026, 11, 22, tzinfo=UTC)))
    templates = Environment(loader=DictLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    raw = [(name.lower().replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "state": {"templates": templates, "session": None}})


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({}, False),
        ({"HX_Request": "true"}, True),
        ({"HX_Request": "false"}, False),
        ({"HX_Request": "true", "HX_Boosted": "true"}, False),
        ({"HX_Request": "true", "HX_History_Restore_Request": "true"}, False),
        ({"HX_Request": "true", "HX_Request_Type": "full"}, False),
        ({"HX_Request": "true", "HX_Request_Type": "partial"}, True),
        ({"HX_Boosted": "true"}, False),
    ],
)
def test_only_a_swap_into_a_part_wants_a_part(headers: dict[str, str], *, part: bool) -> None:
    assert wants_fragment(request(**headers)) is part
    answer = page(request(**headers), "list.html", fragment="list", count=7)
    assert bytes(answer.body).startswith(b"<ul>" if part else b"<html>")
    assert answer.headers["Vary"] == "HX-Request"


def test_the_first_fragment_lands_in_the_target_and_the_others_say_where_they_go() -> None:
    answer = fragments(request(), "list.html#list", "list.html#total", count=7)
    assert answer.body == b"<ul>7</ul>\n<b hx-swap-oob='true'>7</b>"
    assert page(request(), "list.html", count=7).body == b"<html><ul>7</ul><b>7</b></html>"


def test_what_is_shown_is_escaped_and_a_forgotten_name_is_an_error() -> None:
    assert b"&lt;script&gt;" in page(request(), "list.html", count="<script>").body
    with pytest.raises(UndefinedError):
        page(request(), "list.html")


def test_a_reader_is_sent_elsewhere_with_and_without_htmx() -> None:
    plain, swapping = go(request(), "/deliveries"), go(request(HX_Request="true"), "/deliveries")
    assert (plain.status_code, plain.headers["Location"]) == (303, "/deliveries")
    assert (swapping.status_code, swapping.headers["HX-Redirect"]) == (204, "/deliveries")
    assert "Location" not in swapping.headers


def test_the_page_in_the_browser_is_known_to_parts_only() -> None:
    assert current_page(request(HX_Request="true", HX_Current_URL="http://x/a?b")) == "http://x/a?b"
    assert current_page(request(HX_Current_URL="http://x/a?b")) == ""
