"""The parts that every page is made of."""

import re

import pytest

from app.models import DeliveryState, MailboxState, MessageState, ProcessState, RunState
from app.rules.verdict import Verdict
from app.web.places import STATIC, TEMPLATES
from app.web.templates import environment

UI = environment(lambda name, **_: f"/{name}").get_template("ui.html").module
LISTS = (MessageState, Verdict, DeliveryState, MailboxState, ProcessState, RunState)
SHOWN = {member.value for words in LISTS for member in words} - {MessageState.DECIDED.value}


@pytest.mark.parametrize("word", sorted(SHOWN))
def test_every_state_has_a_shape_and_a_colour(word: str) -> None:
    tone, shape = UI.LOOKS[word]  # type: ignore[attr-defined]
    assert f'[data-tone="{tone}"]' in (STATIC / "app.css").read_text()
    assert f'id="i-{shape}"' in (TEMPLATES / "icons.html").read_text()


def test_no_page_needs_what_the_content_security_policy_forbids() -> None:
    for path in TEMPLATES.rglob("*.html"):
        found = re.search(
            r"\s(style|on\w+|hx-on\S*)=|<style|<script(?![^>]* src=)|javascript:", path.read_text()
        )
        assert found is None, (path.name, found)


def test_nothing_comes_from_elsewhere() -> None:
    for path in [*TEMPLATES.rglob("*.html"), STATIC / "app.css", STATIC / "app.js"]:
        assert re.search(r"(src|href|url\()=?[\"'(]?(https?:)?//", path.read_text()) is None, path.name
