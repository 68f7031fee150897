"""What every template may use: moments, reasons and words in the reader's language and zone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import cast

import pytest
from jinja2 import Environment

from app.config import Config
from app.integrations.errors import Failure
from app.main import create_app
from app.models import DeliveryState, EndpointState, MailboxState, MessageState, ProcessState, RunState
from app.rules.outcome import Word
from app.rules.verdict import Mark, Verdict
from app.web.i18n import READER, Reader
from app.web.templates import ago, environment, moment, say_reason
from app.web.words import WORDS

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)


@pytest.fixture(params=["en", "fr"])
def language(request: pytest.FixtureRequest) -> str:
    READER.set(Reader(language=request.param, now=NOW, zone="Europe/Paris"))
    return str(request.param)


def test_a_moment_is_said_exactly_in_the_operators_zone(language: str) -> None:
    said = {"en": "Sun 22 Nov 2026, 14h30", "fr": "dim. 22 nov. 2026, 14h30"}
    assert moment(NOW) == said[language]


def test_how_long_ago_it_was(language: str) -> None:
    past, future = ago(NOW - timedelta(minutes=12)), ago(NOW + timedelta(hours=3))
    said = {"en": ("12 min ago", "in 3 hr"), "fr": ("il y a 12\xa0min", "dans 3\xa0h")}
    assert (past.text, future.text) == said[language]
    assert ago(NOW).text == ago(NOW - timedelta(seconds=1)).text
    assert past.iso == "2026-11-22T13:18:00+00:00"
    assert past.exact == moment(NOW - timedelta(minutes=12))


def test_a_stored_reason_becomes_a_sentence(language: str) -> None:
    sentence = say_reason({"code": "sender_not_listed", "facts": {"sender": "eve@example.org"}})
    assert "eve@example.org" in sentence
    assert (" is " in f" {sentence} ") == (language == "en")


@pytest.mark.parametrize(
    "words",
    [
        Verdict,
        Mark,
        MessageState,
        DeliveryState,
        EndpointState,
        MailboxState,
        ProcessState,
        RunState,
        Word,
        Failure,
    ],
)
def test_every_word_that_is_stored_can_be_shown(words: type[StrEnum]) -> None:
    assert {word.value.replace("_", " ") for word in words} <= set(WORDS)


@pytest.fixture
def templates() -> Environment:
    return environment(create_app(Config.load(host="127.0.0.1")).url_path_for)


def test_every_template_can_be_read(templates: Environment) -> None:
    names = templates.list_templates(extensions=["html"])
    assert names
    for name in names:
        templates.get_template(name)


def test_a_link_is_a_path_and_a_static_one_carries_its_version(templates: Environment) -> None:
    url_for = cast("Callable[..., str]", templates.globals["url_for"])
    assert url_for("delivery", delivery_id=7) == "/deliveries/7"
    assert url_for("static", path="app.css").startswith("/static/app.css?v=")
