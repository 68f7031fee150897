"""The sentences in which people read why."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from app.models import NoticeKind
from app.rules.condition import Mode
from app.rules.outcome import Word
from app.rules.rule import DETECTORS, Action, Priority
from app.rules.sentences import SENTENCES
from app.rules.url_faults import NO_HTTPS
from app.rules.verdict import Reason
from app.rules.vocabulary import WORDS
from app.rules.window import Position
from app.rules.words import say

APP = Path(__file__).parents[2] / "app"
MADE_UP = {f"{position}_window" for position in Position} | {word.value for word in Word}
MADE_UP |= {f"matched_{detector}" for detector in DETECTORS}
MADE_UP |= {f"{sign}{mode}_of" for sign in ("", "not_") for mode in Mode}
MADE_UP |= {f"{whose}_{action}" for whose in ("time", "urgent") for action in Action}
MADE_UP |= {f"goes_{priority}" for priority in Priority}
MADE_UP |= {f"notice_{kind}" for kind in NoticeKind}
MADE_UP |= {f"counts_{sign}{mode}" for sign in ("", "not_") for mode in Mode}
MADE_UP |= {
    f"asks_{sign}{noun}" for sign in ("", "no_") for noun in ("attachment", "detector", "header", "link")
}
FACTS = {
    "how": [{"code": "read_in_part", "facts": {"read": 256}}],
    "read": 256,
    "now": "20h12",
    "opens": "09h00",
    "closes": "19h00",
    "action": "hold",
    "day": "monday",
    "sender": "ann@example.com",
    "release_at": "2025-10-14T07:00:00+00:00",
    "until": "2025-10-14T07:00:00+00:00",
    "detail": "why",
    "tries": 3,
    "expired_at": "2025-10-13T22:00:00+00:00",
    "start": "2025-10-01",
    "end": "2025-10-31",
    "size": 30 * 1024 * 1024,
    "limit": 1024 * 1024,
    "prefix": "Re:",
    "keyword": "promo",
    "rule": "Recadrage",
    "count": 2,
    "message_id": 12,
    "group": "lot_7",
    "scope": "2025-10",
    "delivery_time": "16h30",
    "links": 1,
    "missing": ["delivery_link"],
    "detector": "recadrage",
    "forbidden": "facture",
    "receivers": 1,
    "used": 5,
    "status": 500,
    "message": "no",
    "name": "X",
    "line": 2,
    "column": 14,
    "sections": 2,
    "tag": "x",
    "known": "subject, detector",
    "zone": "Paris",
    "days": ["monday", "sunday"],
    "from_day": "monday",
    "to_day": "friday",
    "minutes": 38,
    "what": "subject",
    "operator": "not_contains",
    "value": "lot",
    "saw": "Lot 7",
    "choices": ["month", "none"],
    **{word: [{"code": "asks_attachment", "facts": {}}] for word in ("all", "any", "not_all", "not_any")},
    "field": "its_subject",
    "header": "list-id",
    "values": ["lot"],
    "megabytes": "2",
    "providers": ["dropbox"],
    "keywords": ["promo"],
    "to": ["studio"],
    "gates": ["gate_before"],
    "seconds": 30,
    "senders": ["ann@example.com"],
    "address": "ann@example.com",
    "by": "ada",
    "least": 1,
    "most": 300,
    "host": "hooks.example.com",
    "waits": "5s, 5min",
    "span": "3 h",
    "hours": 24,
    "names": ["X-Team"],
    "since": "2025-10-13T22:00:00+00:00",
    "at": "2025-10-13T22:00:00+00:00",
    "delivery": 7,
    "url": "https://signal.example.org",
    "more": 7,
    "told": [{"code": "works_again", "facts": {}}],
    "why": [{"code": "timed_out", "facts": {}}],
}


def codes_in_the_app() -> Iterator[str]:
    """The codes that stand in `Reason("...")` and in `{"code": "...", "facts": ...}`."""
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            code: ast.expr | None = None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
                code = node.args[0] if node.args else None
            elif isinstance(node, ast.Dict):
                written = {
                    ast.unparse(key): value for key, value in zip(node.keys, node.values, strict=True) if key
                }
                code = written.get("'code'") if "'facts'" in written else None
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value


def test_every_code_has_a_sentence() -> None:
    assert {*codes_in_the_app(), *MADE_UP} <= SENTENCES.keys()


@pytest.mark.parametrize("code", SENTENCES)
def test_every_sentence_can_be_said_with_all_its_facts_and_the_last_with_few(code: str) -> None:
    for sentence in SENTENCES[code]:
        wanted = {name for _, name, _, _ in Formatter().parse(sentence) if name}
        said = say(Reason(code, {name: FACTS[name] for name in wanted}))
        assert said
        assert "{" not in said


def test_a_code_without_a_sentence_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        say(Reason("because"))


def test_the_window_is_explained_in_one_line() -> None:
    facts = {"opens": "09h00", "closes": "19h00", "now": "20h12", "action": "drop"}
    assert say(Reason("after_window", facts)) == (
        "Window 09h00–19h00: now 20h12, after closing; this rule drops such mail"
    )
    held = facts | {"action": "hold", "release_at": "2025-10-14T07:00:00+00:00"}
    assert say(Reason("after_window", held), zone="Europe/Paris") == (
        "Window 09h00–19h00: now 20h12, after closing; this rule holds such mail until 2025-10-14 09h00"
    )


def test_moments_are_in_the_readers_zone() -> None:
    reason = Reason("hold_expired", {"expired_at": "2025-10-13T22:00:00+00:00"})
    assert "2025-10-14 00h00" in say(reason, zone=ZoneInfo("Europe/Paris"))
    assert "2025-10-13 22h00" in say(reason)


def test_sentences_and_the_words_in_them_are_translated() -> None:
    french = {
        "{day:word} is no day of absence": "{day:word} n'est pas un jour d'absence",
        "Monday": "Lundi",
    }
    said = say(Reason("no_absence", {"day": "monday"}), lambda text: french.get(text, text))
    assert said == "Lundi n'est pas un jour d'absence"


def test_what_people_wrote_is_repeated_and_never_read_as_a_sentence() -> None:
    facts = {"keyword": "{action:word} monday", "rule": "{0.__class__}"}
    assert say(Reason("exclude_keyword", facts)) == (
        "It contains “{action:word} monday”, a keyword that the rule “{0.__class__}” excludes"
    )


def test_a_code_within_a_sentence_is_put_into_words() -> None:
    assert say(Reason("unparsable", {"detail": "parser_too_slow", "tries": 3})).endswith("took too long")
    assert say(Reason("unparsable", {"detail": "odd"})) == "It could not be read: odd"


def test_the_last_sentence_of_a_code_that_others_quote_needs_no_facts() -> None:
    for word in Word:
        assert "{" not in SENTENCES[word][-1]
    assert all("{" not in text for text in WORDS.values())


def test_a_size_has_the_readers_own_mark_before_its_decimals() -> None:
    french = {".": ",", "{count} MB": "{count} Mo"}
    reason = Reason("too_large", {"size": 5_138_022, "limit": 2**21})
    assert "4.9 MB, the limit is 2.0 MB" in say(reason)
    assert "4,9 Mo" in say(reason, lambda text: french.get(text, text))


@pytest.mark.parametrize(("days", "said"), [(1, "for 1 day"), (30, "for 30 days")])
def test_one_day_is_no_days(days: int, said: str) -> None:
    assert say(Reason("keeps_logs", {"days": days})).endswith(said)


def test_what_is_wrong_with_an_address_is_translated() -> None:
    french = {NO_HTTPS: "elle doit commencer par https://"}
    said = say(Reason("bad_url", {"detail": NO_HTTPS}), lambda text: french.get(text, text))
    assert said.endswith("elle doit commencer par https://")
